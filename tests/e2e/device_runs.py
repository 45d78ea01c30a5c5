"""Whole runs of the cuda runtime that hold on any device: a GPU, or the stand-in for its driver."""

import json
import os
import re
import subprocess

import tap
from story import Story, finish

CONFIGS = os.path.join(tap.ROOT, "configs")
OUTCOMES = {"fine": "ok", "wrong": "wrong", "fault": "fault", "hang": "hang",
            "nocompile": "compile_error", "too_much_shared": "too_big", "big_launch": "too_big",
            "unwritten": "wrong", "clobber": "wrong", "nondeterministic": "nondeterministic"}


def doctor(env):
    """{subject: finding} of evo-tuned doctor."""
    said = subprocess.run([tap.EVO, "doctor", "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=env).stdout
    return {finding["subject"]: finding for finding in json.loads(said)["findings"]}


def copy_task(name, folder, change):
    """The path of a copy of a task of configs/ after change(task), on the same sources."""
    with open(os.path.join(CONFIGS, name)) as f:
        task = json.load(f)
    reference = task["reference"]
    for part in [task["kernel"], *(reference if isinstance(reference, list) else [reference])]:
        if "source" in part:
            part["source"] = os.path.normpath(os.path.join(CONFIGS, part["source"]))
    change(task)
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        json.dump(task, f)
    return path


def small_vector_add(folder):
    """vector_add whose trials take milliseconds, also where a CPU does the work."""
    def change(task):
        task["shapes"]["ragged"]["dims"]["N"] = 1003
        task["shapes"]["large"]["dims"]["N"] = 65536
        task["measure"].update(samples_min=5, samples_max=10, sample_us=100)
        task["kernel"]["measure_timeout_s"] = 3
    return copy_task("vector_add.json", folder, change)


def outcomes(daemon, run):
    """{outcome: number} of a run's trials."""
    return dict(daemon.query("SELECT outcome, count(*) FROM trial WHERE run = ? GROUP BY outcome",
                             run))


def every_misbehaviour_ends_as_its_outcome(place):
    """The baseline and each MODE once; the daemon lives on."""
    place.run("start", os.path.join(CONFIGS, "selftest.json"), "--set", "BLOCK=128",
              "--strategy", "exhaustive", "--budget", str(len(OUTCOMES)))
    pid = place.daemon_pid()
    run = place.json("runs")[0]
    tap.equal((run["state"], run["done"], run["ok"]), ("done", len(OUTCOMES), 1), "the run")
    trials = [place.json("show", f"1:{no + 1}") for no in range(len(OUTCOMES))]
    found = {t["config"]["MODE"]: t["outcome"] for t in trials}
    tap.equal(found, OUTCOMES, "outcomes by MODE")
    details = {t["config"]["MODE"]: t["detail"] for t in trials}
    for mode, part in (("fault", "CUDA_ERROR_ILLEGAL_ADDRESS"), ("hang", "3 s"),
                       ("nocompile", "this is not a program"), ("wrong", "max_abs"),
                       ("clobber", "input"), ("unwritten", "not written")):
        tap.contains(details[mode] or "", part, f"detail of {mode}")
    tap.equal(place.json("top", "-k", "1")[0]["config"]["MODE"], "fine")
    tap.equal(place.json("status")["pid"], pid, "the daemon that answers")


def accepted(place, task, *words):
    """A configuration that `bench` must find correct; the trial that it made of it."""
    trial = place.json("bench", task, *words)
    tap.equal((trial["outcome"], {c["passed"] for c in trial["checks"]}), ("ok", {True}),
              f"outcome and checks of {' '.join(words)}")
    tap.equal(trial["p50_us"] > 0, True, f"a time ({trial['p50_us']} us)")
    return trial


def header_of_the_best(place, run=1):
    """Exports the best as a header, which its reader would take; returns {NAME: VALUE}."""
    best = place.json("top", str(run), "-k", "1")[0]
    path = os.path.join(place.folder, "best.h")
    place.both("export", str(run), "--format", "header", "-o", path)
    with open(path) as f:
        text = f.read()
    for part in (best["cubin"], f"{run}:{best['trial']}"):
        tap.contains(text, part, "the header")
    found = dict(re.findall(r"^#define (\w+) (.+)$", text, re.M))
    for name, value in best["config"].items():
        tap.equal(found.get(name), str(value), name)
    return found


def killed_and_resumed(daemon, kills, budget, **params):
    """Each of `kills` is a callable that is given the story in the course of a life of the daemon
    and returns when the daemon is to be killed."""
    story = Story(daemon, budget=budget, **params)
    for kill in kills:
        story.begin()
        kill(story)
        story.kill_and_restart()
        if story.ended():
            raise AssertionError(f"the run ended before all kills were made: {story.end}")
    return story


def finished(story, budget):
    """Lets it run to its end; all of what was asked for is there, once."""
    story.begin()
    story.follow(-1)
    story.check()
    finish(story, budget)
    tap.until(lambda: not story.daemon.workers(), "idle workers to be sent home")


def after_trials(n):
    """A kill when n more trials were told."""
    return lambda story: story.follow(n)


def at_once(_story):
    """A kill as soon as the run was asked for."""


def when_binaries(n):
    """A kill in the compiling phase: when n more binaries are in the cache."""
    def kill(story):
        folder = os.path.join(os.path.dirname(story.daemon.db), "cache")

        def count():
            return len(os.listdir(folder)) if os.path.isdir(folder) else 0
        before = count()
        tap.until(lambda: count() >= before + n, f"{n} more binaries")
    return kill


def when_the_log_grows(n):
    """A kill in or about a transaction: when the write-ahead log has changed for the n-th time."""
    def kill(story):
        path = story.daemon.db + "-wal"
        sizes = []

        def changed():
            what = os.stat(path)
            if not sizes or sizes[-1] != (what.st_size, what.st_mtime_ns):
                sizes.append((what.st_size, what.st_mtime_ns))
            return len(sizes) > n
        tap.until(changed, f"the log to change {n} times", pause_s=0)
    return kill
