#!/usr/bin/env python3
"""Legal configurations of the attention kernel compile, a random sample of them in each run;
tests/kernels/compile_all.py compiles all of them.
"""

import json
import os
import random
import subprocess
import sys

import cli
import tap

sys.path[:0] = [os.path.join(tap.ROOT, "tests", name) for name in ("kernels", "mutants")]
import compile_all  # noqa: E402
import mutants  # noqa: E402

TASK = os.path.join(tap.ROOT, "configs", "sdpa_u8.json")
OTHERS = ("sdpa_u8_d128", "sdpa_e4m3", "sdpa_f16", "gemm_f16")
SAMPLE = 40


def refused(task, configs):
    try:
        return compile_all.Pool(task, configs).run(2)
    except compile_all.NoCompiler as why:
        tap.skip(str(why).splitlines()[0])


def preset(name, **changes):
    with open(TASK, encoding="utf-8") as f:
        task = json.load(f)
    wanted = dict(task["presets"][name], **changes)
    return next(found for found in compile_all.legal(task) if found[0] == wanted)


def test_c_and_the_program_count_the_same_legal_configurations():
    said = cli.Place().json("check", TASK)
    if said["device"]["arch"] != compile_all.ARCH:
        tap.skip(f"the device has other limits than {compile_all.ARCH}")
    with open(TASK, encoding="utf-8") as f:
        tap.equal(len(compile_all.legal_lines(json.load(f))), said["space"]["valid"],
                  "configurations")


def references():
    """(task and reference, request) of every shipped reference that NVRTC compiles"""
    folder = os.path.join(tap.ROOT, "configs")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            found = json.load(f).get("reference", [])
        for r in found if isinstance(found, list) else [found]:
            if not r.get("source", "").endswith(".cu"):
                continue
            options = r.get("flags", ["-std=c++17"])
            options += [f"-D{n}={v}" for n, v in r.get("defines", {}).items()]
            yield f"{name} {r['entry']}", {
                "language": "cuda", "source": os.path.normpath(os.path.join(folder, r["source"])),
                "entry": r["entry"], "arch": compile_all.ARCH, "c_types": [], "buffers": [],
                "options": options}


def test_references_compile():
    names, jobs = zip(*references())
    cache = tap.folder()
    lines = [json.dumps({"id": i, "do": "compile", "runtime": "cuda", "job": dict(job, cache=cache)})
             for i, job in enumerate(jobs)]
    done = subprocess.run([tap.EVO, "worker", "compile"], input="\n".join(lines) + "\n",
                          stdout=subprocess.PIPE, text=True, check=True)
    for name, line in zip(names, done.stdout.splitlines()):
        reply = json.loads(line)
        if reply.get("error", {}).get("code") == "missing":
            tap.skip(reply["error"]["message"])
        tap.equal(reply["artifact"]["outcome"], "ok", f"{name}: {reply['artifact']['log']}")
    tap.equal(len(done.stdout.splitlines()), len(names), "replies")


def test_a_random_sample_compiles():
    seed = random.SystemRandom().randrange(1 << 32)
    try:
        compiled, failures = compile_all.compile_some(TASK, SAMPLE, seed, 2)
    except compile_all.NoCompiler as why:
        tap.skip(str(why).splitlines()[0])
    tap.equal((compiled, failures), (SAMPLE, []), f"compiled and refused, seed {seed}")


def test_a_random_sample_of_the_other_inputs_compiles():
    seed = random.SystemRandom().randrange(1 << 32)
    for name in OTHERS:
        path = os.path.join(tap.ROOT, "configs", name + ".json")
        try:
            compiled, failures = compile_all.compile_some(path, 6, seed, 2)
        except compile_all.NoCompiler as why:
            tap.skip(str(why).splitlines()[0])
        tap.equal((compiled, failures), (6, []), f"{name}: compiled and refused, seed {seed}")


def test_a_parameter_without_effect_is_noticed():
    with open(TASK, encoding="utf-8") as f:
        task = json.load(f)
    fixed = dict(task["presets"]["stage4"])
    del fixed["EXP"]
    task["constraints"][:0] = [f"{name} == {value!r}" for name, value in fixed.items()]
    task["parameters"]["INERT"] = {"values": [0, 1]}
    task["kernel"]["source"] = os.path.join(os.path.dirname(TASK), task["kernel"]["source"])
    path = os.path.join(tap.folder(), "inert.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(task, f)
    try:
        failures, equal = compile_all.compile_pairs(path, 8, 1, 2)
        each = compile_all.compile_each(path, 1, 1, 2)
    except compile_all.NoCompiler as why:
        tap.skip(str(why).splitlines()[0])
    tap.equal((failures, {name for name, _, _ in equal}), ([], {"INERT"}), "refused, inert")
    tap.equal(each, ([], {**dict.fromkeys(fixed, (0, 0)), "EXP": (1, 1), "INERT": (1, 0)}),
              "refused, and pairs of each parameter")


def test_a_formula_that_differs_from_the_kernel_is_noticed():
    config, shared = preset("stage2")
    found = refused(TASK, [(config, shared), (config, shared + 16)])
    tap.equal(len(found), 1, "refused")
    tap.contains(found[0][1], "the caller's formula differs")


def test_a_clash_in_one_combination_is_noticed():
    clash = next(m for m in mutants.corpus("sdpa") if m.name == "name_clash")
    kernels = mutants.copy_kernels(tap.folder())
    clash.plant(kernels)
    task = mutants.copy_task(kernels, "sdpa_u8.json", 10)
    breaks = preset(clash.preset, **{n: int(v) for n, v in clash.settings.items()})
    found = refused(task, [preset(clash.preset), breaks])
    tap.equal([config for config, _ in found], [breaks[0]], "refused")


if __name__ == "__main__":
    tap.main(globals())
