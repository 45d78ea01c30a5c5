#!/usr/bin/env python3
"""`export --per-shape`: one header of several configurations, and what its functions choose."""

import json
import os
import re
import shutil
import subprocess

import cli
import device_runs
import tap
import test_cuda

# The best of a size takes a fifth of the next, the best of both a quarter, whatever else runs.
KERNEL = """
void axpy(const float *x, float *y, int n, float a)
{
	volatile int turns = MODE == 0 ? 1000 * n : MODE == 1 ? 16000000 / n : 32000;

	for (volatile int i = 0; i < turns; i++)
		;
	for (int i = 0; i < n; i++)
		y[i] += a * x[i];
}
void axpy_reference(const float *x, float *y, int n, float a)
{
	for (int i = 0; i < n; i++)
		y[i] += a * x[i];
}
"""
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic"]


def task_in(folder, **changes):
    """The path of a task whose MODE 0 is best for small, 1 for large, and 2 on the average."""
    with open(cli.TINY, encoding="utf-8") as f:
        task = json.load(f)
    task["kernel"]["source"] = "kernel.c"
    task.update(name="which", parameters={"MODE": [0, 1, 2]}, constraints=[], baseline="least",
                presets={"least": {"MODE": 0}},
                shapes={"small": {"dims": {"N": 4}}, "large": {"dims": {"N": 4000}}})
    task["reference"].update(defines={"MODE": 2})
    task.update(changes)
    for name, text in (("kernel.c", KERNEL), ("which.json", json.dumps(task))):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    return os.path.join(folder, "which.json")


def searched(place, path, *words):
    place.run("start", path, "--strategy", "exhaustive", "--budget", "3", "--fresh", *words)


def chosen(header, sizes, *words, compiler=("cc", "-std=c99", "-x", "c")):
    """MODE of the entry that is selected for each size; -1: none."""
    folder = os.path.dirname(header)
    program = os.path.join(folder, "select")
    sizes = ", ".join(map(str, sizes))
    source = f"""#include <stdio.h>
#include "{header}"
#include "{header}"
int main(void)
{{
	const long long sizes[] = {{ {sizes} }};
	const int modes[] = {{ {', '.join(f'EVO_WHICH_{k}_MODE' for k in range(entries(header)))} }};

	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {{
		int entry = evo_which_select(sizes[i]);

		printf("%d ", entry < 0 ? -1 : modes[entry]);
	}}
	return 0;
}}
"""
    done = subprocess.run([*compiler, *WARNINGS, *words, "-o", program, "-"], input=source,
                          text=True, capture_output=True)
    tap.equal(done.returncode, 0, f"{compiler[0]}: {done.stderr}")
    return [int(word) for word in subprocess.run([program], stdout=subprocess.PIPE, text=True,
                                                 check=True).stdout.split()]


def entries(header):
    with open(header, encoding="utf-8") as f:
        return int(re.search(r"#define EVO_\w+_ENTRIES (\d+)", f.read()).group(1))


def compiled(header, *words):
    """The status of a compile of the kernel with the header included before it."""
    return subprocess.run(["cc", "-fsyntax-only", "-include", header, *words,
                           os.path.join(os.path.dirname(header), "kernel.c")],
                          stderr=subprocess.DEVNULL).returncode


@tap.limit(300)
def test_a_run_of_several_shapes_gives_the_best_of_each_and_of_all():
    place = cli.Place()
    searched(place, task_in(place.folder))
    place.end_daemon()
    header = os.path.join(place.folder, "best.h")
    place.both("export", "--per-shape", "-o", header)
    tap.equal(entries(header), 3, "entries")
    sizes = {"exact": (4, 4000), "near": (1, 32, 500, 32000), "far": (33, 499, 32001),
             "none": (0, -5)}
    expected = {"exact": [0, 1], "near": [0, 0, 1, 1], "far": [2, 2, 2], "none": [-1, -1]}
    tap.equal({k: chosen(header, v) for k, v in sizes.items()}, expected, "MODE chosen")
    tap.equal(chosen(header, (64, 65), "-DEVO_WHICH_NEAR=16"), [0, 2], "with a wider limit")
    if shutil.which("g++"):
        tap.equal(chosen(header, (4, 32, 32001), compiler=("g++", "-std=c++11", "-x", "c++")),
                  [0, 0, 2], "in C++")
    tap.equal([compiled(header, f"-DEVO_WHICH_ENTRY={k}") for k in range(3)], [0, 0, 0], "entries")
    tap.equal(compiled(header, "-DEVO_WHICH_ENTRY=3") != 0, True, "an entry there is not")


