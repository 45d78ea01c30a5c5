#!/usr/bin/env python3
"""How often each way of timing puts two nearly equal configurations in the right order.

    bench/pair_order.py [--db FILE --run N] [--pairs 12] [--trials 40] [--truth 200]

Takes pairs of configurations whose stored times differ by 1 to 3 %, of a run in a database or of a
search made here. What is true of a pair comes of a long interleaved comparison in graph mode; pairs
whose interval there includes 1 are left out and counted. Then trials of both are taken in either
mode, in other processes, and each pair of single trials votes: `side by side` are two taken one
right after the other, `any two` are all combinations, which is what a search has. That event mode
agrees with the truth in the long run (the sign of the median ratio of its rounds) is shown too,
since the truth is of the other mode.
"""
import os
import random
import statistics

import study

TASK = os.path.join(study.ROOT, "configs", "sdpa_u8.json")
MODES = ("graph", "event")


def options():
    p = study.parser(__doc__)
    p.add_argument("--db", help="of an earlier run; without it a search is made")
    p.add_argument("--run", type=int, default=1)
    p.add_argument("--task", default=TASK, help="of the search, a CUDA task")
    p.add_argument("--budget", type=int, default=192, help="of the search")
    p.add_argument("--pairs", type=int, default=12)
    p.add_argument("--trials", type=int, default=40, help="of each mode and pair, at least 8")
    p.add_argument("--truth", type=int, default=200, help="rounds that the truth is of")
    p.add_argument("--low", type=float, default=1, help="least stored difference, per cent")
    p.add_argument("--high", type=float, default=3, help="largest")
    p.add_argument("--seed", type=int, default=1, help="of the choice of pairs")
    return p.parse_args()


def near_ties(o, rows):
    """Pairs of trials in random order, each trial in one pair at most, the faster one first or last
    by chance."""
    found = [(a, b) for i, a in enumerate(rows) for b in rows[i + 1:]
             if a["cubin"] != b["cubin"]
             and o.low <= 100 * (b["p50_us"] / a["p50_us"] - 1) <= o.high]
    rng = random.Random(o.seed)
    rng.shuffle(found)
    pairs, used = [], set()
    for a, b in found:
        if a["trial"] in used or b["trial"] in used:
            continue
        used |= {a["trial"], b["trial"]}
        pairs.append((a, b) if rng.random() < 0.5 else (b, a))
    return pairs


def votes(found, slower):
    """Shares of single trials that agree with the truth: side by side, and any two."""
    a, b = found["a"]["times_us"], found["b"]["times_us"]
    right = [(y < x) == slower and x != y for x, y in zip(a, b)]
    both = [(y < x) == slower and x != y for x in a for y in b]
    return statistics.mean(right), statistics.mean(both)


def study_pair(o, place, a, b):
    """One row: the truth and {mode: votes}; None where the truth is not known."""
    truth = place.compare(a, b, "graph", o.truth)
    low, high = truth["ratio_ci"]
    if low <= 1 <= high:
        return None
    slower = truth["ratio"] > 1
    result = {"percent": truth["percent"], "us": truth["b"]["p50_us"]}
    for mode in MODES:
        found = place.compare(a, b, mode, o.trials)
        result[mode] = votes(found, slower)
        result[mode + " ratio"] = found["ratio"]
    result["agree"] = (result["event ratio"] > 1) == slower
    return result


def percent(share):
    return f"{100 * share:.1f} %"


def report(o, results, left_out):
    print(f"### Near ties: `bench/pair_order.py`, {len(results)} pairs, {o.trials} trials of each "
          f"mode, truth of {o.truth} rounds\n")
    study.table(("pair", "b", "true difference", "graph side by side", "graph any two",
                 "event side by side", "event any two", "event's long run agrees"),
                [(name, f"{r['us']:.2f} us", f"{r['percent']:+.2f} %", *map(percent, r["graph"]),
                  *map(percent, r["event"]), "yes" if r["agree"] else "no")
                 for name, r in results])
    study.table(("right, mean over pairs", "side by side", "any two"),
                [(mode, *(percent(statistics.mean(r[mode][i] for _, r in results))
                          for i in range(2))) for mode in MODES])
    if left_out:
        print(f"{left_out} pairs were left out: their order is not known even from the long "
              f"comparison.")


def main():
    o = options()
    results, left_out = [], 0
    with study.Place(o.evo, o.db, o.nvrtc) as place:
        run = o.run if o.db else place.search(o.task, o.budget, "--seed", "1")
        pairs = near_ties(o, place.json("top", str(run), "-k", "120"))
        for a, b in pairs:
            if len(results) == o.pairs:
                break
            found = study_pair(o, place, f"{run}:{a['trial']}", f"{run}:{b['trial']}")
            if found:
                results.append((f"{a['trial']}, {b['trial']}", found))
            else:
                left_out += 1
    if results:
        report(o, results, left_out)
    else:
        print(f"no pair differs by {o.low} to {o.high} %: a larger --budget gives more")


main()
