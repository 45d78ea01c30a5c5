#!/usr/bin/env python3
"""On a real GPU: presets and random legal configurations are all correct, on every shape and seed.

    test_configs.py [--trials 200] [--seed 1] [--too-big 2] [--duplicates 5] [TASK...]

Searches each task (configs/sdpa_u8.json where none is named) at random, its presets first, and
prints TAP with the counts in comments: outcomes, binaries that two configurations share, the time
verifying took, and the row of a Markdown table. A space that holds fewer is searched to its end.
What a configuration asks of the device is for the task's constraints to limit, so a trial may end
as too_big or rejected in as many per cent as --too-big says; what fails to compile, is wrong,
faults or hangs is a mistake of the kernel or of the task.

The configurations are then compiled once more with the shared memory that the task's formula
predicts as EXPECT_SHARED_BYTES, which kernels with a formula hold against their own layout; beside
it, which is all dynamic, PTXAS must have found none.
"""

import argparse
import collections
import json
import os
import sqlite3
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("e2e", "kernels")]
import cli  # noqa: E402
import compile_all  # noqa: E402
import device_runs  # noqa: E402
import tap  # noqa: E402

RESOURCES = {"too_big", "rejected"}
LIMIT_S = 580
TABLE = ("task", "configurations", "presets", "right", "refused by the compiler", "too big",
         "another's binary", "shared memory as predicted", "checks of each",
         "verifying one, median", "all of it")


def options():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tasks", nargs="*", metavar="TASK",
                   default=[os.path.join(device_runs.CONFIGS, "sdpa_u8.json")])
    p.add_argument("--trials", type=int, default=200)
    p.add_argument("--seed", default="1")
    p.add_argument("--too-big", type=float, default=2, metavar="PERCENT",
                   help="what may be too big or rejected for its resources")
    p.add_argument("--duplicates", type=float, default=5, metavar="PERCENT",
                   help="what may have the binary of another configuration")
    return p.parse_args()


def needs_device(place):
    for subject in ("GPU", "NVRTC"):
        finding = device_runs.doctor(place.env)[subject]
        if finding["state"] != "ok":
            tap.skip(f"{subject}: {finding['detail'].split(' (')[0]}")
        if subject == "GPU" and "Stand-in" in finding["detail"]:
            tap.skip("the stand-in for the driver is no GPU: mind LD_LIBRARY_PATH")


def search(place, path, budget, seed):
    """Its trials as dictionaries."""
    place.both("start", os.path.abspath(path), "--strategy", "random", "--budget", str(budget),
               "--seed", seed, seconds=LIMIT_S - 20)
    place.end_daemon()
    db = sqlite3.connect(place.db)
    db.row_factory = sqlite3.Row
    rows = [dict(row, config=json.loads(row["config"])) for row in db.execute(
        "SELECT no, config, outcome, detail, origin, artifact, compile_ms, verify_ms, time_ms,"
        " (SELECT count(*) FROM verification v WHERE v.trial = t.id) AS checks,"
        " (SELECT shared_bytes FROM ptxas p WHERE p.trial = t.id) AS static_bytes"
        " FROM trial t ORDER BY no")]
    db.close()
    return rows


def as_predicted(path, task, rows):
    """(how many have the shared memory that the task says, [what is wrong with others]). Tasks
    without a formula have nothing to predict: (0, [])."""
    if "shared_bytes" not in task["kernel"]:
        return 0, []
    pairs = compile_all.with_shared(task, [row["config"] for row in rows])
    tap.equal(len(pairs), len(rows), "configurations that are legal by another's count, too")
    wrong = [f"{json.dumps(config)}: {log[:300]}" for config, log in
             compile_all.Pool(path, pairs).run(os.cpu_count())]
    wrong += [f"{json.dumps(row['config'])}: {row['static_bytes']} bytes static" for row in rows
              if row["static_bytes"]]
    return len(pairs) - len(wrong), wrong


def note(text):
    print(f"# {text}", flush=True)


def table_row(cells):
    note("| " + " | ".join(map(str, cells)) + " |")


class Counts:
    """What the trials of one task came to."""

    def __init__(self, task, rows):
        self.rows = rows
        self.outcomes = collections.Counter(row["outcome"] for row in rows)
        binaries = collections.Counter(row["artifact"] for row in rows if row["artifact"])
        self.duplicates = sum(n - 1 for n in binaries.values())
        self.too_big = sum(self.outcomes[name] for name in RESOURCES)
        ended = {json.dumps(row["config"], sort_keys=True): row["outcome"] for row in rows}
        self.presets = {name: ended.get(json.dumps(config, sort_keys=True))
                        for name, config in task["presets"].items()}

    def percent(self, n):
        return 100 * n / len(self.rows)

    def tell(self, task, predicted, seconds):
        ok = [row for row in self.rows if row["outcome"] == "ok"]
        verify = [row["verify_ms"] for row in ok if row["verify_ms"]]
        note(f"{task['name']}: " + ", ".join(f"{n} {name}" for name, n in
                                             self.outcomes.most_common()))
        table_row([task["name"], len(self.rows), len(self.presets), len(ok),
                   self.outcomes["compile_error"], self.too_big, self.duplicates, predicted,
                   max((row["checks"] for row in ok), default=0),
                   f"{statistics.median(verify):.1f} ms" if verify else "-", f"{seconds:.0f} s"])
        for row in self.rows:
            if row["outcome"] != "ok":
                note(f"{row['outcome']}: {json.dumps(row['config'])}: {row['detail']}")


def is_correct(path, o):
    @tap.limit(LIMIT_S)
    def test():
        place = cli.Place()
        needs_device(place)
        with open(path, encoding="utf-8") as f:
            task = json.load(f)
        begin = time.monotonic()
        valid = place.json("check", os.path.abspath(path))["space"]["valid"]
        wanted = min(valid, o.trials + len(task["presets"]))
        rows = search(place, path, wanted, o.seed)
        counts = Counts(task, rows)
        predicted, others = as_predicted(path, task, rows)
        counts.tell(task, predicted or "-", time.monotonic() - begin)
        faults = {name: n for name, n in counts.outcomes.items() if name not in RESOURCES | {"ok"}}
        tap.equal(faults, {}, "outcomes of legal configurations but ok and resources")
        tap.equal(set(counts.presets.values()), {"ok"}, f"outcomes of presets: {counts.presets}")
        tap.equal(len(rows), wanted, "configurations")
        tap.equal(others, [], "refused for their shared memory")
        tap.equal(counts.percent(counts.too_big) <= o.too_big, True,
                  f"{counts.too_big} too big or rejected, at most {o.too_big} %")
        tap.equal(counts.percent(counts.duplicates) <= o.duplicates, True,
                  f"{counts.duplicates} of {len(rows)} binaries are another's, at most "
                  f"{o.duplicates} %")
    return test


def main():
    o = options()
    sys.argv = sys.argv[:1]  # tap would take the operands for names of tests
    table_row(TABLE)
    table_row(["---"] * len(TABLE))
    tap.main({f"test_{o.trials}_random_configurations_of_"
              f"{os.path.basename(task).removesuffix('.json')}_are_correct": is_correct(task, o)
              for task in o.tasks})


if __name__ == "__main__":
    main()
