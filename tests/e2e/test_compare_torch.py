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

TASKS = os.path.join(tap.ROOT, "tests", "tasks")


def options(**changes):
    return types.SimpleNamespace(**{"evo": tap.EVO, "configs": TASKS, "nvrtc": None, "budget": 3,
                                    "seed": 1, "preset": None, **changes})


def table(o):
    """The row it prints for a shape that the task does not list, PyTorch taking 5 and 4 us."""
    times = iter(({"fast": 5.0, "other": None}, {"fast": 4.0, "other": None}))
    compare_torch.theirs = lambda *_: next(times)
    compare_torch.GROUPS["group"] = None, ["host_tiny", "no_such_task"], []
    out = io.StringIO()
    with compare_torch.Ours(o) as ours, contextlib.redirect_stdout(out), \
            contextlib.redirect_stderr(io.StringIO()):
        compare_torch.row(None, ours, o, "group", {"N": 100})
    return out.getvalue().splitlines()


def is_a_row(lines):
    tap.equal(len(lines), 1, "rows")
    cells = [cell.strip() for cell in lines[0].strip("|").split("|")]
    tap.equal(cells[:3], ["group (100)", "fast 4.00, other -", "host_tiny"])
    tap.equal(float(cells[3]) > 0, True, f"our time {cells[3]}")


def test_a_search_and_a_preset_each_give_a_row():
    with open(os.path.join(TASKS, "host_tiny.json"), encoding="utf-8") as f:
        preset = next(iter(json.load(f)["presets"]))
    is_a_row(table(options()))
    is_a_row(table(options(preset=preset)))


def test_a_task_for_other_shapes_is_passed_over():
    path = os.path.join(TASKS, "host_tiny.json")
    tap.equal(compare_torch.with_shape(path, {"R": 1, "C": 1}, tap.folder()), None)


def test_an_unknown_group_is_refused():
    done = subprocess.run([sys.executable, SCRIPT, "--only", "sdpa,x"], text=True,
                          stderr=subprocess.PIPE)
    tap.equal(done.returncode, 2, "status")
    tap.contains(done.stderr, "no group x")


if __name__ == "__main__":
    tap.main(globals())
