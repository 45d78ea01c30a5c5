"""What a run ends with: its elites measured again in rounds, and the baseline along the way."""

import json
import os

import cli
import tap
from daemons import Daemon

GOOD = ("--set", "FAIL=0")

# Right for the inputs that it was searched with, which it writes down, and wrong for all others.
KNOWS_ITS_INPUTS = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* True while no more than the problem's own inputs were seen. */
static int is_known(float first)
{
	char seen[64][32], line[32];
	int n = 0;
	FILE *f = fopen(SEEN, "a+");

	snprintf(line, sizeof line, "%a\\n", first);
	rewind(f);
	while (n < 64 && fgets(seen[n], sizeof seen[n], f))
		if (strcmp(seen[n++], line) == 0) {
			fclose(f);
			return 1;
		}
	if (n < KNOWN)
		fputs(line, f);
	fclose(f);
	return n < KNOWN;
}

/* As long as LOOPS says, so that it is known who is fastest. */
static void work(void)
{
	for (volatile int i = SALT; i < LOOPS + SALT; i++)
		;
}

void scale(const float *x, float *y, int n)
{
	float factor = 2;

	work();
#ifdef SLOW
	for (int i = 0; i < 7 && access(SLOW, F_OK) == 0; i++)
		work();
#endif
	if (CHEAT && !is_known(x[0]))
		factor = 3;
	for (int i = 0; i < n; i++)
		y[i] = factor * x[i];
}

