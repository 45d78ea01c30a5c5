"""What we write, Kernel Tuner's own package reads, and the other way round.

Makes a virtual environment in build/packages from PyPI (half a gigabyte, half a minute), once for
each requirements.txt; skipped with the reason where that cannot be had.
"""

import hashlib
import json
import math
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import cli  # noqa: E402
import tap  # noqa: E402

REQUIREMENTS = os.path.join(HERE, "requirements.txt")
SIMULATE = os.path.join(HERE, "simulate.py")
CORPUS = os.path.join(tap.ROOT, "tests", "corpus", "recordings")
VENV = os.path.join(tap.ROOT, "build", "packages")
INSTALL_S = 420


def quietly(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_S)
    if done.returncode:
        tap.skip(f"Kernel Tuner cannot be installed: {(done.stderr or done.stdout).strip()[-200:]}")


def install():
    """The Python that has the packages. A stamp says that all of them were installed."""
    with open(REQUIREMENTS, "rb") as f:
        wanted = hashlib.sha256(f.read()).hexdigest()
    stamp = os.path.join(VENV, wanted)
    python = os.path.join(VENV, "bin", "python")
    if not os.path.exists(stamp):
        quietly(sys.executable, "-m", "venv", "--clear", VENV)
        quietly(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                "--retries", "1", "--timeout", "10", "-r", REQUIREMENTS)
        open(stamp, "w").close()
    return python


def python(*words):
    """The last line that it prints, as JSON."""
    done = subprocess.run([install(), *words], capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise AssertionError(f"{words}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def tuned():
    """A run of ours with failures of several kinds, and the cache that it is exported to."""
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "8", "--strategy", "exhaustive", "--set",
              "FAIL=0,1,2")
    place.end_daemon()
    path = os.path.join(place.folder, "cache.json")
    place.run("export", "--format", "kernel-tuner", "-o", path)
    return place, path


@tap.limit(INSTALL_S + 60)
def test_simulation_mode_finds_in_our_cache_what_we_found():
    place, path = tuned()
    run, best = place.json("show"), place.json("top", "-k", "1")[0]
    found = python(SIMULATE, path, "brute_force", "0")
    tap.equal(found["evaluated"], run["trials"])
    tap.equal(found["failed"], run["trials"] - run["outcomes"]["ok"])
    tap.equal(math.isclose(found["time"] * 1000, best["p50_us"], rel_tol=1e-9), True,
              f"{found['time']} ms is {best['p50_us']} us")
    tap.equal(found["best"], best["config"])


@tap.limit(INSTALL_S + 60)
def test_its_strategies_run_on_our_cache():
    _, path = tuned()
    for strategy in ("random_sample", "genetic_algorithm", "simulated_annealing"):
        found = python(SIMULATE, path, strategy, "6")
        tap.equal(found["evaluated"] > 0, True, strategy)


@tap.limit(INSTALL_S + 60)
def test_it_goes_on_with_our_cache_and_we_read_what_it_leaves():
    place, path = tuned()
    trials = place.json("show")["trials"]
    opened = python("-c", "import json, sys; from kernel_tuner import util; "
                          "print(json.dumps(len(util.read_cache(sys.argv[1])['cache'])))", path)
    tap.equal(opened, trials)
    with open(path) as f:
        tap.equal(f.read()[-2:], "},", "end of the file that it has opened")
    tap.equal(place.json("import", path)["trials"], trials)


@tap.limit(INSTALL_S + 60)
def test_its_schema_validates_our_t4_results():
    place, _ = tuned()
    path = os.path.join(place.folder, "out_T4.json")
    place.run("export", "--format", "t4", "-o", path)
    said = python("-c", "import json, sys, jsonschema; from kernel_tuner import file_utils; "
                        "jsonschema.validate(json.load(open(sys.argv[1])), "
                        "file_utils.output_file_schema('results')[1]); print('true')", path)
    tap.equal(said, True)


@tap.limit(INSTALL_S + 60)
def test_the_schema_that_make_test_uses_is_its_own():
    theirs = python("-c", "import json; from kernel_tuner import file_utils; "
                          "print(json.dumps(file_utils.output_file_schema('results')[1]))")
    with open(os.path.join(tap.ROOT, "tests", "schemas", "T4-results-1.0.0.json")) as f:
        tap.equal(json.load(f), theirs)


@tap.limit(INSTALL_S + 60)
def test_we_import_the_t4_results_that_it_writes():
    place = cli.Place()
    path = os.path.join(place.folder, "theirs_T4.json")
    found = python(SIMULATE, os.path.join(CORPUS, "kt.json"), "brute_force", "0", path)
    imported = place.json("import", path)
    tap.equal(imported["trials"] + imported["illegal"], found["evaluated"])
    best = place.json("top", "-k", "1")[0]
    tap.equal(math.isclose(found["time"] * 1000, best["p50_us"], rel_tol=1e-9), True,
              f"{found['time']} ms is {best['p50_us']} us")


if __name__ == "__main__":
    tap.main(globals())
