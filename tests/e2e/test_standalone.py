"""`export --format standalone` and `bench --sanitize`: one configuration as a program of one file."""

import json
import os
import re
import shutil
import stat
import subprocess

import cli
import tap

BUILD = os.path.join(tap.ROOT, os.environ.get("EVO_BUILD", "build"))
STANDIN = os.path.join(BUILD, "tests", "fakecuda")
CONFIGS = os.path.join(tap.ROOT, "configs")
SGEMM = os.path.join(CONFIGS, "sgemm_host.json")
COMMAND = re.compile(r"^ \*\t((?:cc|nvcc) .*)$", re.MULTILINE)


def built(place, words, name="prog.c"):
    """Exports, builds with the command line that the program's head gives, and the text."""
    path = os.path.join(place.folder, name)
    place.run("export", *words, "--format", "standalone", "-o", path)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    done = subprocess.run(COMMAND.search(text).group(1) + " -Wall", shell=True, text=True,
                          cwd=place.folder, capture_output=True)
    tap.equal((done.returncode, done.stderr), (0, ""), "building it")
    return text


def ran(place, *words, status=0):
    done = subprocess.run([os.path.join(place.folder, "prog"), *words], text=True,
                          capture_output=True)
    tap.equal(done.returncode, status, f"status of {words}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def tuned(task, *words):
    place = cli.Place()
    place.run("start", task, *words)
    place.end_daemon()
    return place


def test_a_c_program_builds_and_runs_right_on_all_shapes_and_seeds():
    place = tuned(SGEMM, "--budget", "2", "--strategy", "random", "--seed", "1")
    text = built(place, [])
    tap.equal('"../' in text, False, "an include of the tree is left")
    said = ran(place)
    tap.contains(said, "sgemm_host, shape square, seed 0")
    tap.contains(said, "right, against double")
    tap.contains(said, "a call: median")
    said = ran(place, "--check", "--seed=77", "all")
    for shape in ("small", "odd", "square"):
        tap.contains(said, f"shape {shape}, seed 77")
    tap.equal((said.count("right"), said.count("WRONG"), said.count("median")), (3, 0, 0),
              "right, wrong, timed")
    tap.contains(ran(place, "rhombus", status=2), "not understood: rhombus")


def test_a_wrong_configuration_gives_a_program_that_says_so():
    place = tuned(cli.TINY, "--budget", "4", "--set", "FAIL=0,2", "--set", "CHUNK=1",
                  "--strategy", "exhaustive")
    seen = {}
    for number in range(1, 5):
        trial = place.json("show", f"1:{number}")
        seen[trial["outcome"]] = seen.get(trial["outcome"], 0) + 1
        built(place, ["--trial", str(number)])
        if trial["outcome"] == "ok":
            tap.contains(ran(place, "--check", "all"), "right, against axpy_reference")
        else:
            tap.contains(ran(place, "all", status=1), "WRONG, against axpy_reference")
    tap.equal(seen, {"ok": 2, "wrong": 2}, "outcomes")


def parted(folder, kernel, reference):
    """A task of two sources and two headers in `folder`."""
    with open(cli.TINY, encoding="utf-8") as f:
        task = json.load(f)
    task.update(name="parted", parameters={"K": [1, 2]}, constraints=[])
    del task["baseline"], task["presets"]
    task["kernel"].update(source="kernel.c", entry="run")
    task["reference"].update(source="reference.c", entry="run", defines={})
    for name, text in (("kernel.c", kernel), ("reference.c", reference),
                       ("twice.h", "x[i] += MORE;\n"),
                       ("once.h", "#pragma once\nstatic int step(void) { return K; }\n"),
                       ("task.json", json.dumps(task))):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    return os.path.join(folder, "task.json")


KERNEL = """/* #include "not_there.h" */
#include <string.h>
#if K > 5
#include "once.h"
#endif
#include "once.h"
#include "once.h"
enum { KEPT = 64 };
struct kept { float x[KEPT]; };
static void add(float *x, int i)
{
#define MORE 0.25f
#include "twice.h"
#include "twice.h"
}
void run(const float *x, float *y, int n, float a)
{
	struct kept k;
	for (int i = 0; i < n; i += step())
		for (int j = i; j < i + K && j < n; j++) {
			memcpy(k.x, y + j, sizeof *y);
			add(k.x, 0);
			y[j] = a * x[j] + k.x[0];
		}
}
"""
REFERENCE = """enum { KEPT = 3 };
struct kept { int n; };
static int add(int a, int b) { return a + b; }
void run(const float *x, float *y, int n, float a)
{
	for (struct kept k = { 0 }; k.n < n; k.n = add(k.n, 1))
		y[k.n] = a * x[k.n] + (y[k.n] + 0.5f);
}
"""


def test_parts_of_a_c_program_share_names_and_headers_without_harm():
    folder = tap.folder()
    place = tuned(parted(folder, KERNEL, REFERENCE), "--budget", "2", "--strategy", "exhaustive")
    for trial in "1", "2":
        text = built(place, ["--trial", trial])
        tap.equal(text.count("---- twice.h ----"), 2, "a header without a guard is given twice")
        tap.equal(ran(place, "--check", "all").count("right"), 2, "shapes that are right")


def with_standin():
    if not os.path.exists(os.path.join(STANDIN, "libcuda.so.1")):
        tap.skip(f"no stand-in in {STANDIN}: `make tests` builds it")
    place = cli.Place()
    place.env["LD_LIBRARY_PATH"] = ":".join(filter(None, [STANDIN,
                                                          os.environ.get("LD_LIBRARY_PATH")]))
    return place


SANITIZER = """#!/bin/sh
for word; do case $word in */x) cp "$word.cu" "$KEEP";; esac; done
echo "========= COMPUTE-SANITIZER $*"
echo "$SAYS"
exit $STATUS
"""
CLEAN = "========= ERROR SUMMARY: 0 errors"


def with_sanitizer(nvcc=None):
    """compute-sanitizer that says what it is told, and nvcc: the real one unless a text."""
    place = with_standin()
    tools = os.path.join(place.folder, "tools")
    os.mkdir(tools)
    for name, text in (("compute-sanitizer", SANITIZER), ("nvcc", nvcc)):
        if text:
            with open(os.path.join(tools, name), "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(f.name, stat.S_IRWXU)
    place.env.update(PATH=f"{tools}:{os.environ['PATH']}", SAYS=CLEAN, STATUS="0",
                     KEEP=os.path.join(place.folder, "kept.cu"))
    return place


def cuda_builds(task, *words):
    if not shutil.which("nvcc"):
        tap.skip("no nvcc on PATH")
    place = with_sanitizer()
    said = place.run("bench", os.path.join(CONFIGS, task), "--sanitize", *words)
    tap.equal(said, "memcheck: no findings\nracecheck: no findings\n")
    with open(place.env["KEEP"], encoding="utf-8") as f:
        text = f.read()
    tap.equal(re.findall(r'^\s*#\s*include\s*".*', text, re.MULTILINE), [], "local includes left")
    return text


@tap.limit(180)
def test_the_program_of_the_attention_kernel_builds_with_nvcc():
    text = cuda_builds("sdpa_u8.json", "--preset", "stage3")
    tap.contains(text, "#define PV mma")
    for name in ("dequantised", "unquantised"):
        tap.contains(text, f'"{name}", run_')


@tap.limit(180)
def test_the_program_of_a_kernel_for_hopper_alone_builds_with_nvcc():
    cuda_builds("gemm_f16.json", "--preset", "persistent")


@tap.limit(180)
def test_the_program_of_vector_add_builds_with_nvcc():
    cuda_builds("vector_add.json", "--preset", "wide")


def sanitized(says, status, expected, *words):
    place = with_sanitizer(nvcc="#!/bin/sh\nexit 0\n")
    place.env.update(SAYS=says, STATUS=str(status))
    return place.both("bench", os.path.join(CONFIGS, "vector_add.json"), "--sanitize", *words,
                      status=expected)


def test_findings_are_shown_and_give_status_1():
    said = sanitized("========= Invalid __global__ write\n========= ERROR SUMMARY: 3 errors", 86, 1)
    tap.contains(said[0], "memcheck: 3 findings")
    tap.contains(said[0], "Invalid __global__ write")
    tap.contains(said[0], "racecheck: 3 findings")


def test_a_program_whose_own_check_fails_gives_status_1():
    tap.contains(sanitized(CLEAN, 1, 1)[0], "no findings, but the program failed")


def test_a_sanitizer_that_breaks_is_not_taken_for_a_clean_one():
    out, err = sanitized("Unable to find the injection library", 1, 1)
    tap.equal(out, "", "stdout")
    tap.contains(err, "without a summary")


def test_json_has_each_tool_with_its_findings():
    found = json.loads(sanitized("========= ERROR SUMMARY: 1 error", 86, 1, "--json")[0])
    tap.equal(found["passed"], False, "passed")
    tap.equal([(t["tool"], t["findings"]) for t in found["tools"]],
              [("memcheck", 1), ("racecheck", 1)], "tools")


def test_without_the_sanitizer_it_says_what_is_missing():
    if os.path.exists("/usr/local/cuda/bin/compute-sanitizer"):
        tap.skip("it is installed where it is always found")
    place = with_sanitizer(nvcc="#!/bin/sh\nexit 0\n")
    os.remove(os.path.join(place.folder, "tools", "compute-sanitizer"))
    if shutil.which("compute-sanitizer"):
        tap.skip("it is on PATH")
    said = place.complaint("bench", os.path.join(CONFIGS, "vector_add.json"), "--sanitize")
    tap.contains(said, "compute-sanitizer not found")


def test_a_c_kernel_is_not_for_the_sanitizer():
    tap.contains(cli.Place().complaint("bench", cli.TINY, "--sanitize"), "CUDA kernels")


def test_inputs_from_files_are_refused():
    place = cli.Place()
    with open(cli.TINY, encoding="utf-8") as f:
        task = json.load(f)
    task["buffers"]["x"]["fill"] = {"kind": "npy", "path": "x.npy"}
    task["shapes"] = {"main": {"dims": {"N": 4}}}
    for part in task["kernel"], task["reference"]:
        part["source"] = os.path.join(tap.ROOT, "tests", "kernels", "host_tiny.c")
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"
    head += b" " * (-(10 + len(head) + 1) % 64) + b"\n"
    with open(os.path.join(place.folder, "x.npy"), "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + b"\0" * 16)
    path = os.path.join(place.folder, "task.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(task, f)
    place.run("start", path, "--budget", "1")
    place.end_daemon()
    tap.contains(place.complaint("export", "--format", "standalone"), "from a .npy file")


if __name__ == "__main__":
    tap.main(globals())
