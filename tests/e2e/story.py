"""A run that is killed again and again: what must hold of its database after each kill."""

import tap
from daemons import ENDED, Daemon


class Story:
    """A run that is killed again and again, and what clients were told of it."""

    def __init__(self, daemon=None, **params):
        self.daemon = daemon or Daemon()
        self.told = {}
        self.rows = {}
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
        """What was told or stored before is there, unchanged, and the database is sound."""
        tap.equal(self.daemon.query("PRAGMA integrity_check"), [("ok",)])
        tap.equal(self.daemon.query("PRAGMA foreign_key_check"), [])
        rows = self.daemon.query("SELECT no, outcome, p50_ns, ask, config, stored_at FROM trial "
                                 "WHERE run = ? ORDER BY no", self.run)
        tap.equal([row[0] for row in rows], list(range(1, len(rows) + 1)), "numbers of the rows")
        stored = {no: (outcome, us(p50 / 1000 if p50 else None)) for no, outcome, p50, *_ in rows}
        for no, what in self.told.items():
            tap.equal(stored.get(no), what, f"trial {no}, which a client was told of")
        for no, row in self.rows.items():
            tap.equal(rows[no - 1] if no <= len(rows) else None, row, f"row of trial {no}")
        self.rows = {row[0]: row for row in rows}
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


def finish(story, budget):
    tap.equal((story.end["state"], story.end["done"]), ("done", budget), str(story.end))
    counted = story.daemon.query("SELECT count(*), count(DISTINCT config), count(DISTINCT ask) "
                                 "FROM trial WHERE run = ?", story.run)[0]
    tap.equal(counted, (budget,) * 3, "rows, configurations, asks")
    asks = story.daemon.query("SELECT max(ask) FROM trial")[0][0]
    assert asks < budget + 8, f"ask {asks} for a budget of {budget}: proposals were dropped"
