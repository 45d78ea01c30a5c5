"""Others' recordings as runs, and runs as others' recordings, on the shipped binary."""

import csv
import gzip
import io
import json
import math
import os
import random
import shutil
import time

import cli
import daemons
import tap
import test_replay_kill

CORPUS = os.path.join(tap.ROOT, "tests", "corpus", "recordings")
CACHE = os.path.join(CORPUS, "kt.json")
RATES = os.path.join(CORPUS, "kt_rates.json")
T4 = os.path.join(CORPUS, "nine-GPU_T4.json")
T4_SCHEMA = os.path.join(tap.ROOT, "tests", "schemas", "T4-results-1.0.0.json")
HEAD = '{"tune_params_keys": ["a"], "tune_params": {"a": [1, 2]}, '


def imported(file=CACHE, *words):
    place = cli.Place()
    place.run("import", file, *words)
    return place


def rows(place, run):
    text = place.run("export", str(run), "--format", "csv")
    return list(csv.DictReader(io.StringIO(text)))


def cache():
    with open(CACHE) as f:
        return json.load(f)["cache"]


def test_every_query_works_on_an_imported_run_without_a_daemon():
    place = imported()
    tap.equal(place.daemon_pid(), 0, "daemon")
    records = [r for r in cache().values() if r.get("__error__") != "InvalidConfig"]
    times = sorted(r["time"] for r in records if "__error__" not in r)
    top = place.json("top", "-k", "100")
    near([row["p50_us"] / 1000 for row in top], times, "times")
    [run] = place.json("runs")
    tap.equal((run["task"], run["state"], run["runtime"], run["done"], run["ok"]),
              ("nine", "done", "recorded", len(records), len(times)))
    shown = place.json("show")
    tap.equal(shown["environment"]["device"], "Test GPU")
    tap.equal(shown["outcomes"]["compile_error"], 2)
    names = [p["name"] for p in place.json("insights")["parameters"]]
    tap.equal(names, ["block", "tile", "pad", "mode"])
    tap.equal(len(rows(place, 1)), len(records))
    for words in (("show",), ("show", "1:1"), ("top",), ("insights",), ("runs",)):
        tap.equal(bool(place.run(*words)), True, f"text of {words}")


def test_the_answer_says_what_was_left_out():
    place = cli.Place()
    found = place.json("import", os.path.join(CORPUS, "kt_cut.json"))
    tap.equal((found["run"], found["new"], found["trials"]), (1, True, 22))
    tap.equal(found["dropped_bytes"] > 0, True, "bytes dropped")
    said = place.both("import", RATES)[1]
    tap.contains(said, "run 2: 4 trials imported")
    tap.contains(said, "1 records of configurations that came before")


def test_the_same_file_is_recognised():
    place = imported()
    packed = os.path.join(place.folder, "elsewhere.json.gz")
    shutil.copy(os.path.join(CORPUS, "kt.json.gz"), packed)
    found = place.json("import", packed, "--name", "other")
    tap.equal((found["run"], found["new"]), (1, False))
    tap.contains(place.both("import", CACHE)[1], "is run 1 already")
    tap.equal(len(place.json("runs")), 1)


def test_a_daemon_takes_the_import_and_lives_on():
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "2", "--set", "FAIL=0")
    pid = place.daemon_pid()
    here = {"cwd": CORPUS}
    tap.equal(json.loads(place.run("import", "kt.json", "--json", **here))["run"], 2)
    tap.contains(place.complaint("import", __file__), "test_import.py: line 1: not JSON")
    tap.equal(place.daemon_pid(), pid, "daemon")
    tap.equal([r["task"] for r in place.json("runs")], ["nine", "host_tiny"])
    place.run("start", cli.TINY, "--budget", "3", "--set", "FAIL=0")
    tap.equal(len(place.json("runs")), 3)


LARGE = 4096
SGEMM = os.path.join(tap.ROOT, "configs", "sgemm_host.json")


