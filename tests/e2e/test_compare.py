"""compare A B and doctor --noise, on the CPU. Nothing depends on how fast this machine is: only a
tenfold difference of work is relied upon."""

import contextlib
import json
import os
import sqlite3

import cli
import tap

KEYS = {"a", "b", "ratio", "ratio_ci", "coverage", "percent", "verdict", "threshold_percent",
        "rounds", "stored", "mode", "l2", "seed"}
SIDE_KEYS = {"name", "task", "run", "trial", "config", "p50_us", "times_us", "sm_mhz",
             "timing_ms"}
# A noisy neighbour may widen the interval; it does not make equals differ by a third.
WIDE = ("--threshold", "33", "--precision", "5", "--rounds", "40")


def tiny(place, change=lambda task: None):
    """A copy of the tiny task, changed."""
    with open(cli.TINY) as f:
        task = json.load(f)
    task["kernel"]["source"] = os.path.join(tap.ROOT, "tests", "kernels", "host_tiny.c")
    change(task)
    path = os.path.join(place.folder, "tiny.json")
    with open(path, "w") as f:
        json.dump(task, f)
    return path


SLOW = """
void axpy(const float *x, float *y, int n, float a)
{
	volatile float sink = 0;
	for (int i = 0; i < n; i++) {
		for (int k = 1; k < REPEAT; k++)
			sink = sink + x[i];
		y[i] = a * x[i] + (WRONG && n > 100 ? 0 : y[i]);
	}
}

void axpy_reference(const float *x, float *y, int n, float a)
{
	for (int i = 0; i < n; i++)
		y[i] = a * x[i] + y[i];
}
"""


def slow(place):
    """A task whose REPEAT multiplies the work, with presets once, tenfold and wrong."""
    with open(os.path.join(place.folder, "slow.c"), "w") as f:
        f.write(SLOW)

    def change(task):
        task["kernel"]["source"] = os.path.join(place.folder, "slow.c")
        task["parameters"] = {"REPEAT": [2, 20], "WRONG": [0, 1]}
        del task["constraints"]
        task["presets"] = {"once": {"REPEAT": 2, "WRONG": 0}, "tenfold": {"REPEAT": 20, "WRONG": 0},
                           "wrong": {"REPEAT": 2, "WRONG": 1}}
        task["baseline"] = "once"
        task["reference"]["defines"] = {"REPEAT": 1, "WRONG": 0}
    return tiny(place, change)


def test_ten_times_the_work_is_slower_and_the_other_way_round_faster():
    place = cli.Place()
    task = slow(place)
    found = place.json("compare", "tenfold", "once", "--task", task, status=1)
    tap.equal(set(found), KEYS, "keys")
    tap.equal(set(found["a"]), SIDE_KEYS, "keys of a side")
    tap.equal(found["verdict"], "SLOWER")
    tap.equal(found["a"]["config"], {"REPEAT": 20, "WRONG": 0})
    tap.equal(found["ratio"] > 2, True, f"ratio {found['ratio']} above 2")
    tap.equal(found["ratio_ci"][0] <= found["ratio"] <= found["ratio_ci"][1], True, "interval")
    tap.equal(abs(found["percent"] - 100 * (found["ratio"] - 1)) < 1e-9, True, "percentage")
    tap.equal((found["mode"], found["stored"]), ("cpu", False))
    tap.equal(found["rounds"] >= 8, True, f"rounds {found['rounds']}")
    found = place.json("compare", "once", "tenfold", "--task", task)
    tap.equal(found["verdict"], "FASTER")
    tap.equal(found["ratio"] < 0.5, True, f"ratio {found['ratio']} below 0.5")


def test_a_configuration_is_the_same_as_itself():
    place = cli.Place()
    out = place.run("compare", "plain", "plain", "--task", cli.TINY, *WIDE)
    tap.contains(out, "verdict         SAME")
    tap.contains(out, "interleaved rounds, mode cpu, L2 warm")
    tap.contains(out, "percentage      A takes ")


