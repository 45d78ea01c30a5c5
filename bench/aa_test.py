#!/usr/bin/env python3
"""A/A test: how far the time of one configuration scatters over separate trials, in both modes.

    bench/aa_test.py [--trials 50] [--blocks 5] [--budget 128] [--shape mission|large|rows]
                     [--measure KEY=VALUE]...

The best configuration of a short search of the attention task, or of RMSNorm, is measured as so many separate
trials (each loads the binary, warms up, samples and stops as a search's trial does), in turn with
trials of another configuration, in graph mode and in event mode: 20 warm-up launches and the median
of 100 between two events each. The modes take turns too, in blocks, each of which is a process of
its own. Attention at (2,8,512,64), some 6 us, and at (6,16,1024,64), some 80 us; RMSNorm of 24576 rows of 4096,
some 100 us from a cold cache.
Besides the spread over all trials there is that of a block, the median of all: buffers lie elsewhere
in each process. "In cycles" is the spread of times multiplied by the SM clock that was measured with
each, "MHz" the least and largest of those.
--measure sets figures of the task's "measure", such as noise=0.002.
Target: a spread of 0.5 % or less in graph mode at 20 ms of device time a trial or less.
"""
import json
import os
import statistics

import study

CONFIGS = os.path.join(study.ROOT, "configs")
SHAPES = {"mission": ("sdpa_u8", {"B": 2, "H": 8, "S": 512, "D": 64}),
          "large": ("sdpa_u8", {"B": 6, "H": 16, "S": 1024, "D": 64}),
          "rows": ("rmsnorm_f16", {"R": 24576, "C": 4096})}
MODES = ("graph", "event")
SPREAD_PERCENT, TIMING_MS = 0.5, 20


def options():
    p = study.parser(__doc__)
    p.add_argument("--trials", type=int, default=50, help="of each mode")
    p.add_argument("--blocks", type=int, default=5, help="that they are taken in")
    p.add_argument("--budget", type=int, default=128, help="of the searches before")
    p.add_argument("--shape", choices=SHAPES, action="append")
    p.add_argument("--measure", metavar="KEY=VALUE", action="append", default=[])
    return p.parse_args()


def task_of(place, name, measure):
    """The task with one shape only, so that the search is a short one."""
    source, dims = SHAPES[name]
    with open(os.path.join(CONFIGS, source + ".json"), encoding="utf-8") as f:
        task = json.load(f)
    references = task["reference"] if isinstance(task["reference"], list) else [task["reference"]]
    for kernel in [task["kernel"]] + references:
        kernel["source"] = os.path.join(CONFIGS, kernel.get("source", task["kernel"]["source"]))
    task["shapes"] = {name: {"dims": dims}}
    task.setdefault("measure", {}).update((key, json.loads(value)) for key, value in
                           (word.split("=") for word in measure))
    task.setdefault("gates", {})["seeds"] = [0]
    path = os.path.join(place.folder, f"{name}.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(task, f)
    return path


def sides(place, run):
    """The best and the next that has another binary."""
    rows = place.json("top", str(run), "-k", "20")
    other = next(row for row in rows if row["cubin"] != rows[0]["cubin"])
    return [f"{run}:{row['trial']}" for row in (rows[0], other)]


def measure(o, place, a, b):
    """{mode: (times of a by block, their clocks, device time of each in ms)}"""
    taken = {mode: ([], [], []) for mode in MODES}
    for block in range(o.blocks):
        rounds = o.trials * (block + 1) // o.blocks - o.trials * block // o.blocks
        for mode in MODES:
            found = place.compare(a, b, mode, max(rounds, 8))
            taken[mode][0].append(found["a"]["times_us"][:rounds])
            taken[mode][1].extend(found["a"]["sm_mhz"][:rounds])
            taken[mode][2].append(found["a"]["timing_ms"])
    return taken


def rows_of(name, taken):
    for mode in MODES:
        blocks, clocks, spent = *taken[mode][:2], statistics.median(taken[mode][2])
        times = [time for block in blocks for time in block]
        cycles = [time * mhz for time, mhz in zip(times, clocks)]
        met = "" if mode == "event" else \
            "yes" if study.spread(times) <= SPREAD_PERCENT and spent <= TIMING_MS else "no"
        yield (name, mode, len(times), f"{statistics.median(times):.3f} us",
               f"{study.spread(times):.2f} %", f"{study.deviation(times):.2f} %",
               f"{statistics.median(map(study.spread, blocks)):.2f} %",
               f"{study.spread(cycles):.2f} %" if cycles else "-",
               f"{min(clocks):.1f} .. {max(clocks):.1f}" if clocks else "-",
               f"{spent:.1f} ms", met)


def main():
    o = options()
    rows = []
    with study.Place(o.evo, nvrtc=o.nvrtc) as place:
        for name in o.shape or SHAPES:
            run = place.search(task_of(place, name, o.measure), o.budget, "--seed", "1")
            a, b = sides(place, run)
            rows.extend(rows_of(f"{name} ({','.join(str(d) for d in SHAPES[name][1].values())})",
                                measure(o, place, a, b)))
    print(f"### A/A: `bench/aa_test.py`, {o.trials} trials of one configuration in {o.blocks} blocks\n")
    study.table(("shape", "mode", "trials", "p50", "spread", "deviation", "of a block",
                 "in cycles", "MHz", "device time a trial", "target met"), rows)


main()
