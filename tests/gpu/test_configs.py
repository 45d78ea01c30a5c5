#!/usr/bin/env python3
"""On a real GPU: random legal configurations of a task are all correct, on every shape and seed.

    test_configs.py [--trials 200] [--seed 1] [--too-big 2] [--duplicates 5] [TASK...]

Searches each task (configs/sdpa_u8.json where none is named) at random and prints TAP, with the
counts in comments: outcomes, binaries that two configurations share, and the time verifying took.
What a configuration asks of the device is for the task's constraints to limit, so a trial may end
as too_big or rejected in as many per cent as --too-big says; what fails to compile, is wrong,
faults or hangs is a mistake of the kernel or of the task.
"""

import argparse
import collections
import os
import sqlite3
import statistics
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import cli  # noqa: E402
import device_runs  # noqa: E402
import tap  # noqa: E402

RESOURCES = {"too_big", "rejected"}
LIMIT_S = 580


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


def search(place, task, o):
    """Its trials as dictionaries."""
    place.both("start", os.path.abspath(task), "--strategy", "random", "--budget", str(o.trials),
               "--seed", o.seed, seconds=LIMIT_S - 20)
    place.end_daemon()
    db = sqlite3.connect(place.db)
    db.row_factory = sqlite3.Row
    rows = [dict(row) for row in db.execute(
        "SELECT no, config, outcome, detail, origin, artifact, compile_ms, verify_ms, time_ms,"
        " (SELECT count(*) FROM verification v WHERE v.trial = t.id) AS checks"
        " FROM trial t ORDER BY no")]
    db.close()
    return rows


def note(text):
    print(f"# {text}", flush=True)


def tell(rows, outcomes, duplicates):
    verify = [row["verify_ms"] for row in rows if row["outcome"] == "ok" and row["verify_ms"]]
    note(f"outcomes of {len(rows)} configurations: "
         + ", ".join(f"{n} {name}" for name, n in outcomes.most_common()))
    note(f"share that does not compile or fit: "
         f"{100 * (1 - outcomes['ok'] / len(rows)):.1f} %; with another's binary: "
         f"{100 * duplicates / len(rows):.1f} %")
    if verify:
        note(f"checks of each: {max(row['checks'] for row in rows)}; verifying one takes "
             f"{statistics.median(verify):.1f} ms (median), {max(verify):.1f} ms at most")
    for row in rows:
        if row["outcome"] != "ok":
            note(f"{row['outcome']}: {row['config']}: {row['detail']}")


def is_correct(task, o):
    @tap.limit(LIMIT_S)
    def test():
        place = cli.Place()
        needs_device(place)
        rows = search(place, task, o)
        outcomes = collections.Counter(row["outcome"] for row in rows)
        binaries = collections.Counter(row["artifact"] for row in rows if row["artifact"])
        duplicates = sum(n - 1 for n in binaries.values())
        tell(rows, outcomes, duplicates)
        faults = {name: n for name, n in outcomes.items() if name not in RESOURCES | {"ok"}}
        tap.equal(faults, {}, "outcomes of legal configurations but ok and resources")
        tap.equal(len(rows), o.trials, "configurations")
        resources = 100 * sum(outcomes[name] for name in RESOURCES) / len(rows)
        tap.equal(resources <= o.too_big, True,
                  f"{resources:.1f} % too big or rejected, at most {o.too_big} %")
        tap.equal(100 * duplicates / len(rows) <= o.duplicates, True,
                  f"{duplicates} of {len(rows)} binaries are another's, at most {o.duplicates} %")
    return test


def main():
    o = options()
    sys.argv = sys.argv[:1]  # tap would take the operands for names of tests
    tap.main({f"test_{o.trials}_random_configurations_of_"
              f"{os.path.basename(task).removesuffix('.json')}_are_correct": is_correct(task, o)
              for task in o.tasks})


if __name__ == "__main__":
    main()
