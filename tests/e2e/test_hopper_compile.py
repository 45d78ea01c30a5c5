#!/usr/bin/env python3
"""Legal configurations of the Hopper attention kernel compile, and the compiler leaves its wgmma
asynchronous: where it lacks registers it waits after each one, says so, and the result is correct
but slow. Needs NVRTC but no GPU.
"""

import json
import os
import random
import sys

import tap

sys.path.insert(0, os.path.join(tap.ROOT, "tests", "kernels"))
import compile_all  # noqa: E402

TASKS = [os.path.join(tap.ROOT, "configs", f"sdpa_u8_hopper{suffix}.json")
         for suffix in ("", "_d128")]
SAMPLE = 6


class Pool(compile_all.Pool):
    """Counts a kernel whose wgmma are serialised as refused."""

    def judge(self, number, config, reply):
        artifact = reply.get("artifact", {})
        if artifact.get("outcome") == "ok" and "serialized" in artifact.get("log", ""):
            self.failures.append((config, artifact["log"]))
        super().judge(number, config, reply)


def refused(task, configs):
    try:
        return Pool(task, configs).run(2)
    except compile_all.NoCompiler as why:
        tap.skip(str(why).splitlines()[0])


def read(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def presets(path):
    """[(configuration, shared bytes)]"""
    task = read(path)
    return [found for found in compile_all.legal(task) if found[0] in task["presets"].values()]


def test_presets_compile_to_asynchronous_wgmma():
    for path in TASKS:
        configs = presets(path)
        tap.equal(len(configs), len(read(path)["presets"]), "legal presets")
        tap.equal(refused(path, configs), [], "refused presets")


def test_a_random_sample_compiles_to_asynchronous_wgmma():
    seed = random.SystemRandom().randrange(1 << 32)
    for path in TASKS:
        task = read(path)
        lines = random.Random(seed).sample(compile_all.legal_lines(task), SAMPLE)
        configs = [compile_all.parsed(task, line) for line in lines]
        tap.equal(refused(path, configs), [], f"refused, seed {seed}")


def test_too_few_registers_are_noticed():
    wide = read(TASKS[0])["presets"]["wide"]
    config, shared = next(found for found in presets(TASKS[0]) if found[0] == wide)
    queries = 4 * 64 * 64  # bytes, in registers instead
    found = refused(TASKS[0], [(dict(config, ORDER="overlap", Q_IN_REGISTERS=1),
                                shared - queries)])
    tap.equal(len(found), 1, "refused")
    tap.contains(found[0][1], "serialized")


if __name__ == "__main__":
    tap.main(globals())
