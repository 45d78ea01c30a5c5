#!/usr/bin/env python3
"""How good the search strategies are: scores on recorded spaces, beside random search, Kernel Tuner and pyATF.

    bench/search.py RECORDING... [--strategies full,random] [--seeds 50] [--jobs 0,16] [--evaluations N]
                    [--peers genetic_algorithm,pyatf:auc_bandit] [--peer-seeds 5] [--plot FILE.svg] [--json FILE]
                    [--per-space] [--evo ./evo-tuned]
    bench/search.sh RECORDING...        the whole of it: --jobs 0,16, peers and the plot

RECORDING is a Kernel Tuner cache of a space that was measured as a whole, .gz and .xz as well. Each
strategy runs over each of them by `evo-tuned replay`, once for every seed. The scores:

  P         mean over the space's time budget of (best so far - random) / (optimum - random), where
            random is the expected best of random search, and the budget the time that random search
            takes to come 95 % of the way from the median to the optimum (Willemsen et al., FGCS
            2024; here run by run, on values). 0: random search, 1: the optimum at once.
  Q128      the same over evaluations 2 to 128, on logarithms.
  @N        geometric mean over spaces of the median over seeds of best/optimum after N evaluations.
  to 5 %    median over spaces of the median evaluations until within 5 % of the optimum.
  search    what the search itself took for one trial, in microseconds, the dearest space.

The range behind P and Q128 is their standard error over seeds. --jobs 16 replays with 16 compile workers
beside one device, where 18 trials are on their way; 0 is one trial at a time (random search: only that).
--evaluations cuts every run short, which leaves P out. --peers are strategies of Kernel Tuner and, behind
"pyatf:", search techniques of pyATF, run one trial at a time by their own packages over the same files. The
packages, and matplotlib for --plot, are installed into a virtual environment that this script makes itself
(build/search-venv); what cannot be had is left out with a word on stderr.
"""
import argparse
import bisect
import gzip
import json
import lzma
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import typing

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, "build", "search-venv")
PYTHON = os.path.join(VENV, "bin", "python")
CHECKPOINTS = (32, 64, 128, 256)
TIMES = ("compile_time", "verification_time", "benchmark_time")
MICROSECONDS = {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}


class Space:
    """A recorded space and what random search is expected to find in it."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path).split(".json")[0]
        opener = {".gz": gzip.open, ".xz": lzma.open}.get(os.path.splitext(path)[1], open)
        with opener(path, "rt") as f:
            self.text = f.read()
        cache = json.loads(self.text).get("cache")
        if not isinstance(cache, dict):
            sys.exit(f"{path}: expected a Kernel Tuner cache")
        self.value, self.cost = {}, {}
        for key, record in cache.items():
            if "InvalidConfig" in (record.get("__error__"), record.get("time")):
                continue
            time = record.get("time")
            self.value[key] = time if isinstance(time, (int, float)) and "__error__" not in record \
                and math.isfinite(time) else None
            self.cost[key] = sum(max(record.get(t) or 0, 0) for t in TIMES) / 1e3
        self.sorted = sorted(v for v in self.value.values() if v is not None)
        self.optimum, self.worst = self.sorted[0], self.sorted[-1]
        per_eval = statistics.fmean(self.cost.values())
        target = self.optimum + 0.05 * (statistics.median(self.sorted) - self.optimum)
        worse = len(self.sorted) - bisect.bisect_right(self.sorted, target)
        evals = max(2, math.ceil(worse / (len(self.sorted) + 1 - worse)))
        self.budget_s = evals * per_eval
        self.budget = min(len(self.value), max(CHECKPOINTS[-1], math.ceil(1.5 * evals)))
        self.random = self.expected_best(max(evals, CHECKPOINTS[-1]), lambda v: v)
        self.random_log = self.expected_best(128, math.log)
        self.per_eval = per_eval

    def expected_best(self, evals, of):
        """Of 1..evals draws without replacement; nothing valid yet counts as the worst value."""
        n, values = len(self.value), [of(v) for v in self.sorted]
        none = [1.0] * (len(values) + 1)        # chance that none of the k best was drawn
        out = []
        for m in range(min(evals, n)):
            none = [p * max(n - k - m, 0) / (n - m) for k, p in enumerate(none)]
            out.append(sum((none[k] - none[k + 1]) * v for k, v in enumerate(values))
                       + none[-1] * values[-1])
        return out

    def best_so_far(self, keys):
        best, out = None, []
        for key in keys:
            v = self.value[key]
            if v is not None and (best is None or v < best):
                best = v
            out.append(best)
        return out

    def score_p(self, keys, points=400):
        """Reads the run's own clock: one trial after the other."""
        best, spent, total = self.best_so_far(keys), [], 0.0
        for key in keys:
            total += self.cost[key]
            spent.append(total)
        sum_ = 0.0
        for i in range(points):
            at = self.budget_s * (i + 1) / points
            made = bisect.bisect_right(spent, at)
            random = self.random[min(max(round(at / self.per_eval), 1), len(self.random)) - 1]
            now = best[made - 1] if made else None
            sum_ += 0 if now is None or random <= self.optimum else \
                (random - now) / (random - self.optimum)
        return sum_ / points

    def score_q(self, keys):
        best = [math.log(b or self.worst) for b in self.best_so_far(keys)]
        gaps = []
        for m in range(1, min(len(self.random_log), 128)):
            random, optimum = self.random_log[m], math.log(self.optimum)
            if random - optimum > 1e-12:
                gaps.append((random - best[min(m, len(best) - 1)]) / (random - optimum))
        return statistics.fmean(gaps) if gaps else 1.0