def request(number, method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"


def test_the_daemon_answers_others_while_it_imports():
    daemon = daemons.Daemon()
    client = daemon.client()
    file = test_replay_kill.recording(daemon.folder)
    client.send(request(1, "runs.import", file=file) + request(2, "daemon.status"))
    tap.equal([client.answer()["id"], client.answer()["id"]], [2, 1], "order of the answers")
    tap.equal(client.call("runs.list")["runs"][0]["trials"], LARGE)


def test_a_run_that_is_half_imported_is_seen_by_nobody():
    daemon = daemons.Daemon()
    asking, looking = daemon.client(), daemon.client()
    for number in range(4):
        asking.send(request(number, "runs.import", file=test_replay_kill.recording(daemon.folder, f"k{number}")))
    while True:
        runs = looking.call("runs.list")["runs"]
        tap.equal([r["trials"] for r in runs], [LARGE] * len(runs), "trials of the runs listed")
        stored = daemon.query("SELECT count(*) FROM trial")[0][0]
        tap.equal(stored % LARGE, 0, "rows beyond those of whole runs")
        if len(runs) == 4:
            break
    tap.equal([asking.answer()["result"]["run"] for _ in range(4)], [1, 2, 3, 4], "runs in their order")


def test_searches_go_on_while_files_are_imported():
    daemon = daemons.Daemon()
    client = daemon.client()
    for number in range(5):
        file = test_replay_kill.recording(daemon.folder, f"k{number}")
        client.send(request(100 + number, "runs.import", file=file))
        for search in range(2):
            client.send(request(200 + search, "search.start", task=SGEMM, runtime="noop", budget=60,
                                strategy="random", seed=10 * number + search))
        answers = [client.answer() for _ in range(3)]
        tap.equal([a.get("error") for a in answers], [None] * 3, "errors")
    tap.until(lambda: {r["state"] for r in client.call("runs.list")["runs"]} == {"done"}, "the ends")
    runs = daemon.query("SELECT runtime, count(*), count(DISTINCT trial.no) FROM run JOIN trial ON "
                        "trial.run = run.id GROUP BY run.id ORDER BY runtime, run.id")
    tap.equal([(r, n) for r, n, distinct in runs if n == distinct and r == "recorded"],
              [("recorded", LARGE)] * 5)
    tap.equal(len(runs), 15, "runs")
    tap.equal(daemon.query("PRAGMA foreign_key_check"), [])


def test_a_daemon_that_is_killed_while_it_imports_leaves_nothing_or_all():
    daemon = daemons.Daemon()
    file = test_replay_kill.recording(daemon.folder)
    rng = random.Random(5)
    for _ in range(8):
        daemon.client().send(request(1, "runs.import", file=file))
        time.sleep(rng.random() * 0.3)  # where the kill falls is left to chance
        daemon.kill()
        tap.equal(daemon.query("PRAGMA integrity_check"), [("ok",)])
        tap.equal(daemon.query("SELECT count(*) FROM run, trial")[0][0] in (0, LARGE), True, "none or all")
        daemon.start()
    found = daemon.client().call("runs.import", file=file)
    tap.equal(found["run"], 1)
    tap.equal(daemon.query("SELECT count(*) FROM trial"), [(LARGE,)])


def test_a_daemon_that_ends_finishes_what_it_imports():
    daemon = daemons.Daemon()
    client = daemon.client()
    client.send(request(1, "runs.import", file=test_replay_kill.recording(daemon.folder)))
    client.send(request(2, "daemon.stop"))
    tap.equal(daemon.wait(), 0, "exit status")
    tap.equal(daemon.query("SELECT count(*) FROM trial"), [(LARGE,)])


def test_what_needs_the_kernel_is_refused_with_the_reason():
    place = imported()
    place.run("import", RATES)
    for words in (("resume", "1", "--budget", "50"), ("compare", "1", "2"),
                  ("export", "1", "--format", "standalone")):
        said = place.complaint(*words)
        tap.contains(said, "run 1 was imported from")
        tap.contains(said, "its kernel is not")
    tap.equal(place.json("runs")[1]["state"], "done")


def test_the_header_has_the_defines_and_says_that_nothing_compiled_it():
    out, err = imported().both("export")
    for line in ("#define block 32", "#define tile 2", "#define pad 0", "#define mode a",
                 "#ifndef EVO_TUNED_NINE_H"):
        tap.contains(out, line)
    tap.contains(out, "not compiled: the kernel's source is not in the recording")
    tap.contains(err, "not compile-checked")


def test_a_name_that_is_no_macro_makes_no_header():
    place = cli.Place()
    path = os.path.join(place.folder, "x.json")
    with open(path, "w") as f:
        f.write('{"tune_params_keys": ["a b"], "tune_params": {"a b": [1]}, "cache": '
                '{"1": {"a b": 1, "time": 2}}}')
    place.run("import", path)
    tap.contains(place.complaint("export"), "parameter a b = 1 cannot be a #define")


def test_the_default_of_a_t1_file_is_the_baseline():
    place = cli.Place()
    t1 = os.path.join(place.folder, "t1.json")
    with open(os.path.join(CORPUS, "nine-T1.json")) as f:
        text = json.load(f)
    for param, value in zip(text["ConfigurationSpace"]["TuningParameters"], (16, 1, False, "a")):
        param["Default"] = value
    text["KernelSpecification"] = {"KernelName": "nine_kernel"}
    with open(t1, "w") as f:
        json.dump(text, f)
    place.run("import", T4, "--t1", t1)
    tap.equal(place.json("runs")[0]["task"], "nine_kernel")
    tap.equal(place.json("show")["baseline_us"], 1500)
    near([place.json("top", "-k", "1")[0]["speedup"]], [1.5], "speed-up")


def test_a_parameter_that_kernel_tuner_needs_the_name_of_is_refused():
    place = cli.Place()
    path = os.path.join(place.folder, "x_T4.json")
    with open(path, "w") as f:
        json.dump({"results": [{"configuration": {"times": 1}, "times": {}, "invalidity": "correct",
                                "measurements": [{"name": "time", "value": 2}]}]}, f)
    place.run("import", path)
    tap.contains(place.complaint("export", "--format", "kernel-tuner"), "parameter times: ")
    tap.contains(place.run("export", "--format", "t4"), '"times":1')


def test_subscribers_hear_of_an_import_over_the_socket():
    daemon = daemons.Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    found = client.call("runs.import", file=CACHE)
    event = client.event()
    tap.equal((event["kind"], event["run"], event["body"]["state"]), ("run", 1, "done"))
    tap.equal((event["body"]["done"], event["body"]["best_us"]), (found["trials"], 1000))
    pipe = os.path.join(daemon.folder, "pipe")
    os.mkfifo(pipe)
    for params, part in (({}, "file"), ({"file": pipe}, "not a regular file"), ({"file": "kt.json"}, "an absolute path"),
                         ({"file": CACHE, "nam": "x"}, "nam"), ({"file": "/nowhere"}, "/nowhere")):
        try:
            client.call("runs.import", **params)
            raise AssertionError(f"{params}: expected an error")
        except daemons.RpcError as error:
            tap.contains(error.message, part)
    tap.equal(len(client.call("runs.list")["runs"]), 1)


# --- what comes back ---

def near(found, expected, what):
    """The same numbers, but for what changing units does to them."""
    tap.equal(len(found), len(expected), f"how many: {what}")
    for a, b in zip(found, expected):
        if not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9):
            raise AssertionError(f"{what}: expected {expected}, found {found}")


