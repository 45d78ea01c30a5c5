"""A search that begins with the best of an earlier one: taken, measured afresh, stored, resumed."""

import json
import os
import sqlite3

import cli
import tap
from daemons import Daemon, RpcError
from story import Story, finish

SGEMM = os.path.join(tap.ROOT, "configs", "sgemm_host.json")
GOOD = ("--set", "FAIL=0", "--budget", "6", "--seed", "1")


def rows(place, run, op="warm"):
    return [json.loads(config) for config, in place.query(
        "SELECT config FROM trial WHERE run = ? AND op = ? ORDER BY ask", run, op)]


class Tuned(cli.Place):
    """A place with one finished run of all shapes."""

    def __init__(self):
        super().__init__()
        self.both("start", cli.TINY, *GOOD)

    def query(self, sql, *values):
        db = sqlite3.connect(self.db)
        found = db.execute(sql, values).fetchall()
        db.close()
        return found


def recording(place, values):
    """A Kernel Tuner cache; of each parameter the values, and the time of each combination."""
    names = list(values[0][0])
    cache = {}
    for config, time in values:
        cache[",".join(str(v) for v in config.values())] = {**config, "time": time,
                                                            "compile_time": 1, "benchmark_time": 1}
    body = {"device_name": "other", "kernel_name": "axpy", "problem_size": 1, "objective": "time",
            "tune_params_keys": names,
            "tune_params": {n: sorted({c[n] for c, _ in values}, key=str) for n in names},
            "cache": cache}
    path = os.path.join(place.folder, "recording.json")
    with open(path, "w") as f:
        json.dump(body, f)
    return path


def test_the_history_of_the_task_is_taken_and_measured_afresh():
    place = Tuned()
    best = place.json("top", "1", "-k", "1")[0]["config"]
    said = place.both("start", cli.TINY, *GOOD, "--shape", "main")[1]
    tap.contains(said, "best of run 1 (host_tiny)")
    taken = rows(place, 2)
    tap.equal(best in taken or best in rows(place, 2, "seed"), True, f"{best} among {taken}")
    tap.equal(place.query("SELECT count(*) FROM trial WHERE run = 2 AND origin = 'stored'"), [(0,)])
    tap.contains(place.run("show", "2"), "configurations of run 1 (host_tiny)")
    tap.contains(place.run("show", "2"), "6 of its trials")
    past = place.json("show", "2")["warm"]["past"]
    tap.equal([json.dumps(trial["config"], separators=(",", ":")) for trial in past],
              [config for config, in place.query("SELECT config FROM trial WHERE run = 1 "
                                                 "ORDER BY no")], "what guides it")
    report = place.json("show", "2")["warm"]
    tap.equal((report["from"], report["mended"], report["dropped"]), ("run 1 (host_tiny)", 0, 0))


def test_fresh_and_results_that_can_be_reused_take_nothing():
    place = Tuned()
    for run, more in ((2, ("--shape", "main", "--fresh")), (3, ("--budget", "1"))):
        said = place.both("start", cli.TINY, *GOOD, *more)[1]
        tap.equal("the best of" in said, False, f"a warm start: {said}")
        tap.equal(rows(place, run), [])


def test_a_run_that_is_named_is_taken_and_its_results_are_not_reused():
    place = Tuned()
    place.both("start", cli.TINY, *GOOD, "--from", "1", "--warm", "3")
    taken = rows(place, 2)
    tap.equal(0 < len(taken) <= 3, True, f"{len(taken)} taken")
    tap.equal(place.query("SELECT count(*) FROM trial WHERE run = 2 AND op = 'warm' AND "
                          "origin = 'stored'"), [(0,)])


def test_a_recording_is_mapped_to_the_space():
    place = Tuned()
    path = recording(place, [({"CHUNK": 100, "FAIL": 0, "INERT": "up"}, 1.0),
                             ({"CHUNK": 2, "FAIL": 0, "INERT": "right"}, 2.0)])
    said = place.both("start", cli.TINY, *GOOD, "--from", path)[1]
    tap.contains(said, "2 taken, 1 of them mended")
    tap.equal(rows(place, 2)[:2], [{"CHUNK": 8, "FAIL": 0, "INERT": "left"},
                                   {"CHUNK": 2, "FAIL": 0, "INERT": "right"}])


def test_what_cannot_be_taken_is_said():
    place = Tuned()
    tap.contains(place.complaint("start", cli.TINY, *GOOD, "--from", "99"), "no run 99")
    tap.contains(place.complaint("start", cli.TINY, *GOOD, "--from", "nowhere.json"), "nowhere.json")
    alien = recording(place, [({"X": 1, "Y": 2}, 1.0), ({"X": 2, "Y": 2}, 1.0)])
    tap.contains(place.complaint("start", cli.TINY, *GOOD, "--from", alien), "no correct configuration that fits")
    tap.equal(len(place.json("runs")), 1, "runs")


def sgemm(tile, vec):
    return {"TILE_M": tile, "TILE_N": 128, "TILE_K": 128, "VEC": vec, "ROWS": 2, "COLS": 1,
            "UNROLL": 4, "PACK": 1, "ORDER": 1}


def test_a_killed_warm_run_goes_on_with_what_it_took():
    configs = [sgemm(16, 4), sgemm(64, 8), sgemm(128, 16)]
    past = [{"config": dict(sgemm(tile, vec), ROWS=8, COLS=4), "score": vec / 3 if vec > 4 else None}
            for tile in (16, 64, 128) for vec in (4, 8, 16)]
    story = Story(task=SGEMM, runtime="noop", budget=300, seed=3,
                  warm={"from": "elsewhere", "configs": configs, "past": past})
    for kill in range(6):
        story.begin()
        if story.follow(1 if kill < 3 else 20):
            break
        story.kill_and_restart()
        if story.ended():
            break
    if not story.ended():
        story.begin()
        story.follow(-1)
    story.check()
    finish(story, 300)
    found = story.daemon.query("SELECT config FROM trial WHERE op = 'warm' ORDER BY ask")
    tap.equal([json.loads(config) for config, in found], configs)
    tap.equal("would not have proposed" in story.daemon.said(), False, story.daemon.said())


def test_the_daemon_refuses_configurations_of_another_space():
    daemon = Daemon()
    call = daemon.client().call
    for warm, part in (({"configs": [{"VEC": 4}]}, "is missing"),
                       ({"configs": [sgemm(17, 4)]}, "not one of"),
                       ({"configs": 7}, "configs"), ({"konfigs": []}, "did you mean"), (7, "warm"),
                       ({"configs": [], "past": [{"config": sgemm(16, 4), "score": 0}]}, "score"),
                       ({"configs": [], "past": [{"config": sgemm(16, 4)}]}, "score"),
                       ({"configs": [], "past": [{"config": {}, "score": 1}]}, "missing"),
                       ({"configs": [], "past": 129 * [{}]}, "at most 128 trials"),
                       ({"configs": [dict(sgemm(16, 4), ROWS=8, COLS=4)]}, "constraint")):
        try:
            found = call("search.start", task=SGEMM, runtime="noop", budget=5, warm=warm)
        except RpcError as error:
            tap.contains(error.message, part)
        else:
            raise AssertionError(f"{warm} was accepted: {found}")
    tap.equal(call("runs.list"), {"runs": []})


if __name__ == "__main__":
    tap.main(globals())
