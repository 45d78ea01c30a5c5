"""The rules that end a run early, and the settings of a strategy: given, stored, kept by resume."""

import os

import cli
import tap
from daemons import ENDED, Daemon, RpcError

SGEMM = os.path.join(tap.ROOT, "configs", "sgemm_host.json")
ENDLESS = 1000000000


def served():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    return daemon, client


def start(client, **more):
    return client.call("search.start", **{"task": SGEMM, "budget": ENDLESS, "runtime": "noop",
                                          "strategy": "random", "fresh": True, **more})["run"]


def refused(call, *args, **more):
    try:
        found = call(*args, **more)
    except RpcError as error:
        return error.message
    raise AssertionError(f"expected an error, found {found}")


def test_a_run_ends_after_trials_without_gain_and_goes_on_with_a_larger_number():
    daemon, client = served()
    run = start(client, stop_after_no_gain=40)
    end = client.until_state(run, ENDED)
    tap.equal(end["state"], "done")
    tap.contains(end["reason"], "no gain in ")
    best, trials = daemon.query("SELECT (SELECT no FROM trial WHERE run = 1 AND outcome = 'ok' "
                                "ORDER BY score_ns, no LIMIT 1), count(*) FROM trial")[0]
    tap.equal(trials - best >= 40, True, f"40 trials after the best, of {trials} best {best}")
    tap.contains(refused(client.call, "search.resume", run=run), "would end again at once: no gain")
    client.call("search.resume", run=run, stop_after_no_gain=300)
    end = client.until_state(run, ENDED)
    tap.contains(end["reason"], "no gain in 3")
    listed = client.call("runs.list")["runs"][0]
    tap.equal((listed["stop_after_no_gain"], listed["target_us"]), (300, None))


def test_a_run_ends_at_its_target_and_resume_can_lift_it():
    daemon, client = served()
    first = start(client, budget=200, seed=5)
    best = client.until_state(first, ENDED)["best_us"]
    run = start(client, seed=5, target_us=best)
    end = client.until_state(run, ENDED)
    tap.equal((end["state"], end["best_us"] <= best), ("done", True))
    tap.contains(end["reason"], "target of")
    tap.contains(refused(client.call, "search.resume", run=run), "would end again at once: target")
    client.call("search.resume", run=run, target_us=0, budget=end["done"] + 25)
    end = client.until_state(run, ENDED)
    tap.contains(end["reason"], "budget of")
    tap.equal(daemon.query(f"SELECT target_ns FROM run WHERE id = {run}"), [(None,)])


def test_rules_of_a_run_that_is_going_on_can_be_changed():
    _, client = served()
    run = start(client)
    client.until_state(run, ("running",))
    client.call("search.resume", run=run, stop_after_no_gain=1)
    tap.contains(client.until_state(run, ENDED)["reason"], "no gain in ")


def test_settings_are_checked_stored_and_kept():
    daemon, client = served()
    bad = {"strategy": "full", "settings": {"pol": 3}}
    tap.contains(refused(start, client, **bad), "did you mean pool")
    bad = {"strategy": "full", "settings": {"pool": "many"}}
    tap.contains(refused(start, client, **bad), "settings.pool")
    run = start(client, strategy="full", settings={"pool": 64}, budget=10)
    client.until_state(run, ENDED)
    stored = client.call("runs.list")["runs"][0]["settings"]
    tap.equal((stored["pool"], len(stored) > 3), (64, True))
    client.call("search.resume", run=run, budget=20)
    client.until_state(run, ENDED)
    tap.equal(client.call("runs.list")["runs"][0]["settings"], stored)
    tap.equal(daemon.query("SELECT count(*) FROM trial"), [(20,)])


def test_the_command_line_takes_rules_and_settings_and_shows_them():
    place = cli.Place()
    # Without ties and one after the other: no trial in flight at the end is a gain after all.
    out, err = place.both("start", cli.TINY, "--set", "FAIL=0", "--stop-after-no-gain", "3",
                          "--runtime", "noop", "--jobs", "1", "--seed", "1",
                          "--setting", "design=4", "--target", "1e-6", "--budget", "100")
    tap.contains(err, "no gain in ")
    shown = place.run("show", "1")
    for part in ("3 trials without gain", '"design":4', "1e-06 us"):
        tap.contains(shown, part)
    report = place.json("show", "1")
    tap.equal((report["stop_after_no_gain"], report["settings"]["design"]), (3, 4))
    tap.contains(place.complaint("resume", "1"), "--stop-after-no-gain")
    place.run("resume", "1", "--stop-after-no-gain", "0")
    tap.contains(place.json("show", "1")["reason"], "exhausted")
    tap.contains(place.complaint("start", cli.TINY, "--setting", "pool=0"), "from 1 to 100000")
    tap.contains(place.run("start", "--help"), "immigrants=")


if __name__ == "__main__":
    tap.main(globals())
