"""Whole runs from the command line, on the CPU: start, watch, top, show, resume, cancel."""

import json
import os
import pty
import re
import select
import signal
import sqlite3
import time

import cli
import tap

GOOD = ("--set", "FAIL=0")
TOP_KEYS = {"rank", "trial", "config", "p50_us", "ci_us", "speedup", "registers", "shared_bytes",
            "spill_bytes", "cubin", "origin", "score_us", "gates", "final", "roofline"}


def tuned(*more, budget=6):
    """A place with one finished run."""
    place = cli.Place()
    out, err = place.both("start", cli.TINY, "--budget", str(budget), "--seed", "7", *more)
    return place, out, err


def large(place):
    """The tiny task with a space that no test comes to the end of."""
    with open(cli.TINY) as f:
        task = json.load(f)
    task["kernel"]["source"] = os.path.join(tap.ROOT, "tests", "kernels", "host_tiny.c")
    for name in "ABCDEF":
        task["parameters"][name] = list(range(16))
    del task["presets"], task["baseline"]
    path = os.path.join(place.folder, "large.json")
    with open(path, "w") as f:
        json.dump(task, f)
    return path


def start_long(place):
    """A run that does not end by itself within the test."""
    return int(place.run("start", large(place), "--budget", "1000000", "--runtime", "noop",
                         "--detach", "--strategy", "random"))


def test_start_follows_the_run_and_prints_the_top_table():
    place, out, err = tuned(*GOOD)
    head = out.splitlines()[0].split()
    tap.equal(head[:3], ["rank", "trial", "p50"])
    tap.contains(out, "\n   1 ")
    tap.contains(err, "run 1  6/6  done")
    tap.contains(err, "export 1 --format header")
    tap.equal("\033" in out + err, False, "escape sequences")


def test_top_gives_the_promised_keys_and_works_without_the_daemon():
    place, _, _ = tuned(*GOOD)
    place.end_daemon()
    rows = place.json("top", "-k", "3")
    tap.equal(len(rows), 3)
    for rank, row in enumerate(rows, 1):
        tap.equal(set(row), TOP_KEYS, "keys")
        tap.equal(row["rank"], rank)
        tap.equal(set(row["config"]), {"CHUNK", "FAIL", "INERT"})
        tap.equal(re.fullmatch("[0-9a-f]{64}", row["cubin"]) is not None, True, "a hash")
    tap.equal(place.daemon_pid(), 0, "daemon started by top")


def test_top_says_which_parameter_never_changed_the_binary():
    place, _, _ = tuned(*GOOD, "--strategy", "exhaustive", budget=16)
    said = place.both("top")[1]
    tap.contains(said, "never changed the binary")
    tap.contains(said, "INERT")
    tap.equal("CHUNK" in said, False, "CHUNK called inert")


def test_top_says_which_soft_gates_a_configuration_misses_and_how_they_count():
    place, _, _ = tuned(*GOOD)
    place.end_daemon()
    first = place.json("top", "-k", "1")[0]
    tap.equal(first["gates"], [])
    tap.equal(first["score_us"], first["p50_us"])
    tap.equal("over" in place.both("top")[1], False, "a note on gates that nothing misses")
    # No compiler reports figures of C code, so the row is made as a GPU's would be.
    db = sqlite3.connect(place.db)
    for table in ("final_time", "finalist", "final"):
        db.execute(f"DELETE FROM {table}")  # ranks are by score
    db.execute("DROP TRIGGER trial_not_changed")
    db.execute("UPDATE trial SET score_ns = p50_ns * 1000, gates = ? WHERE no = ?",
               ('["registers 130 over 128","shared_bytes 70000 over 65536"]', first["trial"]))
    db.commit()
    db.close()
    rows = place.json("top")
    others = [row["p50_us"] for row in rows[:-1]]
    tap.equal(others, sorted(others), "p50 by rank")
    tap.equal(rows[-1]["trial"], first["trial"])
    tap.equal(rows[-1]["gates"], ["registers 130 over 128", "shared_bytes 70000 over 65536"])
    tap.equal(round(rows[-1]["score_us"] / rows[-1]["p50_us"]), 1000)
    out, err = place.both("top")
    tap.contains(out.splitlines()[0], "over")
    tap.contains(out, "registers, shared_bytes")
    tap.contains(err, "p50 times 1 + the penalty of each")