@tap.limit(300)
def test_runs_of_one_shape_each_are_put_together_and_constraints_kept():
    place = cli.Place()
    path = task_in(place.folder, constraints=["MODE != 1 || N % 2 == 0"])
    for shape, modes in (("small", "0,1,2"), ("large", "0,1,2"), ("small", "0"), ("large", "1")):
        searched(place, path, "--shape", shape, "--set", f"MODE={modes}")
    place.end_daemon()
    header = os.path.join(place.folder, "best.h")
    _, said = place.both("export", "1", "2", "--per-shape", "-o", header)
    tap.equal("was timed on" in said, False, said)
    tap.equal(chosen(header, (4, 4000, 3998, 3999)), [0, 1, 1, 2], "MODE chosen")
    _, said = place.both("export", "4", "3", "--per-shape", "-o", header)
    tap.contains(said, "was timed on 1 of 2 shapes")
    tap.equal(chosen(header, (4, 4000, 3998, 3999)), [0, 1, 1, 0], "MODE chosen")


def test_what_does_not_go_together_is_refused():
    place = cli.Place()
    searched(place, task_in(place.folder), "--shape", "small")
    place.run("start", cli.TINY, "--budget", "1", "--fresh")
    path = task_in(place.folder)
    with open(os.path.join(place.folder, "kernel.c"), "a", encoding="utf-8") as f:
        f.write("int another;\n")
    place.run("start", path, "--budget", "1")
    place.end_daemon()
    for words, part in (
            (("1", "2"), "several runs: only a header with --per-shape"),
            (("1", "--per-shape", "--trial", "1"), "expected neither --trial"),
            (("1", "--per-shape", "--format", "csv"), "expected neither --trial"),
            (("1", "2", "--per-shape"), "runs 1 and 2 differ in their task"),
            (("1", "3", "--per-shape"), "runs 1 and 3 differ in their sources"),
            (("1", "9", "--per-shape"), "no run 9")):
        tap.contains(place.complaint("export", *words), part)


def macros(text):
    return dict(re.findall(r"^#define (\w+) (.+)$", text, re.M))


@test_cuda.needs_all
def test_the_launch_of_a_gpu_kernel_is_told_for_any_shape():
    place = test_cuda.place()

    def two_sizes(task):
        task["shapes"] = {"small": {"dims": {"N": 1003}}, "large": {"dims": {"N": 65536}}}
        task["measure"].update(samples_min=5, samples_max=10, sample_us=100)
    path = device_runs.copy_task("vector_add.json", place.folder, two_sizes)
    place.run("start", path, "--budget", "3")
    place.end_daemon()
    header = os.path.join(place.folder, "best.h")
    place.both("export", "--per-shape", "-o", header)
    with open(header, encoding="utf-8") as f:
        trials = re.findall(r"\* shape +(\w+) \(N (\d+)\): entry (\d+), .* trial 1:(\d+)", f.read())
    tap.equal([t[:2] for t in trials], [("small", "1003"), ("large", "65536")], "shapes")
    for shape, size, entry, trial in trials:
        one = macros(place.run("export", "--trial", trial))
        expected = [one[f"EVO_GRID_X_{shape.upper()}"], one["EVO_BLOCK_X"],
                    one["EVO_SHARED_BYTES"]]
        tap.equal(launch(header, entry, size), expected, f"launch of {shape}")


def launch(header, entry, size):
    program = os.path.join(os.path.dirname(header), "launch")
    source = f"""#include <stdio.h>
#include "{header}"
int main(void)
{{
	struct evo_vector_add_launch l;

	if (evo_vector_add_select({size}) != {entry} || evo_vector_add_launch(-1, {size}, &l) != -1)
		return 1;
	if (evo_vector_add_launch({entry}, {size}, &l))
		return 1;
	printf("%lld %lld %lld\\n", l.grid[0], l.block[0], l.shared_bytes);
	return 0;
}}
"""
    done = subprocess.run(["cc", "-std=c99", *WARNINGS, "-x", "c", "-o", program, "-"],
                          input=source, text=True, capture_output=True)
    tap.equal(done.returncode, 0, f"cc: {done.stderr}")
    return subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout.split()


if __name__ == "__main__":
    tap.main(globals())
