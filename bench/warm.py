#!/usr/bin/env python3
"""What a warm start gains: searches of a recorded space that begin with an earlier search of the same
kernel's recording on another device, beside searches that begin cold.

    bench/warm.py FROM TO [FROM TO...] [--seeds 50] [--warm 6] [--earlier 128] [--strategy full] [--jobs W] [--both]

FROM and TO are Kernel Tuner caches, .gz as well; --both takes each pair the other way round too. The earlier
search is one of so many trials of FROM; with --earlier 0 all of FROM is known. Printed for each pair: the median
evaluations until within 5 % and 1 % of TO's optimum, and the median of best/optimum after 8, 16, 32, 64 and 128
evaluations: cold; warm by the best of the earlier search alone (elites); and guided by its trials as well (warm).
At the end the geometric means over the pairs.
"""
import argparse
import gzip
import json
import math
import os
import statistics
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
AT = (8, 16, 32, 64, 128)


def recorded(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as f:
        return json.load(f)


def values_of(path):
    return {key: r["time"] for key, r in recorded(path)["cache"].items()
            if isinstance(r.get("time"), (int, float)) and "__error__" not in r}


def searches(o, to, *more):
    words = [o.evo, "replay", to, "--json", "--budget", str(AT[-1]), "--strategy", o.strategy,
             "--repeat", str(o.seeds), *(["--jobs", str(o.jobs)] if o.jobs else []), *more]
    out = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return [json.loads(line)["keys"] for line in out.stdout.splitlines()]


def earlier_search(o, source, folder):
    """A cache with what a search of `source` evaluates."""
    words = [o.evo, "replay", source, "--json", "--budget", str(o.earlier), "--seed", "7", "--jobs", "16"]
    out = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
    whole, keys = recorded(source), set(json.loads(out)["keys"])
    whole["cache"] = {key: r for key, r in whole["cache"].items() if key in keys}
    path = os.path.join(folder, os.path.basename(source).split(".json")[0] + ".json")
    with open(path, "w") as f:
        json.dump(whole, f)
    return path


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
    print("| " + " | ".join([name, how, *("-" if math.isinf(x) else f"{x:.0f}" for x in to or (math.inf,) * 2),
                             *(f"{x:.3f}" for x in at)]) + " |", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("recordings", nargs="+", metavar="FROM TO")
    p.add_argument("--seeds", type=int, default=50)
    p.add_argument("--warm", type=int, default=0)
    p.add_argument("--earlier", type=int, default=128)
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
    means = {}
    with tempfile.TemporaryDirectory() as folder:
        for source, to in pairs:
            begin = earlier_search(o, source, folder) if o.earlier else source
            for how, found in starts(o, begin, to).items():
                row(", ".join(os.path.basename(x).split(".json")[0] for x in (source, to)), how, *found)
                means.setdefault(how, []).append(found[1])
    for how, found in means.items():
        row("geometric mean", how, (), [math.exp(statistics.fmean(map(math.log, x))) for x in zip(*found)])


def starts(o, source, to):
    values = values_of(to)
    warm = ["--from", source, *(["--warm", str(o.warm)] if o.warm else [])]
    ways = {"cold": [], "warm": warm}
    if o.strategy == "full":
        ways = {"cold": [], "elites": [*warm, "--setting", "prior=0"], "warm": warm}
    return {how: figures([best_so_far(keys, values) for keys in searches(o, to, *more)], min(values.values()))
            for how, more in ways.items()}


if __name__ == "__main__":
    main()
