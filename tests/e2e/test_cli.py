"""Usage, help, exit codes, and the commands that need neither daemon nor database."""

import json
import os

import cli
import tap

COMMANDS = ("start resume status runs watch pause cancel stop top show export check bench doctor "
            "compare daemon worker").split()


def test_help_lists_every_command_and_each_has_its_own():
    place = cli.Place()
    listed = place.run("--help")
    for name in COMMANDS:
        tap.contains(listed, f"\n  {name} ")
        text = place.run(name, "--help")
        tap.contains(text, f"usage: evo-tuned {name}")
        for option in ("--db PATH", "--socket PATH", "--help"):
            tap.contains(text, option)


def test_version_is_one_line():
    with open(os.path.join(tap.ROOT, "VERSION")) as f:
        tap.equal(cli.Place().run("--version"), f"evo-tuned {f.read().strip()}\n")


def test_bad_usage_says_what_to_do_and_ends_with_2():
    place = cli.Place()
    for words, part in (
            ((), "usage: evo-tuned COMMAND"),
            (("strat",), 'did you mean "start"?'),
            (("frobnicate",), "`evo-tuned --help` lists the commands"),
            (("top", "--jsno"), "did you mean --json?"),
            (("top", "x"), "expected a run's number"),
            (("top", "1", "2"), 'unexpected operand "2"'),
            (("top", "-k", "0"), "expected a whole number from 1"),
            (("show", "3:x"), "expected RUN or RUN:TRIAL"),
            (("show", "-1"), "unknown option -1"),
            (("export", "--format", "xml"), "expected header|json|csv"),
            (("export", "--format", "csv", "--trial", "3"), "csv has all trials"),
            (("check",), "expected TASK"),
            (("worker", "dance"), "expected compile or measure"),
            (("start", "--budget", "0"), "from 1 to 1000000000"),
            (("start", "--budget", "1000000001"), "from 1 to 1000000000"),
            (("start", "--budget", "12 apples"), "expected a whole number"),
            (("start", "--time-limit", "-3"), "--time-limit: expected a number"),
            (("start", "--seed", "0x10"), "--seed: expected"),
            (("start", cli.TINY, "--device", "0,,1"), "--device: expected device numbers"),
            (("start", cli.TINY, "--device", "7"), "no device 7"),
            (("start", cli.TINY, "--set", "CHUNK"), "expected NAME=V"),
            (("start", cli.TINY, "--set", "CHUNK=1", "--set", "CHUNK=2"), "given twice"),
            (("start", cli.TINY, "--set", "CHANK=1"), "CHANK"),
            (("start", cli.TINY, "--set", "CHUNK=99"), "99"),
            (("start", cli.TINY, "--shape", "huge"), "huge"),
            (("start", cli.TINY, "--strategy", "magic"), "expected one of"),
            (("start", cli.TINY, "--runtime", "tpu"), "expected cuda or host"),
            (("start", "no_such_task"), "no shipped task"),
            (("start", "./none.json"), "none.json"),
            (("start", place.folder), "not a folder")):
        tap.contains(place.complaint(*words), part, f"stderr of {words}")
    tap.equal(place.daemon_pid(), 0, "daemon started by bad usage")


def test_a_task_that_is_wrong_fails_before_any_daemon_starts():
    place = cli.Place()
    with open(cli.TINY) as f:
        task = json.load(f)
    task["kernel"]["source"] = os.path.join(tap.ROOT, "tests", "kernels", "host_tiny.c")
    task["konstraints"] = []
    path = os.path.join(place.folder, "wrong.json")
    with open(path, "w") as f:
        json.dump(task, f)
    for command in ("check", "bench", "start"):
        said = place.complaint(command, path)
        tap.contains(said, "wrong.json")
        tap.contains(said, "konstraints")
    tap.equal(place.daemon_pid(), 0, "daemon started by a wrong task")


def test_queries_without_a_daemon_or_a_database_say_so():
    place = cli.Place()
    for words in (("status",), ("watch",), ("pause",), ("cancel", "1"), ("stop",)):
        tap.contains(place.complaint(*words, status=3), "no daemon")
    for words in (("top",), ("show",), ("export",), ("resume",)):
        tap.contains(place.complaint(*words), "`evo-tuned start` makes")
    tap.equal(place.json("runs"), [])
    tap.contains(place.both("runs")[1], "no runs yet")
    tap.equal(place.daemon_pid(), 0, "daemon started by a query")


def test_a_file_that_is_no_database_is_refused():
    place = cli.Place()
    path = os.path.join(place.folder, "letter.txt")
    with open(path, "w") as f:
        f.write("Dear reader, this is no database of any kind. " * 40)
    for command in ("top", "runs", "show", "export", "resume"):
        tap.contains(place.complaint(command, "--db", path), "letter.txt")


def test_check_says_what_a_task_is():
    place = cli.Place()
    found = place.json("check", cli.TINY)
    tap.equal(found["task"], "host_tiny")
    tap.equal(found["space"], {"cartesian": 48, "valid": 24, "exact": True})
    tap.equal([s["name"] for s in found["shapes"]], ["odd", "main"])
    tap.equal(found["parameters"]["INERT"], ["left", "right"])
    tap.equal(found["warnings"], [])
    tap.equal(sorted(p["name"] for p in found["presets"]), ["broken", "plain"])
    tap.contains(place.run("check", cli.TINY), "48 combinations, 24 valid")


