#!/usr/bin/env python3
"""Runs one of Kernel Tuner's own strategies over a recorded space, in its simulation mode.

    search_kernel_tuner.py CACHE STRATEGY EVALUATIONS SEEDS

Prints one line a seed: {"keys": [what it evaluated, each once, in order]}. bench/search.py calls it with the Python
of a virtual environment that has Kernel Tuner.
"""
import contextlib
import json
import os
import random
import sys

import numpy
from kernel_tuner.interface import tune_cache


def run(cache, names, strategy, evaluations, seed):
    random.seed(seed)
    numpy.random.seed(seed)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        results = tune_cache(cache, strategy=strategy, verbose=False, quiet=True,
                             strategy_options={"max_fevals": evaluations})[0]
    keys = (",".join(str(r[n]) for n in names) for r in results)
    return list(dict.fromkeys(keys))[:evaluations]


def main():
    cache, strategy, evaluations, seeds = sys.argv[1:]
    with open(cache) as f:
        names = json.load(f)["tune_params_keys"]
    for seed in range(1, int(seeds) + 1):
        print(json.dumps({"keys": run(cache, names, strategy, int(evaluations), seed)}), flush=True)


if __name__ == "__main__":
    main()
