#!/usr/bin/env python3
"""What a warm start gains: searches of a recorded space that begin with the best of the same kernel's
recording on another device, beside searches that begin cold.

    bench/warm.py FROM TO [FROM TO...] [--seeds 50] [--warm 6] [--strategy full] [--jobs W] [--both]

FROM and TO are Kernel Tuner caches, .gz as well; --both takes each pair the other way round too.
Printed for each pair: the median evaluations until within 5 % and 1 % of TO's optimum, and the median
of best/optimum after 8, 32 and 128 evaluations, cold and warm.
"""
import argparse
import gzip
import json
import math
import os
import statistics
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
AT = (8, 32, 128)


def values_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as f:
        cache = json.load(f)["cache"]
    return {key: r["time"] for key, r in cache.items()
            if isinstance(r.get("time"), (int, float)) and "__error__" not in r}


def searches(o, to, *more):
    words = [o.evo, "replay", to, "--json", "--budget", str(AT[-1]), "--strategy", o.strategy,
             "--repeat", str(o.seeds), *(["--jobs", str(o.jobs)] if o.jobs else []), *more]
    out = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return [json.loads(line)["keys"] for line in out.stdout.splitlines()]


def best_so_far(keys, values):
    best = []
    for key in keys:
        now = values.get(key, math.inf)
        best.append(min(now, best[-1]) if best else now)
    return best


def evaluations_to(runs, limit):
    return statistics.median_low(next((i + 1 for i, v in enumerate(run) if v <= limit), math.inf)
                                 for run in runs)


def figures(runs, optimum):
    to = [evaluations_to(runs, optimum * within) for within in (1.05, 1.01)]
    at = [statistics.median(run[min(n, len(run)) - 1] / optimum for run in runs) for n in AT]
    return to, at


def row(name, how, to, at):
    print("| " + " | ".join([name, how, *("-" if math.isinf(x) else f"{x:.0f}" for x in to),
                             *(f"{x:.3f}" for x in at)]) + " |", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("recordings", nargs="+", metavar="FROM TO")
    p.add_argument("--seeds", type=int, default=50)
    p.add_argument("--warm", type=int, default=0)
    p.add_argument("--strategy", default="full")
    p.add_argument("--jobs", type=int, default=0)
    p.add_argument("--both", action="store_true")
    p.add_argument("--evo", default=os.path.join(ROOT, "evo-tuned"))
    o = p.parse_args()
    if len(o.recordings) % 2:
        p.error("recordings come in pairs: FROM TO")
    pairs = list(zip(o.recordings[::2], o.recordings[1::2]))
    pairs += [(b, a) for a, b in pairs] if o.both else []
    print("| from, to | start | to 5 % | to 1 % | " + " | ".join(f"@{n}" for n in AT)
          + " |\n|---|---|" + "---|" * (2 + len(AT)))
    for source, to in pairs:
        values = values_of(to)
        optimum = min(values.values())
        name = ", ".join(os.path.basename(x).split(".json")[0] for x in (source, to))
        warm = ["--from", source, *(["--warm", str(o.warm)] if o.warm else [])]
        for how, more in (("cold", []), ("warm", warm)):
            runs = [best_so_far(keys, values) for keys in searches(o, to, *more)]
            row(name, how, *figures(runs, optimum))


if __name__ == "__main__":
    main()