class Peer(typing.NamedTuple):
    """A package whose searches are run beside ours."""
    name: str
    package: str
    module: str
    script: str


KERNEL_TUNER = Peer("Kernel Tuner", "kernel-tuner", "kernel_tuner", "search_kernel_tuner.py")
PYATF = Peer("pyATF", "pyatf", "pyatf", "search_pyatf.py")


class Runner:
    """What proposes: a strategy of ours with so many compile workers, or one of a peer."""

    def __init__(self, o, strategy, jobs=0, peer=None):
        self.o, self.strategy, self.jobs, self.peer = o, strategy, jobs, peer
        self.seeds = o.peer_seeds if peer else o.seeds
        self.name = f"{peer.name} {strategy}" if peer else strategy + (f", {jobs} workers" if jobs else "")

    def evaluations(self, space):
        return min(space.budget, self.o.evaluations or space.budget)

    def replay(self, space, *more):
        words = [self.o.evo, "replay", space.path, "--strategy", self.strategy, "--budget",
                 str(self.evaluations(space)), *more]
        return output(words + (["--jobs", str(self.jobs)] if self.jobs else []))

    def logs(self, space):
        if not self.peer:
            # what comes after the optimum changes no score
            lines = self.replay(space, "--json", "--until-optimum", "--repeat", str(self.seeds))
        else:
            with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
                f.write(space.text)
                f.flush()
                lines = output([PYTHON, os.path.join(ROOT, "bench", self.peer.script), f.name, self.strategy,
                                str(self.evaluations(space)), str(self.seeds)])
        return [[k for k in json.loads(x)["keys"] if k in space.value] for x in lines.splitlines()]

    def search_us(self, space):
        if self.peer:
            return None
        number, unit = re.search(r"([0-9.]+) (ns|us|ms|s)\s*$", self.replay(space)).groups()
        return float(number) * MICROSECONDS[unit]


def output(words):
    r = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    if r.returncode:
        sys.exit(f"{' '.join(words)}: status {r.returncode}")
    return r.stdout


