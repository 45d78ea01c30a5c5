#!/usr/bin/env python3
"""Runs the attention kernel on the CPU, lane by lane, and compares it with the golden answer.

See tests/kernels/cpu/sdpa.cpp for what that proves and what it cannot.
"""

import functools
import json
import os
import shutil
import subprocess
import tempfile

import tap

KERNELS = os.path.join(tap.ROOT, "tests", "kernels")


def task(name="sdpa_u8"):
    with open(os.path.join(tap.ROOT, "configs", name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def compiler():
    found = next(filter(shutil.which, ("g++", "clang++", "c++")), None)
    if not found:
        tap.skip("no C++ compiler: install g++")
    return found


def defines(config):
    return [f"-D{name}={value}" for name, value in config.items()]


def call(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout[:2000]}")


PARTS = tempfile.TemporaryDirectory(prefix="evo")


@functools.lru_cache(maxsize=None)
def compiled(compiler_name, source, *options):
    """A part that several variants share, as an object file."""
    target = os.path.join(PARTS.name, "-".join([os.path.basename(source), *options]) + ".o")
    call([compiler_name, "-O2", "-c", *options, "-o", target, os.path.join(KERNELS, source)])
    return target


def build(config, kernels, program, name="sdpa_u8"):
    """The command that compiles one setting of a task's kernel, from a folder, into a program."""
    shared = task(name)["kernel"]["shared_bytes"].replace("'", "")
    source = os.path.join("sdpa", os.path.basename(task(name)["kernel"]["source"]))
    cpp = compiler()
    return [cpp, "-std=c++17", "-O1", "-Wno-unknown-pragmas",
            "-I" + os.path.join(KERNELS, "cpu"), "-I" + kernels, *defines(config),
            f"-DSHARED_BYTES={shared}", f'-DKERNEL="{source}"', "-o", program,
            os.path.join(KERNELS, "cpu", "sdpa.cpp"),
            compiled(cpp, os.path.join("cpu", "lanes.cpp"), "-std=c++17"),
            compiled("cc", "sdpa_golden.c", f"-DHEAD_DIM={config['HEAD_DIM']}"), "-lm"]


def check(preset, name="sdpa_u8", **changes):
    program = os.path.join(tap.folder(), "sdpa")
    call(build(dict(task(name)["presets"][preset], **changes),
               os.path.join(tap.ROOT, "src", "kernels"), program, name))
    call([program])


def test_direct_loads_are_right():
    check("stage0")


def test_the_copy_ring_is_right():
    check("stage1", STAGES=3, EXP="expf", DEQUANT="arith")


def test_wmma_is_right():
    check("stage2", PAD=0)


def test_the_register_path_is_right():
    check("stage3")


def test_subnormal_values_and_late_rescaling_are_right():
    check("stage4")


def test_late_rescaling_of_shared_rows_with_half_scores_is_right():
    check("stage4", QK="f16", ROWMAX="fp", WARPS=8, EXP="mix", TILE_N=32, Q_IN_REGISTERS=0)


def test_one_producer_is_right():
    check("stage5_p1")


def test_two_producers_and_merging_warps_are_right():
    check("stage5_p2", WARPS=8, STAGES=2, TILE_N=32)


def test_persistent_blocks_are_right():
    check("stage4", PERSISTENT=1, STAGES=0, WARPS=8)


def test_persistent_blocks_with_producers_are_right():
    check("stage6", WARPS=8, TILE_N=128, TILE_M=32)


def test_warps_that_share_rows_merge_their_keys():
    check("stage3", WARPS=8, EXP="half2", STAGES=3)


def test_a_warp_of_32_rows_with_half_scores_is_right():
    check("stage3", TILE_M=128, TILE_N=32, QK="f16", Q_IN_REGISTERS=0, DEQUANT="arith",
          EXP="poly", ROWSUM="add", STAGES=0, VEC=4, PAD=16)


def test_swizzled_tiles_are_right():
    check("stage3", TILE_M=16, WARPS=2, PAD=0, SWIZZLE=1, STAGES=4)


def test_heads_of_128_are_right():
    check("stage3", HEAD_DIM=128, PAD=0, SWIZZLE=1)


def test_halves_are_right():
    check("stage4", "sdpa_f16")


def test_halves_from_shared_memory_with_merging_warps_are_right():
    check("stage3", "sdpa_f16", Q_IN_REGISTERS=0, WARPS=8, TILE_N=32, ROWSUM="add", EXP="mix")


def test_heads_of_128_halves_with_a_producer_are_right():
    check("stage5_p1", "sdpa_f16", HEAD_DIM=128, TILE_M=32, WARPS=2)


def test_e4m3_is_right():
    check("stage4", "sdpa_e4m3")


def test_e4m3_tensor_cores_are_right():
    check("stage5_p2", "sdpa_e4m3", QK="e4m3", Q_IN_REGISTERS=1, HEAD_DIM=128, EXP="poly")


if __name__ == "__main__":
    tap.main(globals())