void scale_reference(const float *x, float *y, int n)
{
	for (int i = 0; i < n; i++)
		y[i] = 2 * x[i];
}
"""


def task(folder, cheat, loops, seeds=(1, 2), slow=None, salt=1):
    """The path of a task on the kernel above; its first configuration is the baseline."""
    with open(os.path.join(folder, "scale.c"), "w") as f:
        f.write(KNOWS_ITS_INPUTS)
    defines = {"SEEN": '"%s"' % os.path.join(folder, "seen"), "KNOWN": len(seeds)}
    if slow:
        defines["SLOW"] = '"%s"' % slow
    made = {
        "name": "scale",
        "kernel": {"language": "c", "source": "scale.c", "entry": "scale", "flags": ["-O1"],
                   "arguments": ["x", "y", {"type": "i32", "value": "N"}], "defines": defines,
                   "measure_timeout_s": 20},
        "parameters": {"CHEAT": cheat, "LOOPS": loops, "SALT": list(range(salt))},
        "shapes": {"only": {"dims": {"N": 64}}}, "gates": {"seeds": list(seeds)},
        "buffers": {"x": {"type": "f32", "size": "N",
                          "fill": {"kind": "uniform", "low": -1, "high": 1}},
                    "y": {"type": "f32", "size": "N", "role": "out"}},
        "reference": {"entry": "scale_reference", "gates": {"max_abs": 1e-6},
                      "defines": {**defines, "CHEAT": 0, "LOOPS": 1, "SALT": 0},
                      "arguments": ["x", "y", {"type": "i32", "value": "N"}]},
        "measure": {"samples_min": 5, "samples_max": 5, "sample_us": 20, "noise": 0.5},
    }
    path = os.path.join(folder, "scale.json")
    with open(path, "w") as f:
        json.dump(made, f)
    return path


def tuned(*words, budget=6):
    place = cli.Place()
    out, err = place.both("start", cli.TINY, "--budget", str(budget), "--seed", "7", *words)
    return place, out, err


def test_a_run_ends_with_a_final_that_everything_tells_of():
    place, out, _ = tuned(*GOOD)
    place.end_daemon()
    final = place.json("show", "1")["final"]
    winner = final["winner"]
    tap.contains(out, f"final: trial {winner} wins")
    top = place.json("top")
    tap.equal((top[0]["trial"], top[0]["final"]["winner"]), (winner, True), "first of top")
    tap.equal(place.json("runs")[0]["best_us"], final["p50_us"])
    tap.equal(place.json("show", "1")["best"], winner)
    tap.equal([x["trial"] for x in final["finalists"] if x["tied"]], [winner] + final["tied"])
    tap.equal(final["speedup_ci"][0] <= final["speedup"] <= final["speedup_ci"][1], True)
    tap.contains(place.run("export"), f"1:{winner}")
    tap.contains(place.run("show", "1"), f"final: trial {winner} wins")
    tap.contains(place.run("top").splitlines()[1], "winner")


def test_every_finalist_is_measured_once_a_round_and_no_trial_changes():
    place, _, _ = tuned(*GOOD)
    place.end_daemon()
    report = place.json("show", "1")
    final, n = report["final"], len(report["final"]["finalists"])
    db = Daemon(db=place.db)
    times = db.query("SELECT round, trial, count(*) FROM final_time GROUP BY round, trial")
    tap.equal({count for *_, count in times}, {1}, "timed shapes of each")
    tap.equal(len(times) <= final["rounds"] * n, True, "measurements")
    tap.equal(sum(trial == final["winner"] for _, trial, _ in times), final["rounds"], "of the winner")
    tap.equal(len({x["trial"] for x in final["finalists"]}), n)
    tap.equal(db.query("SELECT max(no), count(*) FROM trial"), [(6, 6)])
    tap.equal(db.query("SELECT count(DISTINCT seed) FROM verification"), [(3,)],
              "seeds of the trials' checks")


def test_what_is_wrong_on_fresh_inputs_is_out_and_never_crowned_or_exported():
    place = cli.Place()
    path = task(place.folder, cheat=[0, 1], loops=[20000, 1000])
    # Without its cheat it loops longer: 0/20000, 0/1000 are right; 1/1000 is no faster than 0/1000.
    out, _ = place.both("start", path, "--budget", "4", "--strategy", "exhaustive")
    report = place.json("show", "1")
    tap.equal(report["outcomes"]["ok"], 4, "trials that passed the search's checks")
    finalists = {x["trial"]: x for x in report["final"]["finalists"]}
    for trial, x in finalists.items():
        cheats = place.json("show", f"1:{trial}")["config"]["CHEAT"] == 1
        tap.equal((x["outcome"], x["winner"] and cheats), ("wrong" if cheats else "ok", False),
                  f"finalist {trial}")
        if cheats:
            tap.contains(x["detail"], "max_abs")
            tap.contains(out, f"out of the final: trial {trial}: wrong")
    tap.equal({row["config"]["CHEAT"] for row in place.json("top")}, {0}, "CHEAT in top")
    tap.contains(place.run("export", "1"), "#define CHEAT 0")


def test_without_a_correct_finalist_there_is_no_winner():
    place = cli.Place()
    path = task(place.folder, cheat=[1], loops=[1000, 5000])
    out, err = place.both("start", path, "--budget", "2", "--strategy", "exhaustive", status=1)
    tap.contains(err, "no winner")
    final = place.json("show", "1")["final"]
    tap.equal((final["winner"], final["tied"], final["speedup"]), (None, [], None))
    tap.contains(place.complaint("export", "1", status=1), "no winner")
    place.run("export", "1", "--trial", "1")
    tap.equal(place.json("runs")[0]["state"], "done")


def begin(daemon, path, **more):
    client = daemon.client()
    client.call("events.subscribe")
    run = client.call("search.start", task=path, **more)["run"]
    return client, run


def until_final(client, run):
    """Follows events until the run is in its final."""
    while True:
        event = client.event()
        if event["kind"] == "run" and event["body"].get("phase") == "final":
            return
        state = event["body"].get("state", "running")
        tap.equal(state in ("queued", "running"), True, f"{state} before the final")


def slow_task(folder):
    """Its finalists take tenths of seconds, so that a final can be met in the middle."""
    return task(folder, cheat=[0], loops=[10 * 1000 * 1000, 9 * 1000 * 1000])


def test_a_final_that_was_killed_is_made_when_the_run_is_resumed():
    daemon = Daemon()
    client, run = begin(daemon, slow_task(daemon.folder), budget=2)
    for _ in range(2):
        until_final(client, run)
        shown = {r["run"]: r["phase"] for r in client.call("daemon.status")["runs"]}
        tap.equal(shown, {run: "final"}, "phase in status")
        before = daemon.query("SELECT * FROM trial")
        daemon.kill()
        tap.until(lambda: not daemon.workers(), "the workers to be gone")
        tap.equal(daemon.query("SELECT count(*) FROM final"), [(0,)])
        daemon.start()
        client = daemon.client()
        client.call("events.subscribe")
        client.call("search.resume", run=run)
    client.until_state(run, ("done",))
    tap.equal(daemon.query("SELECT * FROM trial"), before, "trials")
    tap.equal(daemon.query("SELECT count(*), sum(winner IS NOT NULL) FROM final"), [(1, 1)])


def test_a_cancelled_run_has_no_final_and_a_paused_one_gets_it_later():
    daemon = Daemon()
    client, run = begin(daemon, slow_task(daemon.folder), budget=2)
    until_final(client, run)
    client.call("search.pause", run=run)
    client.until_state(run, ("paused",))
    client.call("search.resume", run=run)
    client.until_state(run, ("done",))
    tap.equal(daemon.query("SELECT run FROM final"), [(run,)])
    client, run = begin(daemon, slow_task(daemon.folder), budget=2, fresh=True)
    until_final(client, run)
    client.call("search.cancel", run=run)
    client.until_state(run, ("cancelled",))
    tap.equal(daemon.query("SELECT count(*) FROM final WHERE run = ?", run), [(0,)])


def test_a_run_that_goes_on_gets_a_new_final_and_the_old_one_counts_no_more():
    place, _, _ = tuned(*GOOD)
    place.run("resume", "1", "--budget", "8")
    place.end_daemon()
    db = Daemon(db=place.db)
    finals = db.query("SELECT trials, seed FROM final ORDER BY id")
    tap.equal([trials for trials, _ in finals], [6, 8])
    tap.equal(len({seed for _, seed in finals}), 2, "seeds of the inputs")
    tap.equal(place.json("show", "1")["final"]["trials"], 8)


def test_a_final_of_many_equal_times_is_quick_and_has_all_tied():
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "5", "--runtime", "noop", *GOOD)
    final = place.json("show", "1")["final"]
    tap.equal((final["rounds"], final["settled"]), (8, True))
    tap.equal(final["finalists"][0]["ci_us"], [final["p50_us"]] * 2)


def test_final_repeats_what_a_run_ended_with_and_stores_nothing():
    place, _, _ = tuned(*GOOD)
    place.end_daemon()
    found = place.json("final", "1", "--repeat", "3")
    tap.equal((found["run"], len(found["repeats"])), (1, 3))
    stored = place.json("show", "1")["final"]
    entrants = sorted(x["trial"] for x in stored["finalists"])
    for repeat in found["repeats"]:
        tap.equal(sorted(x["trial"] for x in repeat["finalists"]), entrants, "finalists")
        tap.equal({x["outcome"] for x in repeat["finalists"]}, {"ok"}, "outcomes")
    tap.equal(len({r["seed"] for r in found["repeats"]} | {stored["seed"]}), 4, "seeds")
    agreement = found["agreement"]
    tap.equal((agreement["repeats"], 1 <= agreement["same"] <= agreement["same_or_tied"] <= 3),
              (3, True), str(agreement))
    tap.equal(place.json("show", "1")["final"], stored, "the stored final")
    tap.equal(place.daemon_pid(), 0, "daemon started by final")
    tap.contains(place.run("final"), "final: trial")


def test_final_says_when_there_is_nothing_to_measure():
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "1", "--set", "FAIL=2", "--set", "CHUNK=1", status=1)
    tap.contains(place.complaint("final", "1", status=1), "no correct configuration")
    tap.contains(place.complaint("final", "9"), "no run 9")


def test_the_baseline_is_measured_along_the_run_and_its_drift_is_told():
    daemon = Daemon()
    flag = os.path.join(daemon.folder, "slow")
    path = task(daemon.folder, cheat=[0], loops=[400000], slow=flag, seeds=range(1, 17), salt=400)
    client, run = begin(daemon, path, budget=400, strategy="random")
    while True:
        event = client.event()
        if event["kind"] == "trial" and event["body"]["no"] >= 5 and not os.path.exists(flag):
            open(flag, "w").close()
        if daemon.query("SELECT count(*) FROM drift WHERE trials > 5")[0][0] >= 2:
            break
    client.call("search.cancel", run=run)
    client.until_state(run, ("cancelled",))
    asks = daemon.query("SELECT count(*), max(no), max(asked_before) FROM trial")[0]
    tap.equal((asks[0] == asks[1], asks[2] >= asks[0]), (True, True), "rows, none for the baseline")
    place = cli.Place()
    place.db = place.env["EVO_TUNED_DB"] = daemon.db
    drift = place.json("show", str(run))["drift"]
    tap.equal(drift["beyond_noise"], True)
    assert drift["largest_percent"] > 20, f"slowed to eight times, drift {drift}"
    tap.contains(place.run("show", str(run)), "MORE than the noise")


if __name__ == "__main__":
    tap.main(globals())
