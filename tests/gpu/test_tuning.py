#!/usr/bin/env python3
"""On a real GPU: the whole program, from a search to an exported header, through kills and faults.

Needs only Python and a built program: $EVO_TUNED, or evo-tuned in the root of the source tree.
"""

import functools
import json
import os
import random
import sqlite3
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
if "EVO_TUNED" in os.environ:
    os.environ["EVO"] = os.environ["EVO_TUNED"]
import cli  # noqa: E402
import device_runs  # noqa: E402
import tap  # noqa: E402
from daemons import Daemon  # noqa: E402

SDPA = os.path.join(device_runs.CONFIGS, "sdpa_u8.json")
GOLDEN = os.path.join(ROOT, "tests", "tasks", "sdpa_golden.json")
BUDGET = 40
JOBS = min(16, os.cpu_count() or 1)


@functools.lru_cache(maxsize=None)
def findings():
    return device_runs.doctor(cli.Place().env)


def needs(*subjects):
    """Skips the test where doctor finds that one of these is missing."""
    def mark(test):
        @functools.wraps(test)
        def run():
            for subject in subjects:
                if findings()[subject]["state"] != "ok":
                    tap.skip(f"{subject}: {findings()[subject]['detail'].split(' (')[0]}")
            if "Stand-in" in findings()["GPU"]["detail"]:
                tap.skip("the stand-in for the driver is no GPU: mind LD_LIBRARY_PATH")
            test()
        return run
    return mark


@needs("GPU", "NVRTC")
def test_every_misbehaviour_of_a_kernel_ends_as_its_outcome():
    device_runs.every_misbehaviour_ends_as_its_outcome(cli.Place())


@tap.limit(300)
@needs("GPU", "NVRTC")
def test_attention_is_tuned_and_the_best_exported():
    place = cli.Place()
    place.both("start", SDPA, "--budget", str(BUDGET), "--seed", "1", seconds=280)
    run = place.json("runs")[0]
    tap.equal((run["state"], run["done"]), ("done", BUDGET), str(run))
    rows = place.json("top", "-k", "3")
    tap.equal(len(rows), 3, "configurations that are correct")
    final = place.json("show", "1")["final"]
    tap.equal(final["winner"], rows[0]["trial"], "winner of the final")
    tap.equal(run["best_us"], final["p50_us"], "best time")
    trial = place.json("show", f"1:{rows[0]['trial']}")
    tap.equal({c["passed"] for c in trial["checks"]}, {True}, "checks of the best")
    with open(SDPA, encoding="utf-8") as f:
        task = json.load(f)
    shapes = sum("check" in shape.get("use", ["check"]) for shape in task["shapes"].values())
    tap.equal(len({(c["shape"], c["seed"], c["reference"]) for c in trial["checks"]}),
              shapes * len(task["gates"]["seeds"]) * len(task["reference"]),
              "checks of all shapes, seeds and references")
    place.end_daemon()
    found = device_runs.header_of_the_best(place)
    warps = int(found["WARPS"]) + int(found["PRODUCERS"])
    tap.equal(int(found["EVO_BLOCK_X"]), 32 * warps, "threads of a block")


def after_a_while(rng):
    """A kill wherever that falls."""
    return lambda story: time.sleep(rng.random())


@tap.limit(300)
@needs("GPU", "NVRTC")
def test_a_daemon_killed_in_every_phase_loses_no_trial_and_doubles_none():
    if sqlite3.sqlite_version_info < (3, 37):
        tap.skip(f"the SQLite of this Python is too old to look in: {sqlite3.sqlite_version}")
    rng = random.Random(4)
    kills = [device_runs.at_once, device_runs.when_binaries(1), device_runs.when_binaries(3),
             device_runs.after_trials(1), device_runs.when_the_log_grows(2),
             device_runs.when_the_log_grows(5), device_runs.after_trials(2)]
    kills += [after_a_while(rng) for _ in range(5)]
    daemon = Daemon(jobs=JOBS)
    story = device_runs.killed_and_resumed(daemon, kills, 4 * BUDGET, task=SDPA, seed=5)
    device_runs.finished(story, 4 * BUDGET)
    found = device_runs.outcomes(daemon, story.run)
    tap.equal(found.get("ok", 0) > 0 and "lost" not in found, True, f"outcomes: {found}")


@needs("GPU", "NVRTC", "cc")
def test_the_reference_of_attention_agrees_with_the_cpu_in_double():
    for rows in ("8", "16", "32"):
        trial = device_runs.accepted(cli.Place(), GOLDEN, "--set", f"ROWS={rows}")
        tap.equal(len(trial["checks"]), 12, "checks of four shapes and three seeds")


def preset_is_accepted(path, preset):
    @needs("GPU", "NVRTC")
    def test():
        device_runs.accepted(cli.Place(), path, "--preset", preset)
    return test


def add_presets():
    """A test for every preset of the tasks that ship, but those that misbehave on purpose."""
    for name in sorted(os.listdir(device_runs.CONFIGS)):
        path = os.path.join(device_runs.CONFIGS, name)
        with open(path, encoding="utf-8") as f:
            task = json.load(f)
        if name == "selftest.json" or task.get("kernel", {}).get("language") != "cuda":
            continue
        for preset in task.get("presets", {}):
            globals()[f"test_{task['name']}_{preset}_is_right"] = preset_is_accepted(path, preset)


add_presets()


@needs("GPU", "NVRTC")
def test_all_devices_measure_side_by_side():
    place = cli.Place()
    task = device_runs.small_vector_add(place.folder)
    place.run("start", task, "--budget", "24", "--device", "all", "--seed", "2")
    devices = {d["ordinal"] for d in place.json("show", "1")["environment"]["devices"]}
    if len(devices) < 2:
        tap.skip("one GPU only")
    tap.equal({place.json("show", f"1:{no}")["device"] for no in range(1, 25)}, devices,
              "devices that measured")


if __name__ == "__main__":
    tap.main(globals())
