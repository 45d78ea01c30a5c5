#!/usr/bin/env python3
"""Draws what bench/search.py --json wrote: best/optimum over evaluations, geometric mean over spaces of the median
over seeds.

    search_plot.py RESULTS.json PLOT.svg
"""
import json
import math
import statistics
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "evo-tuned"
from matplotlib import pyplot  # noqa: E402 (the backend comes first)


def main():
    with open(sys.argv[1]) as f:
        results = json.load(f)
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, spaces in results.items():
        curves = [s["curve"] for s in spaces.values()]
        points = range(min(128, *(len(c) for c in curves)))
        mean = [math.exp(statistics.fmean(math.log(c[i]) for c in curves)) for i in points]
        axes.plot([i + 1 for i in points], mean, label=name, linewidth=2 if name.startswith("full") else 1)
    axes.set(xlabel="evaluations", ylabel="best found / optimum", xlim=(1, 128), ylim=(1, 1.6))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
