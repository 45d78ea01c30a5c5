"""What is exported is what was measured: header, JSON and CSV."""

import csv
import io
import json
import os
import subprocess

import cli
import tap


def tuned():
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "6", "--set", "FAIL=0,2", "--seed", "3")
    place.end_daemon()
    return place


def defines(header):
    """NAME: VALUE of all #defines."""
    words = [line.split(None, 2) for line in header.splitlines() if line.startswith("#define ")]
    return {w[1]: w[2] if len(w) > 2 else "" for w in words}


def test_the_header_has_the_best_configuration_and_its_provenance():
    place = tuned()
    best = place.json("top", "-k", "1")[0]
    header = place.run("export")
    found = defines(header)
    for name, value in best["config"].items():
        tap.equal(found[name], str(value), name)
    run = place.json("show")
    for part in (run["task_hash"], run["source_hash"], f"1:{best['trial']}", best["cubin"], "gates",
                 "p50", "baseline", run["environment"]["devices"][0]["name"],
                 run["environment"]["devices"][0]["compiler"]):
        tap.contains(header, part)
    tap.contains(header, "#ifndef EVO_TUNED_HOST_TINY_H")


def test_the_header_works_with_include_and_with_dash_include():
    place = tuned()
    path = os.path.join(place.folder, "best.h")
    out, err = place.both("export", "1", "--format", "header", "-o", path)
    tap.equal(out, "", "stdout")
    tap.contains(err, f"wrote {path}")
    program = "int chunk[CHUNK == {0} ? 1 : -1]; int main(void) {{ return 0; }}\n"
    chunk = place.json("top", "-k", "1")[0]["config"]["CHUNK"]
    for text, words in ((program.format(chunk), ["-include", path]),
                        (f'#include "{path}"\n#include "{path}"\n' + program.format(chunk), [])):
        done = subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-x", "c", *words, "-",
                               "-fsyntax-only"], input=text, text=True, capture_output=True)
        tap.equal(done.returncode, 0, f"cc {words}: {done.stderr}")


def test_the_header_of_a_trial_that_does_not_compile_is_not_written():
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "2", "--strategy", "exhaustive", "--set", "CHUNK=1",
              "--set", "FAIL=0,1", "--set", "INERT=left")
    trials = {t["outcome"]: t["trial"] for t in rows(place)}
    path = os.path.join(place.folder, "broken.h")
    said = place.complaint("export", "--trial", trials["compile_error"], "-o", path, status=1)
    tap.contains(said, "does not compile")
    tap.contains(said, "asked for a compile error")
    tap.equal(os.path.exists(path), False, "file written")


def rows(place):
    return list(csv.DictReader(io.StringIO(place.run("export", "--format", "csv"))))


def test_csv_has_all_trials_by_rfc_4180():
    place = tuned()
    path = os.path.join(place.folder, "all.csv")
    place.run("export", "--format", "csv", "-o", path)
    with open(path, newline="") as f:
        text = f.read()
    tap.equal(text.count("\n"), text.count("\r\n"), "line ends")
    found = list(csv.DictReader(io.StringIO(text)))
    tap.equal([row["trial"] for row in found], [str(n) for n in range(1, 7)])
    for row in found:
        trial = place.json("show", f"1:{row['trial']}")
        tap.equal(row["outcome"], trial["outcome"])
        tap.equal(row["CHUNK"], str(trial["config"]["CHUNK"]))
        tap.equal(row["cubin"], trial["cubin"] or "")
        tap.equal(row["p50_us"] == "", trial["p50_us"] is None, "time unknown")


def test_json_has_the_run_and_the_trial():
    place = tuned()
    found = json.loads(place.run("export", "--format", "json"))
    best = place.json("top", "-k", "1")[0]
    tap.equal(found["trial"]["config"], best["config"])
    tap.equal(found["trial"]["cubin"], best["cubin"])
    tap.equal(found["run"]["task"], "host_tiny")
    other = json.loads(place.run("export", "--format", "json", "--trial", "1"))
    tap.equal(other["trial"]["trial"], 1)


def test_export_goes_on_after_the_sources_have_changed():
    place = cli.Place()
    sources = os.path.join(place.folder, "tests", "kernels")
    tasks = os.path.join(place.folder, "tests", "tasks")
    os.makedirs(sources)
    os.makedirs(tasks)
    for name, to in (("tests/kernels/host_tiny.c", sources), ("tests/tasks/host_tiny.json", tasks)):
        with open(os.path.join(tap.ROOT, name)) as f, \
                open(os.path.join(to, os.path.basename(name)), "w") as copy:
            copy.write(f.read())
    place.run("start", os.path.join(tasks, "host_tiny.json"), "--budget", "3", "--set", "FAIL=0")
    for name in (os.path.join(sources, "host_tiny.c"), os.path.join(tasks, "host_tiny.json")):
        with open(name, "w") as f:
            f.write("gone")
    tap.contains(place.run("export"), "#define CHUNK ")


if __name__ == "__main__":
    tap.main(globals())
