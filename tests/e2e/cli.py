"""Runs the program in a state folder of its own: for the end-to-end tests of the command line."""

import json
import os
import signal
import subprocess

import tap

TINY = os.path.join(tap.ROOT, "tests", "tasks", "host_tiny.json")


class Place:
    """A database and a socket in a folder that the test ends with, and the daemon on them."""

    def __init__(self):
        self.folder = tap.folder()
        self.db = os.path.join(self.folder, "state", "evo.db")
        self.socket = os.path.join(self.folder, "s")
        self.env = {"PATH": os.environ["PATH"], "HOME": self.folder, "TMPDIR": self.folder,
                    "EVO_TUNED_DB": self.db, "EVO_TUNED_SOCKET": self.socket}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH", "LC_ALL"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        tap.cleanup(self.end_daemon)

    def popen(self, *words, **more):
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                    "stderr": subprocess.PIPE, "text": True, "cwd": self.folder, "env": self.env}
        return subprocess.Popen([tap.EVO, *words], **{**settings, **more})

    def run(self, *words, status=0, **more):
        """Runs it to its end; stdout, after its exit status was found to be `status`."""
        return self.both(*words, status=status, **more)[0]

    def both(self, *words, status=0, seconds=50, **more):
        child = self.popen(*words, **more)
        out, err = child.communicate(timeout=seconds)
        if child.returncode != status:
            raise AssertionError(f"{' '.join(words)}: expected status {status}, found "
                                 f"{child.returncode}\nstdout: {out}\nstderr: {err}")
        return out, err

    def json(self, *words, status=0):
        return json.loads(self.run(*words, "--json", status=status))

    def complaint(self, *words, status=2):
        """What it says on stderr; nothing may stand on stdout."""
        out, err = self.both(*words, status=status)
        tap.equal(out, "", f"stdout of {' '.join(words)}")
        return err

    def daemon_pid(self):
        """0: none has the database."""
        try:
            with open(self.db + ".lock") as f:
                pid = int(f.read() or 0)
            with open(f"/proc/{pid}/stat") as f:
                return 0 if f.read().rsplit(")", 1)[1].split()[0] in "ZX" else pid
        except (OSError, ValueError):
            return 0

    def end_daemon(self, how=signal.SIGKILL):
        pid = self.daemon_pid()
        if pid:
            os.kill(pid, how)
            tap.until(lambda: not self.daemon_pid(), "the end of the daemon")
