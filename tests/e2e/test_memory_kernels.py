#!/usr/bin/env python3
"""The memory-bound kernels: random legal configurations compile, each to a binary of its own, and
are right when they run on the CPU, lane by lane (tests/kernels/cpu/memory.cpp).
"""

import json
import os
import random
import sys

import tap
import test_sdpa_cpu as cpu

sys.path.insert(0, cpu.KERNELS)
import compile_all  # noqa: E402

NAMES = ("transpose", "softmax_f16", "rmsnorm_f16")
COMPILED = 16  # a run, of each
EMULATED = 3
LIMIT_S = 300  # on a loaded machine


def path(name):
    return os.path.join(tap.ROOT, "configs", name + ".json")


def read(name):
    with open(path(name), encoding="utf-8") as f:
        return json.load(f)


def draw(name, count):
    """(random legal configurations, the seed that gives them)"""
    seed = random.SystemRandom().randrange(1 << 32)
    task = read(name)
    lines = random.Random(seed).sample(compile_all.legal_lines(task), count)
    return [compile_all.parsed(task, line) for line in lines], seed


def emulate(name, config, *options, source=None):
    """Runs a configuration; None, or what is wrong with it."""
    task = read(name)
    source = source or os.path.normpath(os.path.join(tap.ROOT, "configs", task["kernel"]["source"]))
    program = os.path.join(tap.folder(), "kernel")
    compiler = cpu.compiler()
    cpu.call([compiler, "-std=c++17", "-O1", "-Wno-unknown-pragmas", *options,
              "-I" + os.path.join(cpu.KERNELS, "cpu"), *cpu.defines(config),
              f'-DKERNEL_SOURCE="{source}"', "-DKERNEL_" + name.removesuffix("_f16"),
              "-o", program, os.path.join(cpu.KERNELS, "cpu", "memory.cpp"),
              cpu.compiled(compiler, os.path.join("cpu", "lanes.cpp"), "-std=c++17"), "-lm"])
    try:
        cpu.call([program])
    except AssertionError as wrong:
        return str(wrong)
    return None


def compiles(name):
    def test():
        configs, seed = draw(name, COMPILED)
        built = compile_all.Pool(path(name), configs)
        try:
            tap.equal(built.run(2), [], f"refused, seed {seed}")
        except compile_all.NoCompiler as why:
            tap.skip(str(why).splitlines()[0])
        tap.equal(len(built.binaries), COMPILED, f"compiled, seed {seed}")
    return tap.limit(LIMIT_S)(test)


def is_right(name):
    def test():
        configs, seed = draw(name, EMULATED)
        for config in [*read(name)["presets"].values(), *(config for config, _ in configs)]:
            tap.equal(emulate(name, config), None, f"{json.dumps(config)}, seed {seed}")
    return tap.limit(LIMIT_S)(test)


def a_mistake_is_noticed(name, preset, file, before, after):
    def test():
        folder = tap.folder()
        kernels = os.path.join(tap.ROOT, "src", "kernels", os.path.dirname(file))
        for entry in os.listdir(kernels):
            if os.path.isfile(os.path.join(kernels, entry)):
                with open(os.path.join(kernels, entry), encoding="utf-8") as f:
                    text = f.read()
                if entry == os.path.basename(file):
                    tap.contains(text, before)
                    text = text.replace(before, after)
                with open(os.path.join(folder, entry), "w", encoding="utf-8") as f:
                    f.write(text)
        source = os.path.join(folder, os.path.basename(read(name)["kernel"]["source"]))
        wrong = emulate(name, read(name)["presets"][preset], source=source)
        tap.equal(wrong is None, False, "accepted")
    return tap.limit(LIMIT_S)(test)


MISTAKES = {
    "a_missing_barrier": ("softmax_f16", "kept", "rows/row.cuh", "__syncthreads();", ""),
    "a_sum_that_forgets_its_rescaling":
        ("softmax_f16", "online", "rows/softmax_f16.cu", "sum * weight(before, most)", "sum"),
    "a_vector_that_is_out_of_line":
        ("rmsnorm_f16", "fast", "rows/rmsnorm_f16.cu", "columns % VEC == 0", "true"),
    "a_tile_written_past_the_matrix":
        ("transpose", "padded", "transpose.cu", "if (left + c < columns)", ""),
}

if __name__ == "__main__":
    tests = {}
    for kernel in NAMES:
        tests[f"test_random_configurations_of_{kernel}_compile"] = compiles(kernel)
        tests[f"test_presets_and_random_configurations_of_{kernel}_are_right"] = is_right(kernel)
    for mistake, where in MISTAKES.items():
        tests[f"test_{mistake}_is_noticed"] = a_mistake_is_noticed(*where)
    tap.main(tests)