def story(place, run):
    """What a run says of its trials, in their order: words, and numbers."""
    words, numbers = [], []
    for row in rows(place, run):
        trial = place.json("show", f"{run}:{row['trial']}")
        samples = [s for t in trial["timings"] for s in t["samples_us"]]
        words.append((trial["config"], trial["outcome"], len(samples)))
        numbers += [trial["p50_us"] or 0, trial["ms"]["compile"], trial["ms"]["verify"], *samples]
    return words, numbers


def round_trip(place, run, form, end):
    path = os.path.join(place.folder, f"out{end}")
    place.run("export", str(run), "--format", form, "-o", path)
    again = place.json("import", path)
    tap.equal(again["new"], True)
    found, expected = story(place, again["run"]), story(place, run)
    tap.equal(found[0], expected[0], f"trials by way of {form}")
    near(found[1], expected[1], f"figures by way of {form}")
    return path


def test_a_run_of_ours_comes_back_from_both_formats_and_replays():
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "8", "--strategy", "exhaustive", "--set",
              "FAIL=0,1,2")
    place.end_daemon()
    before = rows(place, 1)
    failed = [row for row in before if row["outcome"] != "ok"]
    tap.equal(len(failed) > 0, True, "failed trials to carry over")
    best = place.json("top", "-k", "1")[0]
    for form, end in (("kernel-tuner", ".json"), ("t4", "_T4.json")):
        path = round_trip(place, 1, form, end)
        [found] = [json.loads(line) for line in
                   place.run("replay", path, "--budget", "100", "--json").splitlines()]
        tap.equal(len(found["keys"]), len(before), f"replayed from {form}")
        near([found["best"] * 1000], [best["p50_us"]], f"best from {form}")


def test_an_imported_run_gives_a_search_its_first_trials():
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "8", "--strategy", "exhaustive", "--set", "FAIL=0")
    path = os.path.join(place.folder, "cache.json")
    place.run("export", "1", "--format", "kernel-tuner", "-o", path)
    place.run("import", path)
    said = place.both("start", cli.TINY, "--budget", "3", "--set", "FAIL=0", "--fresh", "--from",
                      "2")[1]
    tap.contains(said, "the first trials are the best of run 2")
    tap.equal("warm" in [row["operator"] for row in rows(place, 3)], True, "warm trials in run 3")


