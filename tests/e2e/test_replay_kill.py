"""A replay that is killed and resumed evaluates what one that was not killed evaluates, in that order.

    test_replay_kill.py [--points N] [NAME...]

N kills for each way of replaying, 5 unless said. Where a kill falls follows from the seed, but for
how far the replay comes before it dies: whatever is in the log then is where it goes on.
"""

import gzip
import json
import os
import random
import subprocess
import sys
import time

import cli
import tap

BUDGET = 200
WAYS = {"one at a time": (), "workers": ("--jobs", "16"), "another strategy": ("--strategy", "genetic")}
POINTS = 5


def recording(folder, kernel="made_up"):
    """A space of 4096 configurations with times that have a slope and some failures."""
    values = [1, 2, 4, 8, 16, 32, 64, 128]
    names = ["A", "B", "C", "D"]
    cache = {}
    for i in range(len(values) ** len(names)):
        at = [(i >> (3 * p)) & 7 for p in range(len(names))]
        record = {name: values[x] for name, x in zip(names, at)}
        record.update(time=1 + sum((x - 2 - p) ** 2 for p, x in enumerate(at)) + (at[0] ^ at[1]) / 8,
                      compile_time=100 + i % 17, verification_time=1, benchmark_time=5 + i % 5)
        if at[2] + at[3] > 12:
            record.update(time="RuntimeFailedConfig")
        cache[",".join(str(record[n]) for n in names)] = record
    path = os.path.join(folder, kernel + ".json.gz")
    with gzip.open(path, "wt", compresslevel=1) as f:
        json.dump({"device_name": "none", "kernel_name": kernel, "problem_size": 1,
                   "tune_params_keys": names, "tune_params": {n: values for n in names},
                   "objective": "time", "cache": cache}, f)
    return path


def positions(path):
    with open(path) as f:
        return f.read().split("\n")[:-1]


def size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def killed_at(place, words, log, bytes_):
    """Starts it and kills it once its log has so many bytes. False: it had ended before."""
    child = place.popen(*words, stdout=subprocess.DEVNULL)
    while child.poll() is None and size(log) < bytes_:
        time.sleep(0.0005)
    child.kill()
    child.communicate()
    return child.returncode == -9


def replays_go_on_the_same(how):
    place = cli.Place()
    words = ("replay", recording(place.folder), "--budget", str(BUDGET), "--seed", "11", *WAYS[how])
    whole, log = (os.path.join(place.folder, name) for name in ("whole.log", "killed.log"))
    said = place.run(*words, "--log", whole, "--json")
    expected = positions(whole)
    tap.equal(len(expected), BUDGET, "evaluations of the replay that was not killed")
    rng = random.Random(how)
    kills, points = 0, set()
    for _ in range(20 * POINTS):
        if kills == POINTS:
            break
        if size(log) >= size(whole):
            os.remove(log)
        at = rng.randrange(size(log), size(whole))
        if killed_at(place, (*words, "--log", log, "--resume"), log, at):
            kills += 1
            points.add(len(positions(log)))
        tap.equal(positions(log), expected[:len(positions(log))], f"log after kill {kills} at {at} bytes")
        if kills % 5 == 0 or size(log) == size(whole):
            tap.equal(place.run(*words, "--log", log, "--resume", "--json"), said, "what it prints")
            tap.equal(positions(log), expected, f"log after {kills} kills, then resumed to its end")
    if POINTS > 5:
        print(f"# {how}: {kills} kills after {len(points)} different numbers of evaluations")


def test_one_trial_at_a_time():
    replays_go_on_the_same("one at a time")


def test_with_workers_and_many_trials_on_their_way():
    replays_go_on_the_same("workers")


def test_with_another_strategy():
    replays_go_on_the_same("another strategy")


def test_a_last_line_that_was_cut_short_does_not_count():
    place = cli.Place()
    words = ("replay", recording(place.folder), "--budget", "20")
    whole, torn = (os.path.join(place.folder, name) for name in ("whole.log", "torn.log"))
    place.run(*words, "--log", whole)
    with open(whole) as f:
        text = f.read()
    for cut in range(0, len(text), 7):
        with open(torn, "w") as f:
            f.write(text[:cut])
        place.run(*words, "--log", torn, "--resume")
        tap.equal(positions(torn), positions(whole), f"resumed from {cut} bytes")


def test_the_log_of_another_search_is_refused_and_kept():
    place = cli.Place()
    words = ("replay", recording(place.folder), "--budget", "20")
    log = os.path.join(place.folder, "log")
    place.run(*words, "--log", log)
    before = positions(log)
    tap.contains(place.complaint(*words, "--seed", "2", "--log", log, "--resume"),
                 "the log is of another")
    tap.equal(positions(log), before)
    with open(log, "a") as f:
        f.write("fast\n")
    tap.contains(place.complaint(*words, "--log", log, "--resume"), "log:21: expected a position")
    tap.contains(place.complaint(*words, "--resume"), "--log FILE")
    place.run(*words, "--log", log)
    tap.equal(positions(log), before, "begun anew without --resume")


if __name__ == "__main__":
    if "--points" in sys.argv:
        i = sys.argv.index("--points")
        POINTS = int(sys.argv[i + 1])
        del sys.argv[i:i + 2]
    tap.main(globals())
