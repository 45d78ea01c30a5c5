"""A full disk holds a run, says so, and lets it go on when there is room; nothing is lost."""

import os
import shutil
import subprocess

import tap
from daemons import ENDED, Daemon

SGEMM = os.path.join(tap.ROOT, "configs", "sgemm_host.json")
IN_NAMESPACE = ["unshare", "-rm", "sh", "-c",
                'mount -t tmpfs -o size=16m none "$0" && exec "$@"']


def small_disk():
    """A folder that is a small file system of its own for whoever is started by the prefix."""
    folder = os.path.join(tap.folder(), "disk")
    os.mkdir(folder)
    if not shutil.which("unshare"):
        tap.skip("there is no unshare(1)")
    tried = subprocess.run(IN_NAMESPACE + [folder, "true"], capture_output=True, text=True)
    if tried.returncode:
        tap.skip(f"no user namespaces here: {tried.stderr.strip()}")
    return folder


def inside(daemon, folder):
    return f"/proc/{daemon.process.pid}/root{folder}"


def fill(path):
    """Leaves no room at all."""
    size = 1 << 16
    with open(path, "ab", buffering=0) as f:
        while size:
            try:
                f.write(bytes(size))
            except OSError:
                size //= 2


@tap.limit(120)
def test_a_full_disk_holds_the_run_until_there_is_room():
    folder = small_disk()
    daemon = Daemon(prefix=IN_NAMESPACE + [folder], db=os.path.join(folder, "evo.db"))
    client = daemon.client()
    client.call("events.subscribe")
    run = client.call("search.start", task=SGEMM, runtime="noop", budget=300,
                      strategy="random")["run"]
    seen = []
    while sum(e["kind"] == "trial" for e in seen) < 20:
        seen.append(client.event())
    ballast = os.path.join(inside(daemon, folder), "ballast")
    fill(ballast)

    def state():
        shown = client.call("runs.list")["runs"][0]
        return shown if shown["state"] == "waiting" else None
    shown = tap.until(state, "the run to wait")
    tap.contains(shown["reason"], "disk full: " + folder)
    tap.contains(shown["reason"], "bytes free")
    os.unlink(ballast)
    end = client.until_state(run, ENDED, seen)
    tap.equal((end["state"], end["done"]), ("done", 300))
    numbers = [e["body"]["no"] for e in seen if e["kind"] == "trial"]
    tap.equal(numbers, list(range(1, 301)), "trials told of")
    client.call("daemon.stop")
    tap.equal(daemon.wait(), 0)


if __name__ == "__main__":
    tap.main(globals())
