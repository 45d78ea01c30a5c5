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

TASK = os.path.join(tap.ROOT, "configs", "sdpa_u8_hopper.json")
SAMPLE = 8


class Pool(compile_all.Pool):
    """Counts a kernel whose wgmma are serialised as refused."""

    def judge(self, config, reply):
        artifact = reply.get("artifact", {})
        if artifact.get("outcome") == "ok" and "serialized" in artifact.get("log", ""):
            self.failures.append((config, artifact["log"]))
        super().judge(config, reply)


def refused(configs):
    try:
        return Pool(TASK, configs).run(2)
    except compile_all.NoCompiler as why:
        tap.skip(str(why).splitlines()[0])


def task():
    with open(TASK, encoding="utf-8") as f:
        return json.load(f)


def test_presets_compile_to_asynchronous_wgmma():
    presets = task()["presets"].values()
    configs = [found for found in compile_all.legal(task()) if found[0] in presets]
    tap.equal(len(configs), len(presets), "legal presets")
    tap.equal(refused(configs), [], "refused presets")


def test_a_random_sample_compiles_to_asynchronous_wgmma():
    seed = random.SystemRandom().randrange(1 << 32)
    configs = random.Random(seed).sample(compile_all.legal(task()), SAMPLE)
    tap.equal(refused(configs), [], f"refused, seed {seed}")


def test_too_few_registers_are_noticed():
    config, shared = next(found for found in compile_all.legal(task())
                          if found[0] == task()["presets"]["wide"])
    found = refused([(dict(config, ORDER="queue"), shared)])
    tap.equal(len(found), 1, "refused")
    tap.contains(found[0][1], "serialized")


if __name__ == "__main__":
    tap.main(globals())
