#!/usr/bin/env python3
"""On a real GPU: `evo-tuned bench` rejects every mutant of the attention kernel and accepts what
they were planted in.
"""

import ctypes
import functools
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "mutants"))
import mutants  # noqa: E402
import tap  # noqa: E402

TASK = "sdpa_u8.json"
SHAPES = ("odd", "ragged", "mission")


@functools.lru_cache(maxsize=None)
def devices():
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    n = ctypes.c_int(0)
    return n.value if cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(n)) == 0 else 0


def on_device(check):
    def test_of(mutant):
        def test():
            if not devices():
                tap.skip("no GPU here")
            check(mutant, TASK, shapes=SHAPES)
        return test
    return test_of


if __name__ == "__main__":
    tap.main(mutants.tests("sdpa", on_device(mutants.reject), on_device(mutants.accept)))