def test_runs_and_status_give_the_promised_keys():
    place, _, _ = tuned(*GOOD)
    runs = place.json("runs")
    tap.equal(len(runs), 1)
    for key in "run task state strategy budget done ok best_us speedup started".split():
        if key not in runs[0]:
            raise AssertionError(f"no {key} in {runs[0]}")
    tap.equal((runs[0]["state"], runs[0]["done"], runs[0]["budget"]), ("done", 6, 6))
    status = place.json("status")
    for key in "pid version uptime_s devices runs".split():
        if key not in status:
            raise AssertionError(f"no {key} in {status}")
    tap.equal(status["pid"], place.daemon_pid())
    tap.contains(place.run("status"), "no unfinished runs")
    tap.contains(place.run("runs"), "host_tiny")


def test_show_has_everything_about_a_run_and_a_trial():
    place, _, _ = tuned(*GOOD)
    place.end_daemon()
    run = place.json("show", "1")
    tap.equal((run["task"], run["seed"], run["done"]), ("host_tiny", "7", 6))
    tap.equal(run["outcomes"]["ok"], 6)
    tap.equal((run["strategy"], run["elite_k"]), ("full", 6))
    tap.equal(run["set"], {"FAIL": "0"})
    tap.equal(run["spent_ms"]["compile"] > 0, True, "time to compile")
    tap.equal(len(run["environment"]["devices"]), 1)
    trial = place.json("show", "1:2")
    tap.equal((trial["run"], trial["trial"]), (1, 2))
    tap.equal({c["passed"] for c in trial["checks"]}, {True})
    for name in ("configuration", "timings", "checks", "CHUNK"):
        tap.contains(place.run("show", "1:2"), name)
    for name in ("where the time went", "environment", "full, 6 elites, seed 7"):
        tap.contains(place.run("show", "1"), name)
    tap.contains(place.complaint("show", "1:99"), "99")
    tap.contains(place.complaint("show", "5"), "5")


def test_a_run_without_a_correct_configuration_ends_with_1_and_says_why():
    place = cli.Place()
    out, err = place.both("start", cli.TINY, "--budget", "4", "--set", "FAIL=2", status=1)
    tap.equal(out, "", "stdout")
    tap.contains(err, "no correct configuration")
    tap.contains(err, "4 wrong")
    tap.contains(err, "max_abs")
    tap.equal(place.json("top", status=1), [])
    tap.contains(place.complaint("export", status=1), "no correct configuration")


def test_sources_that_never_compile_end_with_1_and_the_compilers_words():
    place = cli.Place()
    err = place.complaint("start", cli.TINY, "--budget", "4", "--set", "FAIL=1", status=1)
    tap.contains(err, "asked for a compile error")
    tap.equal(place.json("runs")[0]["state"], "failed")


def test_a_space_in_which_nothing_compiles_fails_with_the_first_error():
    place = cli.Place()
    err = place.complaint("start", cli.TINY, "--budget", "50", "--set", "FAIL=1", status=1)
    tap.contains(err, "none of the first 4 configurations could be built")
    tap.contains(err, "asked for a compile error")
    run = place.json("runs")[0]
    tap.equal((run["state"], run["done"]), ("failed", 4))
    tap.contains(run["reason"], "asked for a compile error")


def test_detach_prints_the_number_and_watch_follows():
    place = cli.Place()
    tap.equal(place.run("start", cli.TINY, "--budget", "6", *GOOD, "--detach"), "1\n")
    out, err = place.both("watch", "1")
    tap.contains(out, "rank")
    tap.contains(err, "6/6  done")


def test_ctrl_c_leaves_the_run_to_the_daemon():
    place = cli.Place()
    child = place.popen("start", large(place), "--budget", "1000000", "--runtime", "noop")
    tap.until(lambda: place.daemon_pid() and place.json("runs") and
              place.json("runs")[0]["done"] > 0, "the first trial")
    # The terminal sends it to the whole foreground group: the daemon must not be in it.
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    tap.equal(child.returncode, 130, "exit status")
    for part in ("watch 1", "cancel 1", "resume 1"):
        tap.contains(err, part)
    tap.equal(place.json("runs")[0]["state"], "running")
    tap.contains(place.both("cancel")[1], "run 1: cancelled")
    tap.until(lambda: place.json("runs")[0]["state"] == "cancelled", "the state cancelled")


