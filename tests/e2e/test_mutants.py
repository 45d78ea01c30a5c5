#!/usr/bin/env python3
"""Every planted mistake of tests/mutants that shows without a GPU is rejected, and what it was
planted in is accepted: the attention kernel lane by lane on the CPU, the matrix product through
`evo-tuned bench`.
"""

import concurrent.futures
import os
import subprocess
import sys
import tempfile
import threading

import tap
import test_sdpa_cpu as emulation

sys.path.insert(0, os.path.join(tap.ROOT, "tests", "mutants"))
import mutants  # noqa: E402

SHARED_PARTS = threading.Lock()


def emulate(mutant, plant):
    """("ok", ""), or what went wrong: compile_error or wrong, and the text about it."""
    config = dict(emulation.task()["presets"][mutant.preset], **mutant.settings)
    with tempfile.TemporaryDirectory(prefix="evo") as folder:
        kernels = mutants.copy_kernels(folder)
        if plant:
            mutant.plant(kernels)
        program = os.path.join(folder, "sdpa")
        with SHARED_PARTS:
            command = emulation.build(config, kernels, program)
        for words, outcome in ((command, "compile_error"), ([program], "wrong")):
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=mutants.LIMIT_S - 10)
            if done.returncode:
                return outcome, done.stdout[:1000]
    return "ok", ""


def why_not_emulated(mutant, plant):
    return mutant.cpu if plant else ""


def emulation_test(pool, mutant, plant):
    """It is begun at once, beside others, unless tests were named."""
    why = why_not_emulated(mutant, plant)
    begun = pool.submit(emulate, mutant, plant) if len(sys.argv) == 1 and not why else None

    def test():
        if why:
            tap.skip(why)
        outcome, text = begun.result() if begun else emulate(mutant, plant)
        expected = "compile_error" if "compile_error" in mutant.expect else "wrong"
        tap.equal(outcome, expected if plant else "ok", f"outcome ({text})")
    return test


def main():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        sdpa = mutants.tests("sdpa", lambda mutant: emulation_test(pool, mutant, True),
                             lambda mutant: emulation_test(pool, mutant, False))
        sgemm = mutants.tests("sgemm",
                              lambda mutant: lambda: mutants.reject(mutant, "sgemm_host.json"),
                              lambda mutant: lambda: mutants.accept(mutant, "sgemm_host.json"))
        tap.main({**sdpa, **sgemm})


if __name__ == "__main__":
    main()
