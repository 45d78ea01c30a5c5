"""SIGKILL at many points: no finished trial is missing or doubled, and the run reaches its budget."""

import os
import random
import time

import tap
from daemons import ENDED, Daemon, Gone

SGEMM = os.path.join(tap.ROOT, "configs", "sgemm_host.json")
FAULTY = os.path.join(tap.ROOT, "tests", "tasks", "faulty.json")


class Story:
    """A run that is killed again and again, and what clients were told of it."""

    def __init__(self, **params):
        self.daemon = Daemon()
        self.told = {}
        self.params = params
        self.run = None

    def follow(self, limit):
        """Takes in events until `limit` trials were told, or the run ended; True: it ended."""
        while limit != 0:
            event = self.client.event()
            body = event["body"]
            if event["kind"] == "trial":
                tap.equal(body["no"] in self.told and self.told[body["no"]] != key(body), False,
                          f"trial {body['no']} told twice, differently")
                self.told[body["no"]] = key(body)
                limit -= 1
            elif event["kind"] == "run" and body["state"] in ENDED:
                self.end = body
                return True
        return False

    def ended(self):
        """It may have come to its end without a client that looked on."""
        rows = self.daemon.query("SELECT state, budget FROM run WHERE state NOT IN "
                                 "('queued', 'running')")
        if rows:
            self.end = {"state": rows[0][0], "done": rows[0][1]}
        return bool(rows)

    def begin(self):
        self.client = self.daemon.client()
        self.client.call("events.subscribe")
        if self.run is None:
            self.run = self.client.call("search.start", **self.params)["run"]
        else:
            self.client.call("search.resume", run=self.run)

    def check(self):
        tap.equal(self.daemon.query("PRAGMA integrity_check"), [("ok",)])
        tap.equal(self.daemon.query("PRAGMA foreign_key_check"), [])
        rows = self.daemon.query("SELECT no, outcome, p50_ns FROM trial WHERE run = ? ORDER BY no",
                                 self.run)
        tap.equal([row[0] for row in rows], list(range(1, len(rows) + 1)), "numbers of the rows")
        stored = {no: (outcome, us(p50 / 1000 if p50 else None)) for no, outcome, p50 in rows}
        for no, what in self.told.items():
            tap.equal(stored.get(no), what, f"trial {no}, which a client was told of")
        for table in ("ptxas", "timing", "verification"):
            tap.equal(self.daemon.query(f"SELECT count(*) FROM {table} WHERE trial NOT IN "
                                        "(SELECT id FROM trial)"), [(0,)], f"orphans in {table}")

    def kill_and_restart(self):
        pid = self.daemon.process.pid
        self.daemon.kill()
        self.client.close()
        tap.until(lambda: not self.daemon.workers(), f"the workers of {pid} to be gone")
        self.check()
        self.daemon.start()


def key(body):
    return body["outcome"], us(body["p50_us"])


def us(figure):
    """JSON carries 15 digits or so of a double."""
    return f"{figure:.9g}" if figure else None


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


def finish(story, budget):
    tap.equal((story.end["state"], story.end["done"]), ("done", budget), str(story.end))
    counted = story.daemon.query("SELECT count(*), count(DISTINCT config), count(DISTINCT ask) "
                                 "FROM trial WHERE run = ?", story.run)[0]
    tap.equal(counted, (budget,) * 3, "rows, configurations, asks")
    asks = story.daemon.query("SELECT max(ask) FROM trial")[0][0]
    assert asks < budget + 8, f"ask {asks} for a budget of {budget}: proposals were dropped"


@tap.limit(120)
def test_killed_in_the_middle_of_fast_trials():
    story = Story(task=SGEMM, runtime="noop", budget=1200, strategy="full", seed=3)
    tell_story(story, 30, random.Random(1), 30)
    finish(story, 1200)
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