def test_an_imported_run_is_exported_as_it_was_read():
    place = imported(RATES)
    for form, end in (("kernel-tuner", ".json"), ("t4", "_T4.json")):
        path = round_trip(place, 1, form, end)
        with open(path) as f:
            tap.contains(f.read(), '"GFLOP/s"')
    with open(os.path.join(place.folder, "out.json")) as f:
        text = f.read()
    tap.equal(text[-3:], "}\n}", "end")
    found = json.loads(text)
    tap.equal(found["objective"], "GFLOP/s")
    tap.equal(list(found["cache"]), ["1,1.0", "2,1.0", "1,0.5", "3,1.0"])
    tap.equal(found["cache"]["1,1.0"]["time"], 4)
    tap.equal(found["cache"]["1,1.0"]["num_regs"], 40)


def test_t4_is_valid_by_its_schema():
    try:
        import jsonschema
    except ImportError:
        tap.skip("python3-jsonschema is not installed")
    with open(T4_SCHEMA) as f:
        schema = json.load(f)
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", "8", "--strategy", "exhaustive", "--set",
              "FAIL=0,1,2")
    place.run("import", T4)
    for run in ("1", "2"):
        found = json.loads(place.run("export", run, "--format", "t4"))
        jsonschema.Draft202012Validator(schema).validate(found)
        tap.equal(len(found["results"]), len(rows(place, run)))


# --- bad input ---

def test_bad_files_are_named_with_the_place_and_change_nothing():
    with open(CACHE, "rb") as f:
        whole = f.read()
    cases = [
        (b"", "not JSON"),
        (b"\x00\xff" * 500, "not JSON"),
        (gzip.compress(whole)[:-20], "gzip"),
        (HEAD.encode() + b'"cache": {"1": {"a": 1, "time": 2}, "1": {"a": 2, "time": 3}}}',
         'cache: the name "1" stands twice'),
        (HEAD.encode() + b'"cache": {"1": {"a": 1, "time": 2}, "2": {"time": 3}}}', "cache.2"),
        (HEAD.encode() + b'"cache": {"1": {"a": 1, "time": 1e999}}}', "cache.1.time"),
        (HEAD.encode() + b'"cache": {"1": {"a": Infinity, "time": 1}}}', "cache.1.a"),
        (HEAD.encode() + b'"cache": {"7": {"a": 7, "time": 1}}}', "cache.7.a"),
        (b'{"tune_params_keys": ["a"], "tune_params": {"a": [1, NaN]}, "cache": {}}',
         "tune_params.a[1]"),
        (b"[" * 100000, "not JSON"),
    ]
    place = imported()
    path = os.path.join(place.folder, "bad.json")
    for content, part in cases:
        with open(path, "wb") as f:
            f.write(content)
        said = place.complaint("import", path)
        tap.contains(said, "bad.json: ", f"for {content[:60]}")
        tap.contains(said, part, f"for {content[:60]}")
    tap.contains(place.complaint("import", path + "x"), "No such file")
    tap.contains(place.complaint("import", os.path.join(CORPUS, "bench.json")),
                 "can be replayed and not imported")
    tap.equal(len(place.json("runs")), 1)


def test_a_wrong_t1_file_is_named():
    place = cli.Place()
    t1 = os.path.join(place.folder, "t1.json")
    said = place.complaint("import", T4, "--t1", CACHE)
    tap.contains(said, 'kt.json: top level: "ConfigurationSpace" is missing')
    with open(t1, "w") as f:
        json.dump({"ConfigurationSpace": {"TuningParameters": [
            {"Name": "block", "Type": "int", "Values": "[16, 32]"}]}}, f)
    said = place.complaint("import", T4, "--t1", t1)
    tap.contains(said, "nine-GPU_T4.json: results[")
    tap.contains(said, "parameter block")
    tap.contains(place.complaint("import", CACHE, "--t1", t1), "T4 results only")


def test_what_is_not_a_number_is_a_failure():
    place = cli.Place()
    path = os.path.join(place.folder, "nan.json")
    with open(path, "w") as f:
        f.write(HEAD + '"cache": {"1": {"a": 1, "time": NaN}, "2": {"a": 2, "time": 3}}}')
    place.run("import", path)
    tap.equal([r["outcome"] for r in rows(place, 1)], ["fault", "ok"])


if __name__ == "__main__":
    tap.main(globals())
