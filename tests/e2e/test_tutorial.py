#!/usr/bin/env python3
"""The commands of README.md's tutorial, one after the other, on the stand-in for a GPU."""

import os
import re
import shlex

import device_runs
import tap
import test_cuda


def commands():
    """Each as a list of words, without the program."""
    with open(os.path.join(tap.ROOT, "README.md"), encoding="utf-8") as f:
        section = re.search(r"^## A tutorial\n(.*?)^## ", f.read(), re.M | re.S).group(1)
    return [shlex.split(line, comments=True)[1:] for line in section.splitlines()
            if line.startswith("    evo-tuned ")]


def small_transpose(folder):
    """The task on matrices that a CPU transposes in no time."""
    def change(task):
        for name, rows, columns in (("odd", 103, 37), ("even", 66, 102), ("large", 512, 256)):
            task["shapes"][name]["dims"] = {"R": rows, "C": columns}
        task["measure"].update(samples_min=5, samples_max=10, sample_us=100)
    return device_runs.copy_task("transpose.json", folder, change)


@tap.limit(300)  # on a loaded machine
@test_cuda.needs_all
def test_the_commands_of_the_tutorial_work():
    place = test_cuda.place()
    task = small_transpose(place.folder)
    wanted = commands()
    tap.equal({words[0] for words in wanted},
              {"check", "bench", "start", "top", "insights", "compare", "export"}, "commands")
    for words in wanted:
        place.both(*[task if word == "transpose" else word for word in words], seconds=200)
    with open(os.path.join(place.folder, "transpose_best.h"), encoding="utf-8") as f:
        tap.contains(f.read(), "#define EVO_GRID_X_LARGE ", "the header")


if __name__ == "__main__":
    tap.main(globals())