def test_check_takes_a_cuda_task_without_a_gpu_and_a_bare_name():
    found = cli.Place().json("check", "vector_add", "--arch", "sm_80")
    tap.equal(found["device"]["arch"], "sm_80")
    tap.equal(found["device"]["assumed"], True)
    tap.equal(found["presets"][0]["launches"][0]["block"], [256, 1, 1])
    tap.contains(cli.Place().complaint("check", "vector_add", "--arch", "sm_1"), "sm_1")
    tap.contains(cli.Place().complaint("check", cli.TINY, "--arch", "sm_80"), "runs on the CPU")


def test_bench_verifies_and_times_one_configuration():
    place = cli.Place()
    found = place.json("bench", cli.TINY, "--set", "CHUNK=4")
    tap.equal(found["outcome"], "ok")
    tap.equal(found["config"], {"CHUNK": 4, "FAIL": 0, "INERT": "left"})
    low, high = found["ci_us"]
    if not 0 < low <= found["p50_us"] <= high:
        raise AssertionError(f"interval {low} .. {high} around {found['p50_us']}")
    tap.equal({c["passed"] for c in found["checks"]}, {True})
    tap.equal({c["shape_name"] for c in found["checks"]}, {"odd", "main"})
    tap.equal([t["shape_name"] for t in found["timings"]], ["main"])
    tap.equal(os.listdir(place.folder), [], "files left behind")


def test_bench_ends_with_1_when_the_configuration_is_not_correct():
    place = cli.Place()
    found = place.json("bench", cli.TINY, "--preset", "broken", status=1)
    tap.equal(found["outcome"], "compile_error")
    tap.contains(found["detail"], "asked for a compile error")
    found = place.json("bench", cli.TINY, "--set", "FAIL=2", "--shape", "odd", status=1)
    tap.equal(found["outcome"], "wrong")
    tap.equal(found["checks"][0]["passed"], False)
    tap.contains(place.complaint("bench", cli.TINY, "--set", "FAIL=1", "--set", "CHUNK=8"),
                 "violates the constraint FAIL == 0 || CHUNK <= 2")
    tap.contains(place.complaint("bench", cli.TINY, "--set", "CHUNK=9"), "no value 9")
    tap.contains(place.complaint("bench", cli.TINY, "--preset", "none"), "no preset none")


def test_doctor_names_every_part_and_how_to_mend_what_is_missing():
    found = cli.Place().json("doctor")
    subjects = {f["subject"]: f for f in found["findings"]}
    for subject in ("GPU", "NVRTC", "NVML", "CUPTI", "cc", "state folder", "socket folder", "daemon"):
        if subject not in subjects:
            raise AssertionError(f"no {subject} in {sorted(subjects)}")
    tap.equal(found["runtimes"]["host"], True)
    for f in found["findings"]:
        if f["state"] != "ok" and not f["mend"]:
            raise AssertionError(f"nothing on how to mend {f}")


def test_doctor_says_that_cupti_is_not_needed():
    cupti = [f for f in cli.Place().json("doctor")["findings"] if f["subject"] == "CUPTI"]
    tap.equal(len(cupti), 1)
    tap.contains(cupti[0]["detail"], "not needed for tuning")
    tap.equal(cupti[0]["state"] in ("ok", "absent"), True, cupti[0]["state"])


def test_the_nvrtc_that_is_named_is_the_only_one_tried():
    place = cli.Place()
    nowhere = os.path.join(place.folder, "libnvrtc.so.13")
    found = place.json("doctor", "--nvrtc", nowhere)
    nvrtc = [f for f in found["findings"] if f["subject"] == "NVRTC"][0]
    tap.equal(nvrtc["state"], "absent")
    tap.contains(nvrtc["detail"], nowhere)
    tap.equal(found["runtimes"]["cuda"], False)
    driver = os.path.join(tap.ROOT, "build", "tests", "fakecuda")
    if not os.path.exists(os.path.join(driver, "libcuda.so.1")):
        tap.skip("the stand-in for libcuda is not built")
    place.env["LD_LIBRARY_PATH"] = driver
    tap.contains(place.complaint("bench", os.path.join(tap.ROOT, "configs", "sdpa_u8.json"),
                                 "--nvrtc", nowhere), nowhere)
    said = place.complaint("start", "--nvrtc", nowhere, "--shape", "none")
    tap.contains(said, "no NVRTC for Stand-in GPU")


def test_doctor_finds_a_state_folder_that_cannot_be():
    place = cli.Place()
    with open(os.path.join(place.folder, "file"), "w"):
        pass
    found = place.json("doctor", "--db", os.path.join(place.folder, "file", "evo.db"))
    state = [f for f in found["findings"] if f["subject"] == "state folder"][0]
    tap.equal(state["state"], "broken")
    tap.contains(state["mend"], "--db")


def test_output_that_cannot_be_written_is_not_done():
    if not os.path.exists("/dev/full"):
        tap.skip("no /dev/full")
    place = cli.Place()
    with open("/dev/full", "w") as full:
        child = place.popen("check", cli.TINY, stdout=full)
        _, err = child.communicate(timeout=50)
    tap.equal(child.returncode, 1, "exit status")
    tap.contains(err, "standard output")


def test_messages_have_no_escape_sequences_when_piped():
    place = cli.Place()
    out, err = place.both("check", cli.TINY)
    tap.equal("\033" in out + err, False, "escape sequences")


if __name__ == "__main__":
    tap.main(globals())
