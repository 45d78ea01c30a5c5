#!/usr/bin/env python3
"""How often verification finds the planted races of the attention kernel, and what that costs.

    bench/races.py [--repeat 10] [--deadline 240]

Each mutant of tests/mutants/sdpa that is a race is verified so many times, and so is what it was
planted in. `only beside a crowd` counts the rejections that only the launches beside our own kernel
gave (src/runtime/cuda_crowd.h), `only on slow inputs` those of the launches with their inputs in the
host's memory (cuda_remote.h): without those such a trial would have been accepted. A program of
before them shows the difference in cost, given as --evo.
"""
import collections
import os
import statistics
import sys
import tempfile
import time

import study

sys.path.insert(0, os.path.join(study.ROOT, "tests", "mutants"))
import mutants  # noqa: E402

RACES = ("last_tile_not_awaited", "no_barrier_after_scores", "slot_released_by_first",
         "tiles_overlap_in_time", "two_warps_a_row", "wait_off_by_one", "single_buffer",
         "divergent_barrier")


def options():
    p = study.parser(__doc__)
    p.add_argument("--repeat", type=int, default=10)
    p.add_argument("--deadline", type=float, default=240, help="seconds; what is left is not run")
    return p.parse_args()


def trial_of(place, mutant, task):
    words = ["bench", task, "--preset", mutant.preset, *place.nvrtc]
    for name, value in mutant.settings.items():
        words += ["--set", f"{name}={value}"]
    return place.json(*words, fine=(0, 1))


def task_of(folder, mutant, plant):
    kernels = mutants.copy_kernels(folder)
    if plant:
        mutant.plant(kernels)
    return mutants.copy_task(kernels, "sdpa_u8.json", mutants.HANG_S)


def row_of(o, place, name, mutant, plant, until):
    """One row, of as many repeats as there is time for."""
    found, detail, verify_ms = collections.Counter(), "", []
    with tempfile.TemporaryDirectory(prefix="evo-study-") as folder:
        task = task_of(folder, mutant, plant)
        for _ in range(o.repeat):
            if time.monotonic() > until:
                break
            trial = trial_of(place, mutant, task)
            found["runs"] += 1
            found["rejected"] += trial["outcome"] != "ok"
            found["crowd"] += "beside another kernel" in (trial["detail"] or "")
            found["remote"] += "inputs in host memory" in (trial["detail"] or "")
            detail = trial["detail"] or detail
            if trial["ms"]["verify"]:
                verify_ms.append(trial["ms"]["verify"])
    ms = f"{statistics.median(verify_ms):.2f}" if verify_ms else "-"
    return (name, found["runs"], found["rejected"], found["crowd"], found["remote"], ms,
            detail or "")


def main():
    o = options()
    until = time.monotonic() + o.deadline
    races = [m for m in mutants.corpus("sdpa") if m.name in RACES]
    rows = []
    with study.Place(o.evo, nvrtc=o.nvrtc) as place:
        for setting, mutant in {m.setting(): m for m in races}.items():
            rows.append(row_of(o, place, f"none ({setting})", mutant, False, until))
        for mutant in races:
            rows.append(row_of(o, place, mutant.name, mutant, True, until))
    print(f"### Races: `bench/races.py`, {o.repeat} trials each\n")
    study.table(("planted", "trials", "rejected", "only beside a crowd", "only on slow inputs",
                 "verifying, ms", "the last reason"), rows)


main()
