"""SIGKILL at many points: no finished trial is missing or doubled, and the run reaches its budget."""

import os
import random
import time

import tap
from daemons import ENDED, Daemon, Gone
from story import Story, finish

SGEMM = os.path.join(tap.ROOT, "configs", "sgemm_host.json")
FAULTY = os.path.join(tap.ROOT, "tests", "tasks", "faulty.json")


def tell_story(story, kills, rng, most):
    """Some kills come after a number of trials, some after a while, wherever that may be."""
    for _ in range(kills):
        story.begin()
        if rng.random() < 0.5:
            if story.follow(rng.randrange(most)):
                break
        else:
            time.sleep(rng.random() * 0.15)  # where the kill falls is left to chance
        story.kill_and_restart()
        if story.ended():
            break
    if not story.ended():
        story.begin()
        story.follow(-1)
    story.check()


@tap.limit(120)
def test_killed_in_the_middle_of_fast_trials():
    story = Story(task=SGEMM, runtime="noop", budget=1200, strategy="full", seed=3)
    tell_story(story, 30, random.Random(1), 30)
    finish(story, 1200)
    # Carried on, all of it is repeated: what was proposed between two kills as well as after the last.
    story.client.call("search.resume", run=story.run, budget=1210)
    tap.equal(story.client.until_state(story.run, ENDED)["done"], 1210, "trials when carried on")
    assert "would not have proposed" not in story.daemon.said(), story.daemon.said()


@tap.limit(120)
def test_killed_while_real_kernels_are_compiled_and_crash():
    story = Story(task=FAULTY, budget=60, strategy="random", seed=4,
                  set={"MODE": "0,1,2,3,7"})
    tell_story(story, 12, random.Random(2), 6)
    finish(story, 60)


def test_killed_before_anything_was_measured():
    story = Story(task=FAULTY, budget=4, strategy="random", set={"MODE": "0"})
    for _ in range(6):
        story.begin()
        story.kill_and_restart()
    story.begin()
    story.follow(-1)
    story.check()
    finish(story, 4)


def test_a_queued_run_begins_when_the_daemon_is_back():
    daemon = Daemon()
    client = daemon.client()
    first = client.call("search.start", task=SGEMM, runtime="noop", budget=1000000)["run"]
    second = client.call("search.start", task=SGEMM, runtime="noop", budget=5)["run"]
    daemon.kill()
    daemon.start()
    client = daemon.client()

    def states():
        return {r["run"]: r["state"] for r in client.call("runs.list")["runs"]}
    tap.until(lambda: states() == {first: "interrupted", second: "done"}, "the queued run to end")


def test_the_daemon_goes_away_in_the_middle_of_an_answer():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe", **{"from": 1})
    client.call("search.start", task=SGEMM, runtime="noop", budget=100000)
    for _ in range(50):
        client.event()
    daemon.kill()
    try:
        while True:
            client.event()
    except Gone:
        pass


if __name__ == "__main__":
    tap.main(globals())
