#!/usr/bin/env python3
"""What the machinery itself costs, with the no-op runtime (it compiles and measures nothing).

    bench/machinery.py [--evo ./evo-tuned] [--budget 20000] [--strategy random|full] [--jobs N]

Prints stored trials per second over a whole run, the processor time of the daemon and of its
workers for each trial, the daemon's resident memory, and how long `top` and `status` take during
the run (median and worst, process start included).
"""
import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICK = os.sysconf("SC_CLK_TCK")


def call(evo, where, *args):
    r = subprocess.run([evo, *args, *where], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if r.returncode:
        sys.exit(f"{args}: status {r.returncode}: {r.stderr}")
    return r.stdout


def timed(evo, where, *args):
    begin = time.monotonic()
    call(evo, where, *args)
    return 1e3 * (time.monotonic() - begin)


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        fields = dict(line.split(":", 1) for line in f)
    return int(fields["VmRSS"].split()[0]) / 1024, int(fields["VmHWM"].split()[0]) / 1024


def cpu_s(pid):
    """Processor seconds of a process, and of its children."""
    def own(p):
        with open(f"/proc/{p}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    workers = 0.0
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        for child in f.read().split():
            try:
                workers += own(child)
            except OSError:
                pass
    return own(pid), workers


def wide_task(folder):
    """The task that is shipped, and a parameter that makes its space larger than any budget here."""
    with open(os.path.join(ROOT, "configs/sgemm_host.json")) as f:
        task = json.load(f)
    task["kernel"]["source"] = os.path.join(ROOT, "src/kernels/sgemm.c")
    task["reference"]["source"] = os.path.join(ROOT, "src/kernels/sgemm_reference.c")
    task["parameters"]["SALT"] = {"values": list(range(16)), "description": "acts on nothing"}
    for preset in task["presets"].values():
        preset["SALT"] = 0
    path = os.path.join(folder, "wide.json")
    with open(path, "w") as f:
        json.dump(task, f)
    return path


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--evo", default=os.path.join(ROOT, "evo-tuned"))
    p.add_argument("--task", help="default: sgemm_host.json with a parameter more, 131,712 configurations")
    p.add_argument("--budget", type=int, default=20000)
    p.add_argument("--strategy", default="random")
    p.add_argument("--jobs", type=int, help="compile workers (the daemon's default)")
    p.add_argument("--every", type=float, default=0.2, help="seconds between two looks (0.2)")
    o = p.parse_args()
    state = tempfile.mkdtemp(prefix="evo-bench-")
    where = ["--db", state + "/e.db", "--socket", state + "/s"]
    try:
        extra = ["--jobs", str(o.jobs)] if o.jobs else []
        run = call(o.evo, where, "start", o.task or wide_task(state), "--runtime", "noop", "--strategy", o.strategy,
                   "--budget", str(o.budget), "--detach", *extra).split()[-1]
        pid = json.loads(call(o.evo, where, "status", "--json"))["pid"]
        top, status, rss, daemon, workers = [], [], [], 0.0, 0.0
        while (now := json.loads(call(o.evo, where, "runs", "--json"))[0])["state"] not in ("done", "failed"):
            rss.append(resident_mb(pid)[0])
            daemon, w = cpu_s(pid)
            workers = max(workers, w)
            status.append(timed(o.evo, where, "status"))
            if now["best_us"]:
                top.append(timed(o.evo, where, "top", run))
            time.sleep(o.every)
        daemon, peak = cpu_s(pid)[0], resident_mb(pid)[1]
        db = sqlite3.connect(state + "/e.db")
        n, first, last = db.execute("SELECT count(*), min(proposed_at), max(stored_at) FROM trial").fetchone()
        print(f"stored trials            {n:9d}")
        print(f"trials per second        {n / ((last - first) / 1e3):9.0f}")
        print(f"daemon, CPU a trial      {1e3 * daemon / n:9.3f} ms")
        print(f"workers, CPU a trial     {1e3 * workers / n:9.3f} ms (all of them together)")
        print(f"daemon resident          {max(rss, default=0):9.1f} MB (peak {peak:.1f} MB)")
        if top:
            print(f"status during the run    {statistics.median(status):9.1f} ms (worst {max(status):.1f}, n={len(status)})")
            print(f"top during the run       {statistics.median(top):9.1f} ms (worst {max(top):.1f}, n={len(top)})")
        call(o.evo, where, "stop")
    finally:
        shutil.rmtree(state, ignore_errors=True)


main()