def test_every_round_of_a_comparison_is_told():
    place = cli.Place()
    found = place.json("compare", "plain", "plain", "--task", cli.TINY, "--rounds", "9",
                       "--precision", "0", "--threshold", "100", "--mode", "cpu")
    tap.equal(found["rounds"], 9, "rounds without a precision to reach")
    for side in (found["a"], found["b"]):
        times = sorted(side["times_us"])
        tap.equal(len(times), 9, "times")
        tap.equal(abs(times[4] - side["p50_us"]) <= 1e-9 * times[4], True, f"median of {side}")
        tap.equal(side["timing_ms"] > 0, True, f"timing {side['timing_ms']} ms above 0")


def test_runs_trials_and_presets_are_compared():
    place = cli.Place()
    place.run("start", slow(place), "--budget", "2", "--set", "WRONG=0", "--strategy", "exhaustive")
    rows = place.json("top")
    best, worst = rows[0]["trial"], rows[1]["trial"]
    tap.equal(rows[0]["config"]["REPEAT"], 2, "the fastest")
    place.end_daemon()
    found = place.json("compare", "1", f"1:{worst}")
    tap.equal(found["a"]["name"], f"1:{best}", "the run's best")
    tap.equal((found["a"]["run"], found["a"]["trial"]), (1, best))
    tap.equal(found["verdict"], "FASTER")
    found = place.json("compare", f"1:{worst}", "once", status=1)
    tap.equal((found["b"]["run"], found["b"]["config"]["REPEAT"]), (None, 2), "preset of the run")
    tap.equal(found["verdict"], "SLOWER")
    tap.equal(place.daemon_pid(), 0, "daemon started by compare")


def test_stored_figures_are_compared_without_measuring():
    place = cli.Place()
    place.run("start", slow(place), "--budget", "2", "--set", "WRONG=0", "--strategy", "exhaustive")
    os.remove(os.path.join(place.folder, "slow.c"))
    rows = place.json("top")
    fast, slow_one = (f"1:{row['trial']}" for row in rows)
    out, err = place.both("compare", fast, slow_one, "--stored", "--json")
    tap.contains(err, "not interleaved")
    found = json.loads(out)
    tap.equal((found["rounds"], found["stored"], found["verdict"]), (0, True, "FASTER"))
    tap.equal(found["seed"], None)
    want = rows[0]["p50_us"] / rows[1]["p50_us"]
    tap.equal(abs(found["ratio"] - want) < 1e-9, True, f"ratio {found['ratio']}, want {want}")
    low = rows[0]["ci_us"][0] / rows[1]["ci_us"][1]
    tap.equal(abs(found["ratio_ci"][0] - low) < 1e-9, True, f"{found['ratio_ci']}, want {low}")
    tap.contains(place.run("compare", slow_one, fast, "--stored", status=1), "from the database")
    tap.contains(place.complaint("compare", fast, "once", "--stored"), "once is a preset")


def test_what_was_measured_in_another_way_is_not_compared():
    place = cli.Place()
    place.run("start", tiny(place), "--budget", "1", "--set", "FAIL=0")
    other = tiny(place, lambda task: task["measure"].update(warmup=1))
    place.run("start", other, "--budget", "1", "--set", "FAIL=0")
    tap.contains(place.complaint("compare", "1", "2"), "not of one problem")
    place.end_daemon()
    with contextlib.closing(sqlite3.connect(place.db)) as db, db:
        db.execute("UPDATE timing SET l2 = 'cold' WHERE trial = 2")
    tap.contains(place.complaint("compare", "1", "2", "--stored"), "L2 warm and cold")
    tap.contains(place.complaint("compare", "2", "1", "--stored"), "L2 cold and warm")


