#!/usr/bin/env python3
"""What the machinery itself costs, with the no-op runtime (it compiles and measures nothing).

    bench/machinery.py [--evo ./evo-tuned] [--budget 20000]

Prints stored trials per second over a whole run, the daemon's resident memory during it, and how
long `top` and `status` take meanwhile (median and worst of 50, process start included).
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


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


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--evo", default=os.path.join(ROOT, "evo-tuned"))
    p.add_argument("--task", default=os.path.join(ROOT, "configs/sgemm_host.json"))
    p.add_argument("--budget", type=int, default=20000)
    p.add_argument("--strategy", default="random")
    o = p.parse_args()
    state = tempfile.mkdtemp(prefix="evo-bench-")
    where = ["--db", state + "/e.db", "--socket", state + "/s"]
    try:
        run = call(o.evo, where, "start", o.task, "--runtime", "noop", "--strategy", o.strategy,
                   "--budget", str(o.budget), "--detach").split()[-1]
        top, status, rss = [], [], []
        while True:
            s = json.loads(call(o.evo, where, "status", "--json"))
            rss.append(resident_mb(s["pid"])[0])
            mine = json.loads(call(o.evo, where, "runs", "--json"))
            if mine[0]["state"] in ("done", "failed"):
                break
            status.append(timed(o.evo, where, "status"))
            top.append(timed(o.evo, where, "top", run))
        peak = resident_mb(s["pid"])[1]
        import sqlite3
        db = sqlite3.connect(state + "/e.db")
        n, first, last = db.execute("SELECT count(*), min(proposed_at), max(stored_at) FROM trial").fetchone()
        print(f"stored trials            {n:9d}")
        print(f"trials per second        {n / ((last - first) / 1e3):9.0f}  (with status and top polling beside)")
        print(f"daemon resident          {max(rss):9.1f} MB (peak {peak:.1f} MB)")
        if top:
            print(f"status during the run    {statistics.median(status):9.1f} ms (worst {max(status):.1f}, n={len(status)})")
            print(f"top during the run       {statistics.median(top):9.1f} ms (worst {max(top):.1f}, n={len(top)})")
        call(o.evo, where, "stop")
    finally:
        shutil.rmtree(state, ignore_errors=True)


main()
