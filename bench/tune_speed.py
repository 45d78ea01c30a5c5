#!/usr/bin/env python3
"""How long a search takes from an empty cache, and how near the compile pool comes to its limit.

    bench/tune_speed.py [--evo ./evo-tuned] [--task configs/sdpa_u8.json] [--budget 128] [--jobs N]
                        [--repeat 1]

Runs `start TASK --budget N` from an empty state folder, then compiles the very same configurations
with bench/bare_nvrtc.c over as many processes (that is the limit: nothing but NVRTC), and prints
both rates, their ratio, and how busy cores and GPU were; with --repeat also the medians.
CUDA tasks only. Nothing is kept.
"""
import argparse
import collections
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--evo", default=os.path.join(ROOT, "evo-tuned"))
    p.add_argument("--task", default=os.path.join(ROOT, "configs/sdpa_u8.json"))
    p.add_argument("--budget", type=int, default=128)
    p.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--seed", default="1")
    p.add_argument("--repeat", type=int, default=1)
    return p.parse_args()


def search(o, state):
    """One cold search; returns its wall time in seconds."""
    begin = time.monotonic()
    r = subprocess.run(
        [o.evo, "start", o.task, "--budget", str(o.budget), "--seed", o.seed, "--jobs", str(o.jobs),
         "--db", state + "/e.db", "--socket", state + "/s"], stdout=subprocess.PIPE, text=True)
    wall = time.monotonic() - begin
    subprocess.run([o.evo, "stop", "--db", state + "/e.db", "--socket", state + "/s"],
                   stdout=subprocess.DEVNULL)
    print(r.stdout, end="")
    if r.returncode:
        sys.exit(f"the search failed with status {r.returncode}")
    return wall


def nvrtc_path(o):
    doctor = json.loads(subprocess.run([o.evo, "doctor", "--json"], stdout=subprocess.PIPE, text=True).stdout)
    found = re.search(r"/[^\" ,;()]*libnvrtc\.so[.0-9]*", json.dumps(doctor))
    if not found:
        sys.exit("doctor names no NVRTC library")
    return found.group(0)


def bare_rate(o, state, configs):
    """Compiles per second of bare processes over the same option lists."""
    task = json.load(open(o.task))
    kernel = task["kernel"]
    source = os.path.normpath(os.path.join(os.path.dirname(o.task), kernel["source"]))
    nvrtc = nvrtc_path(o)
    base = os.path.dirname(os.path.dirname(os.path.realpath(nvrtc)))
    folders = [os.path.dirname(source)]
    folders += [f for f in (base + "/include", os.path.join(base, "..", "..", "include"),
                            "/usr/local/cuda/include") if os.path.isdir(f)]
    fixed = [f"--gpu-architecture={arch(o)}", "--ptxas-options=-v", "--no-cache", "-std=c++17"]
    fixed += [f for f in kernel.get("flags", []) if not f.startswith("-std=")]
    fixed += ["-I" + f for f in folders]
    fixed += [f"-D{k}={v}" for k, v in kernel.get("defines", {}).items()]
    with open(state + "/options", "w") as f:
        for c in configs:
            f.write(" ".join(fixed + [f"-D{k}={int(v) if isinstance(v, bool) else v}" for k, v in c.items()]) + "\n")
    exe = state + "/bare_nvrtc"
    subprocess.run(["cc", "-O2", "-o", exe, ROOT + "/bench/bare_nvrtc.c", "-ldl"], check=True)
    out = subprocess.run([exe, nvrtc, source, state + "/options", str(o.jobs)], check=True,
                         stdout=subprocess.PIPE, text=True).stdout.split()
    return float(out[2])


def arch(o):
    out = subprocess.run([o.evo, "check", o.task, "--json"], stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"sm_[0-9]+[af]?", out).group(0)


def measure(o):
    """One cold search beside the bare loop; (wall seconds, ratio)."""
    state = tempfile.mkdtemp(prefix="evo-bench-")
    try:
        wall = search(o, state)
        db = sqlite3.connect(state + "/e.db")
        rows = db.execute(
            "SELECT config, compile_ms, load_ms + verify_ms + warm_ms + time_ms, compile_start_at,"
            " compile_end_at, measure_start_at, measure_end_at, outcome FROM trial"
            " WHERE compile_end_at > 0 ORDER BY no").fetchall()
        bare = bare_rate(o, state, [json.loads(r[0]) for r in rows])
    finally:
        shutil.rmtree(state, ignore_errors=True)
    return wall, report(o, rows, wall, bare)


def report(o, rows, wall, bare):
    first = min(r[3] for r in rows)
    compile_span = (max(r[4] for r in rows) - first) / 1e3
    span = (max(max(r[4], r[6] or 0) for r in rows) - first) / 1e3
    waited = (min(r[5] for r in rows if r[5]) - first) / 1e3
    ours = len(rows) / compile_span
    busy_cores = sum(r[1] for r in rows) / 1e3 / (compile_span * o.jobs)
    busy_gpu = sum(max(0, r[6] - r[5]) for r in rows if r[5]) / 1e3 / span
    inside = sum(r[2] or 0 for r in rows if r[5]) / 1e3 / span
    outcomes = collections.Counter(r[7] for r in rows)
    print(f"wall of start --budget {o.budget}, empty cache   {wall:8.2f} s")
    print(f"first compile to last result                 {span:8.2f} s")
    print(f"first compile to first measurement           {waited:8.2f} s")
    print(f"compiles: {len(rows)} over {o.jobs} workers           {ours:8.2f} /s")
    print(f"bare NVRTC loop, {o.jobs} processes                {bare:8.2f} /s")
    print(f"ratio                                        {ours / bare:8.3f}")
    print(f"compile workers busy                         {100 * busy_cores:8.1f} %")
    print(f"measuring worker busy                        {100 * busy_gpu:8.1f} % (in phases {100 * inside:.1f} %)")
    print(f"outcomes                                     {dict(outcomes)}", flush=True)
    return ours / bare


def main():
    o = options()
    found = [measure(o) for _ in range(o.repeat)]
    if o.repeat > 1:
        walls, ratios = zip(*found)
        print(f"median of {o.repeat}: wall {statistics.median(walls):.2f} s, ratio {statistics.median(ratios):.3f}"
              f" ({min(ratios):.3f} .. {max(ratios):.3f})")


main()