def test_what_is_not_correct_or_does_not_build_is_not_compared():
    place = cli.Place()
    said = place.complaint("compare", "once", "wrong", "--task", slow(place), status=1)
    tap.contains(said, "wrong: wrong: ")
    said = place.complaint("compare", "broken", "plain", "--task", cli.TINY, status=1)
    tap.contains(said, "broken: compile_error: ")
    place.run("start", slow(place), "--budget", "1", "--set", "WRONG=1", status=1)
    tap.contains(place.complaint("compare", "1", "1", status=1), "no correct configuration")
    tap.contains(place.complaint("compare", "1:1", "1:1", status=1), "1:1 ended as wrong")


def test_bad_usage_of_compare_says_what_to_do():
    place = cli.Place()
    for words, part in (
            (("compare",), "expected A B"),
            (("compare", "1"), "expected A B"),
            (("compare", "1", "2", "3"), 'unexpected operand "3"'),
            (("compare", "plain", "broken"), "a preset with --task TASK"),
            (("compare", "1", "2"), "evo.db"),
            (("compare", "1:x", "2"), "expected RUN or RUN:TRIAL"),
            (("compare", "plain", "plane", "--task", cli.TINY), "no preset plane"),
            (("compare", "plain", "plain", "--task", "./none.json"), "none.json"),
            (("compare", "a", "b", "--task", cli.TINY, "--rounds", "7"), "from 8 to 4096"),
            (("compare", "a", "b", "--task", cli.TINY, "--threshold", "-1"), "--threshold"),
            (("compare", "plain", "plain", "--task", cli.TINY, "--mode", "event"),
             "--mode: plain is timed in mode cpu, not in mode event"),
            (("compare", "plain", "plain", "--task", cli.TINY, "--mode", "gpu"), "--mode"),
            (("compare", "1", "2", "--stored", "--mode", "graph"), "--stored"),
            (("doctor", "--task", cli.TINY), "belong to --noise"),
            (("doctor", "--noise", "--count", "1"), "from 2 to 4096"),
            (("doctor", "--noise", "--task", cli.TINY, "--preset", "plane"), "no preset plane")):
        tap.contains(place.complaint(*words), part, f"stderr of {words}")


def test_nothing_is_left_behind():
    place = cli.Place()
    place.run("compare", "plain", "plain", "--task", cli.TINY, *WIDE)
    place.complaint("compare", "plain", "broken", "--task", cli.TINY, status=1)
    place.run("doctor", "--noise", "--task", cli.TINY, "--count", "2")
    tap.equal(os.listdir(place.folder), [], "files")


def test_the_noise_report_is_of_as_many_measurements_as_asked_for():
    place = cli.Place()
    found = place.json("doctor", "--noise", "--task", cli.TINY, "--count", "6")
    tap.equal((found["task"], found["count"], found["l2"]), ("host_tiny", 6, "warm"))
    tap.equal(found["config"], {"CHUNK": 1, "FAIL": 0, "INERT": "left"})
    mode, = found["modes"]
    times = sorted(mode["p50_us"])
    tap.equal(len(times), 6, "measurements")
    tap.equal(mode["mode"], "cpu")
    median = (times[2] + times[3]) / 2
    spread = 100 * (times[-1] - times[0]) / median
    tap.equal(abs(mode["median_us"] - median) <= 1e-9 * median, True,
              f"median {mode['median_us']}, want {median}")
    tap.equal(abs(mode["spread_percent"] - spread) < 1e-6, True,
              f"spread {mode['spread_percent']}, want {spread}")
    tap.equal(abs(mode["told_apart_percent"] - 2.771808 * mode["deviation_percent"])
              <= 1e-5 * mode["told_apart_percent"], True, f"{mode}")
    text = place.run("doctor", "--noise", "--task", cli.TINY, "--count", "2")
    tap.contains(text, "trials  2 of each mode")
    tap.contains(text, "differ at 95 %")
    tap.contains(place.complaint("doctor", "--noise", "--task", cli.TINY, "--preset", "broken",
                                 status=1), "compile_error")


if __name__ == "__main__":
    tap.main(globals())
