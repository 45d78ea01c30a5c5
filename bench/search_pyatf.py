#!/usr/bin/env python3
"""Runs one of pyATF's search techniques over a recorded space, with its own tuner and space.

    search_pyatf.py CACHE TECHNIQUE EVALUATIONS SEEDS

Prints one line a seed: {"keys": [what it evaluated, each once, in order]}. What was evaluated before costs nothing
again; what failed is an error of the cost function, as the package has it. TECHNIQUE is the name of a module of
pyatf.search_techniques, such as auc_bandit, its default. bench/search.py calls it with the Python of a virtual
environment that has pyATF.
"""
import inspect
import json
import math
import random
import sys

from pyatf import TP, Set, Tuner, search_techniques
from pyatf.abort_conditions.abort_condition import AbortCondition
from pyatf.search_space import SearchSpace
from pyatf.search_techniques.search_technique_1d import SearchTechnique1D
from pyatf.tuning_data import CostFunctionError

STEPS_A_TRIAL = 200     # a technique that stands still is ended after so many for each evaluation


class Recorded:
    """The legal configurations of a cache; each parameter is constrained by those before it."""

    def __init__(self, path):
        with open(path) as f:
            cache = json.load(f)
        self.names = cache["tune_params_keys"]
        self.result, self.key = {}, {}
        for key, record in cache["cache"].items():
            if "InvalidConfig" in (record.get("__error__"), record.get("time")):
                continue
            config = tuple(record[name] for name in self.names)
            time = record.get("time")
            ok = isinstance(time, (int, float)) and math.isfinite(time) and "__error__" not in record
            self.key[config], self.result[config] = key, time if ok else None
        self.prefixes = {config[:n] for config in self.key for n in range(1, len(self.names) + 1)}
        self.values = [cache["tune_params"][name] for name in self.names]

    def constraint(self, i):
        def is_legal(**values):
            return tuple(values[name] for name in self.names[:i + 1]) in self.prefixes
        is_legal.__signature__ = inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in self.names[:i + 1]])
        return is_legal

    def space_for(self, technique):
        parameters = [TP(name, Set(*self.values[i]), self.constraint(i)) for i, name in enumerate(self.names)]
        return SearchSpace(*parameters, enable_1d_access=isinstance(technique, SearchTechnique1D), verbosity=0)


class Distinct(AbortCondition):
    """Ends after so many configurations that are not alike."""

    def __init__(self, seen, evaluations):
        self.seen, self.evaluations = seen, evaluations

    def stop(self, tuning_data):
        return len(self.seen) >= self.evaluations or \
            tuning_data.number_of_evaluated_configurations >= STEPS_A_TRIAL * self.evaluations

    def progress(self, tuning_data):
        return len(self.seen) / self.evaluations

    def to_json(self):
        return {"kind": "Distinct", "evaluations": self.evaluations}


def technique_of(name):
    wanted = name.replace("_", "").lower()
    for class_name in dir(search_techniques):
        if class_name.lower() == wanted and inspect.isclass(getattr(search_techniques, class_name)):
            return getattr(search_techniques, class_name)()
    sys.exit(f"pyATF has no search technique {name}")


def run(recorded, space, technique, evaluations, seed):
    random.seed(seed)
    seen = {}

    def cost(values):
        config = tuple(values[name] for name in recorded.names)
        seen.setdefault(config)
        if recorded.result[config] is None:
            raise CostFunctionError("it fails in the recording")
        return recorded.result[config]
    Tuner().search_space(space).search_technique(technique).verbosity(0).tune(cost, Distinct(seen, evaluations))
    return [recorded.key[config] for config in seen]


def main():
    cache, name, evaluations, seeds = sys.argv[1:]
    recorded = Recorded(cache)
    space = recorded.space_for(technique_of(name))
    for seed in range(1, int(seeds) + 1):
        keys = run(recorded, space, technique_of(name), min(int(evaluations), len(recorded.key)), seed)
        print(json.dumps({"keys": keys}), flush=True)


if __name__ == "__main__":
    main()
