"""Run by the Python that has Kernel Tuner: its simulation mode over a cache file.

    simulate.py CACHE STRATEGY BUDGET [T4-TO-WRITE]

Prints {"evaluated": n, "failed": n, "best": {configuration}, "time": ms}.
"""

import json
import sys

import kernel_tuner
from constraint import FunctionConstraint
from kernel_tuner import file_utils, util


def main(path, strategy, budget, t4=None):
    cache = util.read_cache(path, open_cache=False)
    names = cache["tune_params_keys"]
    known = set(cache["cache"])
    results, _ = kernel_tuner.tune_kernel(
        cache["kernel_name"], "", cache["problem_size"], [], cache["tune_params"],
        restrictions=[FunctionConstraint(lambda *v: ",".join(map(str, v)) in known)],
        cache=path, simulation_mode=True, strategy=strategy, verbose=False, quiet=True,
        strategy_options={"max_fevals": int(budget)} if strategy != "brute_force" else {})
    good = [r for r in results if "__error__" not in r]
    best = min(good, key=lambda r: r["time"])
    if t4:
        file_utils.store_output_file(t4, results, cache["tune_params"])
    print("\n" + json.dumps({"evaluated": len(results), "failed": len(results) - len(good),
                             "best": {n: best[n] for n in names}, "time": best["time"]}))


main(*sys.argv[1:])
