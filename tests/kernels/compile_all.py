#!/usr/bin/env python3
"""Compiles legal configurations of a task's kernel: all of them, or a random sample.

    compile_all.py [--sample N] [--seed S] [--jobs J] [TASK]

A mistake that breaks one combination of macros only (a clash of names, say) shows nowhere else.
What is legal is found by a C program made of the task's constraints, whose language is C's; the
compiling is done by `evo-tuned worker compile`, which needs NVRTC but no GPU. A kernel may check
the task's formula for shared memory by a macro EXPECT_SHARED_BYTES. Prints what does not compile
and exits 1 if there is any.
"""

import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EVO = os.path.abspath(os.environ.get("EVO") or os.path.join(ROOT, "evo-tuned"))
ARCH = "sm_90a"
DEVICE = {"sm_shared_bytes": 233472, "max_shared_bytes": 232448}  # of compute capability 9.0


class NoCompiler(Exception):
    """There is no NVRTC here; the text says where it was looked for."""


def in_c(expression):
    """A string 'x' of the task's language becomes the constant v_x, device.y becomes device_y."""
    return re.sub(r"'(\w+)'", r"v_\1", expression).replace("device.", "device_")


def literal(value):
    return f"v_{value}" if isinstance(value, str) else str(int(value))


def enumerator(task, shape):
    """A C program that prints the positions of each legal configuration's values, then its shared
    bytes."""
    parameters = task["parameters"]
    words = sorted({v for p in parameters.values() for v in p["values"] if isinstance(v, str)})
    rules = [c if isinstance(c, str) else c["expression"] for c in task.get("constraints", [])]
    lines = ["#include <stdio.h>",
             "#define min(a, b) ((a) < (b) ? (a) : (b))",
             "#define max(a, b) ((a) > (b) ? (a) : (b))",
             "#define ceil_div(a, b) (((a) + (b) - 1) / (b))"]
    lines += [f"enum {{ v_{word} = {1000 + i} }};" for i, word in enumerate(words)]
    lines += [f"enum {{ {name} = {value} }};" for name, value in shape["dims"].items()]
    lines += [f"enum {{ device_{name} = {value} }};" for name, value in DEVICE.items()]
    lines += ["int main(void)", "{"]
    for name, p in parameters.items():
        values = ", ".join(map(literal, p["values"]))
        lines += [f"static const int of_{name}[] = {{ {values} }};",
                  f"for (int i_{name} = 0; i_{name} < {len(p['values'])}; i_{name}++) {{",
                  f"const int {name} = of_{name}[i_{name}];"]
    lines += [f"if (!({in_c(rule)})) continue;" for rule in rules]
    lines += [f'printf("%d ", i_{name});' for name in parameters]
    lines += [f'printf("%d\\n", {in_c(task["kernel"].get("shared_bytes", "0"))});',
              "}" * len(parameters), "}"]
    return "\n".join(lines)


def legal(task):
    """[(configuration, shared bytes)], for the first shape that is timed."""
    shape = next(s for s in task["shapes"].values() if "time" in s["use"])
    with tempfile.TemporaryDirectory(prefix="evo") as folder:
        program = os.path.join(folder, "legal")
        subprocess.run(["cc", "-O1", "-w", "-x", "c", "-o", program, "-"], check=True, text=True,
                       input=enumerator(task, shape))
        out = subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout
    found = []
    for line in out.splitlines():
        *at, shared = map(int, line.split())
        found.append(({name: p["values"][i]
                       for (name, p), i in zip(task["parameters"].items(), at)}, shared))
    return found


def request(number, task, source, cache, config, shared):
    defines = dict(config, EXPECT_SHARED_BYTES=shared)
    job = {"language": "cuda", "source": source, "entry": task["kernel"]["entry"], "arch": ARCH,
           "cache": cache, "c_types": [], "buffers": [],
           "options": task["kernel"].get("flags", []) + [f"-D{n}={v}" for n, v in defines.items()]}
    return json.dumps({"id": number, "do": "compile", "runtime": "cuda", "job": job})


class Pool:
    """Workers that each take the next configuration when they are done with one."""

    def __init__(self, task_path, configs):
        with open(task_path, encoding="utf-8") as f:
            self.task = json.load(f)
        self.source = os.path.normpath(os.path.join(os.path.dirname(task_path),
                                                    self.task["kernel"]["source"]))
        self.configs = iter(enumerate(configs, 1))
        self.lock = threading.Lock()
        self.failures = []
        self.error = None

    def next(self):
        with self.lock:
            return None if self.error else next(self.configs, None)

    def judge(self, config, reply):
        if "error" in reply:
            self.error = reply["error"]
        elif reply["artifact"]["outcome"] != "ok":
            self.failures.append((config, reply["artifact"]["log"]))
        else:
            os.unlink(reply["artifact"]["path"])

    def work(self):
        with tempfile.TemporaryDirectory(prefix="evo") as cache, \
             subprocess.Popen([EVO, "worker", "compile"], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as worker:
            for number, (config, shared) in iter(self.next, None):
                worker.stdin.write(request(number, self.task, self.source, cache, config, shared)
                                   + "\n")
                worker.stdin.flush()
                line = worker.stdout.readline()
                self.judge(config, json.loads(line) if line else
                           {"error": {"code": "died", "message": json.dumps(config)}})
            worker.stdin.close()

    def run(self, jobs):
        threads = [threading.Thread(target=self.work) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.error:
            kind = NoCompiler if self.error["code"] == "missing" else RuntimeError
            raise kind(self.error["message"])
        return self.failures


def compile_some(task_path, sample=0, seed=None, jobs=0):
    """(number compiled, [(configuration, log)] of those that were refused); sample 0: all."""
    with open(task_path, encoding="utf-8") as f:
        configs = legal(json.load(f))
    if sample:
        configs = random.Random(seed).sample(configs, min(sample, len(configs)))
    return len(configs), Pool(task_path, configs).run(jobs or os.cpu_count())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", nargs="?", default=os.path.join(ROOT, "configs", "sdpa_u8.json"))
    parser.add_argument("--sample", type=int, default=0, help="how many (default: all)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=0, help="workers (default: one a core)")
    a = parser.parse_args()
    compiled, failures = compile_some(a.task, a.sample, a.seed, a.jobs)
    for config, log in itertools.islice(failures, 20):
        print(f"{json.dumps(config)}\n{log[:1000]}")
    print(f"{compiled} configurations, {len(failures)} refused; seed {a.seed}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
