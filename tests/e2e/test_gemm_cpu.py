#!/usr/bin/env python3
"""Runs the matrix product on the CPU, lane by lane, and compares it with sums in double.

See tests/kernels/cpu/sdpa.cpp for what that proves and what it cannot.
"""

import os

import tap
from test_sdpa_cpu import KERNELS, call, compiled, compiler, defines, task


def check(preset, **changes):
    shared = task("gemm_f16")["kernel"]["shared_bytes"].replace("'", "")
    program = os.path.join(tap.folder(), "gemm")
    cpu, cpp = os.path.join(KERNELS, "cpu"), compiler()
    call([cpp, "-std=c++17", "-O1", "-Wno-unknown-pragmas", "-I" + cpu,
          "-I" + os.path.join(tap.ROOT, "src", "kernels"),
          *defines(dict(task("gemm_f16")["presets"][preset], **changes)),
          f"-DSHARED_BYTES={shared}", "-o", program, os.path.join(cpu, "gemm.cpp"),
          compiled(cpp, os.path.join("cpu", "lanes.cpp"), "-std=c++17"), "-lm"])
    call([program])


def test_the_copy_ring_is_right():
    check("mma", TILE_M=64, TILE_N=64)


def test_many_small_warps_with_short_rows_are_right():
    check("mma", TILE_M=64, TILE_K=32, WARPS_M=4, WARPS_N=4, STAGES=2, GROUP=1)


def test_narrow_tiles_are_right():
    check("narrow")


def test_two_warpgroups_are_right():
    check("wgmma", TILE_N=64)


def test_persistent_warpgroups_with_short_rows_are_right():
    check("persistent", TILE_M=64, TILE_N=32, TILE_K=32, WARPS_M=4, STAGES=3, PRODUCERS=1, GROUP=1)


def test_a_warpgroup_of_two_times_64_rows_is_right():
    check("persistent", TILE_N=32, WARPS_M=4, STAGES=8, PRODUCERS=2)


if __name__ == "__main__":
    tap.main(globals())
