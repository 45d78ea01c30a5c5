#!/usr/bin/env python3
"""bench/profile_kernel.py with stand-ins for the driver, nvcc and ncu: which figures it finds, and how."""

import os
import subprocess
import sys

import device_runs
import tap
import test_cuda

SCRIPT = os.path.join(tap.ROOT, "bench", "profile_kernel.py")
sys.path.insert(0, os.path.dirname(SCRIPT))
import profile_kernel as profile  # noqa: E402

# As ncu prints it: what it says itself, then names, units and one launch.
SAID = '''==PROF== Connected to process 1
"ID","Kernel Name","gpu__time_duration.sum","sm__inst_issued.avg.pct_of_peak_sustained_active",\
"sm__inst_executed_pipe_alu.avg.pct_of_peak_sustained_active",\
"sm__pipe_tensor_op_hmma_cycles_active.avg.pct_of_peak_sustained_active",\
"smsp__average_warps_issue_stalled_barrier_per_issue_active.ratio",\
"smsp__average_warps_issue_stalled_wait_per_issue_active.ratio",\
"smsp__average_warps_issue_stalled_wait_not_issued_per_issue_active.ratio",\
"smsp__average_warps_issue_stalled_selected_per_issue_active.ratio",\
"sm__inst_executed_pipe_fma_type_fp16.avg.pct_of_peak_sustained_active",\
"launch__registers_per_thread"
"","","usecond","%","%","%","warp","warp","warp","warp","%","register/thread"
"0","vector_add(int)","1,234.5","61.4","20.4","48","0.25","1.5","9","1.0","80","166"
'''


def test_figures_are_found_by_name_and_others_are_a_dash():
    cells = dict(zip(profile.HEAD[2:], profile.cells(profile.report(SAID))))
    tap.equal(cells, {"ncu's time": "1234.50 us", "SM": "-", "issue slots": "61 %", "L2": "-",
                      "DRAM": "-", "L1, shared": "-", "warps": "-", "registers": "166",
                      "pipes, %": "tensor_op_hmma 48, alu 20",
                      "stalls, warps an issue": "wait 1.50, barrier 0.25"})


def test_what_is_profiled_is_read_strictly():
    tap.equal(profile.what("sdpa_u8@long"), ("sdpa_u8", "long", None, {}))
    tap.equal(profile.what("sdpa_u8@2x8x64x64:stage4,EXP=poly,STAGES=2"),
              ("sdpa_u8", "2x8x64x64", "stage4", {"EXP": "poly", "STAGES": "2"}))
    for wrong in ("sdpa_u8", "@long", "sdpa_u8@long:", "sdpa_u8@long:stage4,EXP"):
        done = subprocess.run([sys.executable, SCRIPT, wrong], text=True, stderr=subprocess.PIPE)
        tap.equal(done.returncode, 2, f"status of {wrong}")
        tap.contains(done.stderr, f"found {wrong}")


def stand_in(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)


def profiled(*words):
    """(status, stdout, stderr), nvcc giving a program that says how long a call takes."""
    folder = tap.folder()
    stand_in(folder, "nvcc", f'for program; do :; done; cp {folder}/program "$program"\n')
    stand_in(folder, "program", "echo '  a launch in a graph of 100: median 5.78 us, fastest 5 us'\n")
    stand_in(folder, "ncu", f"echo \"$*\" > {folder}/asked; cat <<'END'\n{SAID}END\n")
    device_runs.small_vector_add(folder)
    env = {**os.environ, **test_cuda.with_standin(),
           "PATH": folder + ":" + os.environ["PATH"]}
    done = subprocess.run([sys.executable, SCRIPT, "--evo", tap.EVO, "--configs", folder, "--keep",
                           os.path.join(folder, "kept"), "--budget", "3", *words],
                          env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done, folder


@test_cuda.needs_all
def test_a_preset_and_the_best_of_a_search_each_give_a_row():
    preset = "vector_add@1000:wide,BLOCK=64"
    done, folder = profiled(preset, "vector_add@large")
    tap.equal((done.returncode, len(done.stdout.splitlines())), (0, 4), done.stderr)
    row = done.stdout.splitlines()[2]
    tap.contains(row, f"| {preset} | 5.78 us | 1234.50 us |")
    tap.contains(done.stderr, '"BLOCK": 64')
    with open(os.path.join(folder, "asked"), encoding="utf-8") as f:
        tap.contains(f.read(), "--kernel-name regex:vector_add --launch-skip 1 --launch-count 1")
    with open(os.path.join(folder, "kept", "vector_add_large.csv"), encoding="utf-8") as f:
        tap.equal(f.read(), SAID, "what is kept")


@test_cuda.needs_all
def test_a_mistake_is_told_and_the_rest_goes_on():
    done, _ = profiled("vector_add@1000:no_such", "vector_add@2x2", "vector_add@1000:wide,X=1",
                       "vector_add@1000:plain")
    tap.equal((done.returncode, len(done.stdout.splitlines())), (1, 3), done.stderr)
    for part in ("no preset no_such; there are plain, wide", "expected one of tiny", "no parameter X"):
        tap.contains(done.stderr, part)


if __name__ == "__main__":
    tap.main(globals())