def imports(module):
    return os.path.exists(PYTHON) and \
        subprocess.run([PYTHON, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0


def have(package, module):
    """Whether the virtual environment has a package, which is installed when it is missing."""
    if not imports("pip"):      # also when making it was interrupted
        output([sys.executable, "-m", "venv", VENV])
    if imports(module):
        return True
    print(f"installing {package} from PyPI into {VENV}", file=sys.stderr)
    r = subprocess.run([PYTHON, "-m", "pip", "--quiet", "install", package], stderr=subprocess.PIPE, text=True)
    if r.returncode:
        why = (r.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        print(f"{package} cannot be installed, and what needs it is left out: {why}", file=sys.stderr)
    return r.returncode == 0


def measure(runner, space):
    logs = runner.logs(space)
    best = [space.best_so_far(keys) for keys in logs]

    def ratio(n):
        return statistics.median((b[min(n, len(b)) - 1] or space.worst) / space.optimum for b in best)

    def evals_to(within):
        return statistics.median_low(
            next((i + 1 for i, x in enumerate(b) if x and x <= within * space.optimum), math.inf)
            for b in best)

    longest = runner.evaluations(space)
    return {"P": [space.score_p(k) for k in logs] if longest == space.budget else None,
            "Q": [space.score_q(k) for k in logs],
            "ratio": {n: ratio(n) for n in CHECKPOINTS if n <= longest}, "to5": evals_to(1.05),
            "to1": evals_to(1.01), "search_us": runner.search_us(space),
            "curve": [ratio(n) for n in range(1, min(128, longest) + 1)]}


def with_error(rows, key):
    if any(r[key] is None for r in rows):
        return "-"
    mean = statistics.fmean(statistics.fmean(r[key]) for r in rows)
    if any(len(r[key]) < 2 for r in rows):
        return f"{mean:.3f}"
    error = math.sqrt(sum(statistics.variance(r[key]) / len(r[key]) for r in rows)) / len(rows)
    return f"{mean:.3f} +- {error:.3f}"


def count(x):
    return "-" if math.isinf(x) else f"{x:.0f}"


def at(rows, n):
    if any(n not in r["ratio"] for r in rows):
        return "-"
    return f"{math.exp(statistics.fmean(math.log(r['ratio'][n]) for r in rows)):.3f}"


def print_row(name, rows):
    dearest = max(r["search_us"] or 0 for r in rows)
    cells = [name, with_error(rows, "P"), with_error(rows, "Q"), *(at(rows, n) for n in CHECKPOINTS),
             count(statistics.median(r["to5"] for r in rows)),
             count(statistics.median(r["to1"] for r in rows)), f"{dearest:.1f}" if dearest else "-"]
    print("| " + " | ".join(cells) + " |", flush=True)


def runners(o):
    jobs = [int(j) for j in o.jobs.split(",")]
    ours = [Runner(o, s, j) for j in jobs for s in o.strategies.split(",") if s and (s != "random" or j == jobs[0])]
    return ours + peers(o)


def peers(o):
    at_hand, found = {}, []
    for word in filter(None, o.peers.split(",")):
        peer = PYATF if word.startswith("pyatf:") else KERNEL_TUNER
        if peer not in at_hand:
            at_hand[peer] = have(peer.package, peer.module)
        if at_hand[peer]:
            found.append(Runner(o, word.split(":")[-1], peer=peer))
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("recordings", nargs="+", metavar="RECORDING")
    p.add_argument("--strategies", default="full,random")
    p.add_argument("--seeds", type=int, default=50)
    p.add_argument("--jobs", default="0", help="compile workers, a list; 0: one trial at a time")
    p.add_argument("--evaluations", type=int, help="at most (default: each space's own budget)")
    p.add_argument("--peers", default="", help="strategies of Kernel Tuner, pyatf:NAME of pyATF")
    p.add_argument("--peer-seeds", type=int, default=5)
    p.add_argument("--plot", metavar="FILE.svg")
    p.add_argument("--evo", default=os.path.join(ROOT, "evo-tuned"))
    p.add_argument("--per-space", action="store_true")
    p.add_argument("--json", metavar="FILE")
    o = p.parse_args()
    spaces = [Space(path) for path in o.recordings]
    results = {}
    print("| strategy | P | Q128 | " + " | ".join(f"@{n}" for n in CHECKPOINTS)
          + " | to 5 % | to 1 % | search us |\n|" + "---|" * (6 + len(CHECKPOINTS)))
    for runner in runners(o):
        rows = results[runner.name] = {s.name: measure(runner, s) for s in spaces}
        print_row(f"{runner.name} x {runner.seeds}", list(rows.values()))
        for name in rows if o.per_space else ():
            print_row(f"- {name}", [rows[name]])
    if o.json:
        save(o.json, results)
    if o.plot and have("matplotlib", "matplotlib"):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            save(f.name, results)
            output([PYTHON, os.path.join(ROOT, "bench", "search_plot.py"), f.name, o.plot])


def save(path, results):
    with open(path, "w") as f:
        json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
