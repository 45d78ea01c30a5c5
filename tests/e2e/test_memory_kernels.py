#!/usr/bin/env python3
"""The memory-bound kernels: random legal configurations compile, each to a binary of its own."""

import json
import os
import random
import sys

import tap

sys.path.insert(0, os.path.join(tap.ROOT, "tests", "kernels"))
import compile_all  # noqa: E402

SAMPLE = 20


def read(name):
    with open(os.path.join(tap.ROOT, "configs", name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def pool(name, configs):
    return compile_all.Pool(os.path.join(tap.ROOT, "configs", name + ".json"), configs)


def compiles(name):
    def test():
        seed = random.SystemRandom().randrange(1 << 32)
        configs = random.Random(seed).sample(list(compile_all.legal(read(name))), SAMPLE)
        built = pool(name, configs)
        try:
            tap.equal(built.run(2), [], f"refused, seed {seed}")
        except compile_all.NoCompiler as why:
            tap.skip(str(why).splitlines()[0])
        tap.equal(len(set(built.binaries.values())) >= SAMPLE - 2, True,
                  f"different binaries, seed {seed}: {built.binaries}")
    return test


if __name__ == "__main__":
    tap.main({f"test_a_random_sample_of_{name}_compiles": compiles(name)
              for name in ("transpose",)})
