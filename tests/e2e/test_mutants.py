#!/usr/bin/env python3
"""Every planted mistake of tests/mutants that shows without a GPU is rejected, and what it was
planted in is accepted: the attention kernel lane by lane on the CPU, the matrix product through
`evo-tuned bench`.
"""

import os
import subprocess
import sys

import tap
import test_sdpa_cpu as emulation

sys.path.insert(0, os.path.join(tap.ROOT, "tests", "mutants"))
import mutants  # noqa: E402


def emulate(mutant, kernels):
    """("ok", ""), or what went wrong: compile_error or wrong, and the text about it."""
    config = dict(emulation.task()["presets"][mutant.preset], **mutant.settings)
    command, program = emulation.build(config, kernels)
    for words, outcome in ((command, "compile_error"), ([program], "wrong")):
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=55)
        if done.returncode:
            return outcome, done.stdout[:1000]
    return "ok", ""


def reject_by_emulation(mutant):
    if mutant.cpu:
        tap.skip(mutant.cpu)
    kernels = mutants.copy_kernels()
    mutant.plant(kernels)
    outcome, text = emulate(mutant, kernels)
    expected = "compile_error" if "compile_error" in mutant.expect else "wrong"
    tap.equal(outcome, expected, f"outcome ({text})")


def accept_by_emulation(mutant):
    if mutant.fills or mutant.shapes:
        tap.skip("the emulation has inputs and shapes of its own")
    outcome, text = emulate(mutant, os.path.join(tap.ROOT, "src", "kernels"))
    tap.equal(outcome, "ok", f"outcome ({text})")


def reject_by_bench(mutant):
    mutants.reject(mutant, "sgemm_host.json")


def accept_by_bench(mutant):
    mutants.accept(mutant, "sgemm_host.json")


if __name__ == "__main__":
    tap.main({**mutants.tests("sgemm", reject_by_bench, accept_by_bench),
              **mutants.tests("sdpa", reject_by_emulation, accept_by_emulation)})
