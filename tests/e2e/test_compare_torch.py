#!/usr/bin/env python3
"""bench/compare_torch.py without PyTorch: what it makes of our side, on a task for the CPU."""

import contextlib
import io
import json
import os
import subprocess
import sys
import types

import tap

SCRIPT = os.path.join(tap.ROOT, "bench", "compare_torch.py")
sys.path.insert(0, os.path.dirname(SCRIPT))
import compare_torch  # noqa: E402

THEIRS = compare_torch.theirs  # the tests put others in its place
TASKS = os.path.join(tap.ROOT, "tests", "tasks")


def options(**changes):
    return types.SimpleNamespace(**{"evo": tap.EVO, "configs": TASKS, "nvrtc": None, "budget": 3,
                                    "seed": 1, "preset": None, "limit": 100, **changes})


def table(o, tasks=("host_tiny", "no_such_task")):
    """(rows, messages) for a shape that the task does not list, PyTorch taking 5 and 4 us."""
    times = iter(({"fast": 5.0, "other": None, "copy": 2.0}, {"fast": 4.0, "other": None}))
    compare_torch.theirs = lambda *_: next(times)
    compare_torch.GROUPS["group"] = None, tasks, []
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said), \
            compare_torch.Ours(o) as ours:
        compare_torch.row(None, ours, "group", {"N": 100})
    return [[cell.strip() for cell in line[1:-1].split("|")]
            for line in out.getvalue().splitlines()], said.getvalue()


def is_a_row(found):
    rows, _ = found
    tap.equal(len(rows), 1, "rows")
    tap.equal(rows[0][:3], ["group (100)", "fast 4.00, other -", "host_tiny"])
    us = float(rows[0][3])
    tap.equal(us > 0, True, f"our time {us}")
    tap.contains(rows[0][6], "2.00: ", "the copy, which is no rival")


def test_a_search_and_a_preset_each_give_a_row():
    with open(os.path.join(TASKS, "host_tiny.json"), encoding="utf-8") as f:
        preset = next(iter(json.load(f)["presets"]))
    is_a_row(table(options()))
    is_a_row(table(options(preset=preset)))


def test_a_task_for_other_shapes_is_passed_over():
    path = os.path.join(TASKS, "host_tiny.json")
    tap.equal(compare_torch.with_shape(path, {"R": 1, "C": 1}, tap.folder()), None)


def is_without_a_time(found, why):
    rows, said = found
    tap.equal([row[2:5] for row in rows], [["host_tiny", "-", "-"]], "rows")
    tap.contains(said, why, "messages")


def test_what_fails_leaves_a_dash_and_its_reason():
    is_without_a_time(table(options(preset="no_such_preset")), "no preset no_such_preset")
    is_without_a_time(table(options(limit=-1)), "the time of --limit is over")
    is_without_a_time(table(options(evo=os.path.join(tap.folder(), "nothing"))), "No such file")


def test_pytorch_alone_gives_a_row():
    rows, _ = table(options(), tasks=())
    tap.equal(rows, [["group (100)", "fast 4.00, other -", "", "-", "-", "", ""]])


def test_a_backend_that_refuses_does_not_stop_the_others():
    def refuse():
        raise RuntimeError("no kernel\nfor this shape")

    def time_of(_torch, call):
        call()
        return 3.0
    original, compare_torch.graph_us = compare_torch.graph_us, time_of
    torch = types.SimpleNamespace(cuda=types.SimpleNamespace(empty_cache=lambda: None))
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            found = THEIRS(torch, lambda *_: {"bad": refuse, "good": lambda: None}, {"N": 1})
            none = THEIRS(torch, lambda *_: 1 // 0, {"N": 1})
    finally:
        compare_torch.graph_us = original
    tap.equal((found, none), ({"bad": None, "good": 3.0}, {}))
    tap.contains(said.getvalue(), "bad: no kernel\n")


def test_an_unknown_group_is_refused():
    done = subprocess.run([sys.executable, SCRIPT, "--only", "sdpa,x"], text=True,
                          stderr=subprocess.PIPE)
    tap.equal(done.returncode, 2, "status")
    tap.contains(done.stderr, "no group x")


if __name__ == "__main__":
    tap.main(globals())