def test_pause_holds_and_resume_carries_on():
    place = cli.Place()
    start_long(place)
    tap.contains(place.both("pause")[1], "run 1")
    tap.until(lambda: place.json("runs")[0]["state"] == "paused", "the state paused")
    tap.equal(place.run("resume", "1", "--detach"), "1\n")
    tap.until(lambda: place.json("runs")[0]["state"] in ("running", "done"), "the state running")
    place.run("stop")
    tap.until(lambda: not place.daemon_pid(), "the end of the daemon")


def test_a_killed_daemon_ends_start_with_3_and_resume_reaches_the_budget():
    place = cli.Place()
    child = place.popen("start", cli.TINY, "--budget", "16", *GOOD, "--strategy", "exhaustive")
    tap.until(lambda: place.daemon_pid() and place.json("runs") and
              place.json("runs")[0]["done"] >= 2, "two trials")
    place.end_daemon()
    _, err = child.communicate(timeout=20)
    if child.returncode == 0:
        tap.skip("the run was over before the daemon could be killed")
    tap.equal(child.returncode, 3, "exit status")
    tap.contains(err, "`evo-tuned resume 1`")
    tap.equal(place.json("runs")[0]["state"], "interrupted")
    place.run("resume")
    run = place.json("runs")[0]
    tap.equal((run["state"], run["done"]), ("done", 16))


def test_resume_without_an_unfinished_run_needs_a_budget():
    place, _, _ = tuned(*GOOD)
    tap.contains(place.complaint("resume"), "no unfinished run")
    place.run("resume", "--budget", "8")
    tap.equal(place.json("runs")[0]["done"], 8)


def test_a_daemon_of_another_database_is_not_used_by_mistake():
    place, _, _ = tuned(*GOOD)
    other = os.path.join(place.folder, "other", "evo.db")
    for words in (("start", cli.TINY), ("status",), ("pause",)):
        said = place.complaint(*words, "--db", other, status=3)
        tap.contains(said, place.db)
        tap.contains(said, "--socket")


def read_terminal(fd, child):
    """All that the child writes to its terminal."""
    text, deadline = b"", time.monotonic() + 40
    while time.monotonic() < deadline:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                part = os.read(fd, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            text += part
        elif child.poll() is not None:
            break
    return text.decode()


def on_terminal(place, *words, stdout=False, **env):
    ours, theirs = pty.openpty()
    more = {"stdout": theirs} if stdout else {}
    child = place.popen(*words, stderr=theirs, stdin=theirs, **more,
                        env={**place.env, "TERM": "xterm", **env})
    os.close(theirs)
    text = read_terminal(ours, child)
    child.communicate(timeout=20)
    os.close(ours)
    tap.equal(child.returncode, 0, f"exit status; it said {text!r}")
    return text


def test_the_live_line_is_drawn_on_a_terminal():
    place = cli.Place()
    text = on_terminal(place, "start", cli.TINY, "--budget", "6", *GOOD)
    tap.contains(text, "\r\033[K")
    tap.contains(text, "run 1  6/6  done")


def test_the_best_line_is_green_on_a_terminal_unless_colour_is_not_wanted():
    place, out, _ = tuned(*GOOD)
    text = on_terminal(place, "top", stdout=True)
    tap.equal(text.count("\033[32m"), 1)
    best = re.search("\033\\[32m *1 (.*)\033\\[0m", text)
    tap.contains(out, best.group(1))
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        tap.equal("\033" in on_terminal(place, "top", stdout=True, **env), False, str(env))
    tap.contains(on_terminal(place, "top", stdout=True, NO_COLOR=""), "\033[32m")


def test_start_without_a_task_says_what_it_took_and_why():
    place = cli.Place()
    out, err = place.both("start", "--budget", "1", "--detach", "--runtime", "noop")
    tap.equal(out, "1\n")
    tap.contains(err, "no task named")
    tap.equal(place.json("runs")[0]["task"] in ("sgemm_host", "sdpa_u8"), True, "a shipped task")


def test_what_an_older_version_made_is_upgraded_by_start_and_by_resume():
    place, _, _ = tuned()
    for words in (("start", cli.TINY, "--budget", "3", *GOOD), ("resume", "1", "--budget", "8")):
        place.end_daemon()
        db = sqlite3.connect(place.db)
        for column in ("target_share", "found_share"):
            db.execute(f"ALTER TABLE run DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 1")
        db.commit()
        db.close()
        tap.contains(place.complaint("runs"), "made by an older evo-tuned")
        place.run(*words)
        place.run("runs")


if __name__ == "__main__":
    tap.main(globals())
