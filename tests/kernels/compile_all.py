#!/usr/bin/env python3
"""Compiles legal configurations of a task's kernel: all of them, or a random sample.

    compile_all.py [--sample N | --pairs N | --each-parameter N] [--seed S] [--jobs J] [TASK]

A mistake that breaks one combination of macros only (a clash of names, say) shows nowhere else.
What is legal is found by a C program made of the task's constraints, whose language is C's; the
compiling is done by `evo-tuned worker compile`, which needs NVRTC but no GPU. A kernel may check
the task's formula for shared memory by a macro EXPECT_SHARED_BYTES. Prints what does not compile
and exits 1 if there is any.

With --pairs each of N configurations is compiled beside a legal one that differs in one parameter,
and pairs with one and the same binary are counted: there the parameter has no effect, and the space
holds a configuration twice. A random sample would hardly ever meet both. With --each-parameter N
such pairs are compiled for each parameter: one that changes the binary in none of them is inert.
"""

import argparse
import collections
import hashlib
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
TRIES = 2000  # lines that are asked for a neighbour
DEVICE = {"compute_major": 9, "sm_shared_bytes": 233472, "max_shared_bytes": 232448}  # of compute capability 9.0


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


def legal_lines(task):
    """What the enumerator prints, for the first shape that is timed."""
    shape = next(s for s in task["shapes"].values() if "time" in s.get("use", ["time"]))
    with tempfile.TemporaryDirectory(prefix="evo") as folder:
        program = os.path.join(folder, "legal")
        subprocess.run(["cc", "-O1", "-w", "-x", "c", "-o", program, "-"], check=True, text=True,
                       input=enumerator(task, shape))
        out = subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout
    return out.splitlines()


def parsed(task, line):
    """(configuration, shared bytes)"""
    *at, shared = map(int, line.split())
    return ({name: p["values"][i] for (name, p), i in zip(task["parameters"].items(), at)}, shared)


def legal(task):
    """(configuration, shared bytes) one after the other: a large space does not fit as a whole."""
    return (parsed(task, line) for line in legal_lines(task))


def with_shared(task, configs):
    """[(configuration, shared bytes)] of those of the configurations that are legal."""
    at = {name: {value: str(i) for i, value in enumerate(p["values"])}
          for name, p in task["parameters"].items()}
    wanted = {" ".join(at[name][config[name]] for name in at) for config in configs}
    return [parsed(task, line) for line in legal_lines(task) if line.rsplit(" ", 1)[0] in wanted]


def neighbour(task, known, i, line):
    """The legal lines that differ from this one in parameter i alone."""
    at = line.split()[:-1]
    values = range(len(list(task["parameters"].values())[i]["values"]))
    others = (" ".join([*at[:i], str(v), *at[i + 1:]]) for v in values if str(v) != at[i])
    return [known[other] for other in others if other in known]


def by_positions(lines):
    return {line.rsplit(" ", 1)[0]: line for line in lines}


def neighbours(task, lines, count, draw):
    """[(parameter, line, line)]: legal configurations that differ in that parameter alone."""
    known, names, found = by_positions(lines), list(task["parameters"]), []
    while len(found) < count:
        line, i = draw.choice(lines), draw.randrange(len(names))
        others = neighbour(task, known, i, line)
        if others:
            found.append((names[i], line, draw.choice(others)))
    return found


def neighbours_of_each(task, lines, count, draw):
    """As above, `count` for each parameter; fewer where hardly any line has such a neighbour."""
    known, found = by_positions(lines), []
    for i, name in enumerate(task["parameters"]):
        left = count
        for line in draw.choices(lines, k=TRIES):
            others = neighbour(task, known, i, line)
            if others and left > 0:
                found.append((name, line, draw.choice(others)))
                left -= 1
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
        self.binaries = {}  # hash by number, from 1
        self.error = None

    def next(self):
        with self.lock:
            return None if self.error else next(self.configs, None)

    def judge(self, number, config, reply):
        if "error" in reply:
            self.error = reply["error"]
        elif reply["artifact"]["outcome"] != "ok":
            self.failures.append((config, reply["artifact"]["log"]))
        else:
            with open(reply["artifact"]["path"], "rb") as f:
                self.binaries[number] = hashlib.sha256(f.read()).digest()
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
                self.judge(number, config, json.loads(line) if line else
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
        task = json.load(f)
    lines = legal_lines(task)
    if sample:
        lines = random.Random(seed).sample(lines, min(sample, len(lines)))
    configs = (parsed(task, line) for line in lines)
    return len(lines), Pool(task_path, configs).run(jobs or os.cpu_count())


def compile_both(task_path, pairs, jobs):
    """(refused as above, [whether both binaries of the pair are one])"""
    with open(task_path, encoding="utf-8") as f:
        task = json.load(f)
    pool = Pool(task_path, [parsed(task, line) for _, *both in pairs for line in both])
    failures = pool.run(jobs or os.cpu_count())
    return failures, [pool.binaries.get(2 * i + 1, 1) == pool.binaries.get(2 * i + 2, 2)
                      for i in range(len(pairs))]


def compile_pairs(task_path, count, seed=None, jobs=0):
    """(refused as above, [(parameter, configuration, its other value)] of equal binaries)"""
    with open(task_path, encoding="utf-8") as f:
        task = json.load(f)
    pairs = neighbours(task, legal_lines(task), count, random.Random(seed))
    failures, same = compile_both(task_path, pairs, jobs)
    return failures, [(name, parsed(task, one)[0], parsed(task, other)[0][name])
                      for (name, one, other), equal in zip(pairs, same) if equal]


def compile_each(task_path, count, seed=None, jobs=0):
    """(refused as above, {parameter: (its pairs, those that differ)})"""
    with open(task_path, encoding="utf-8") as f:
        task = json.load(f)
    pairs = neighbours_of_each(task, legal_lines(task), count, random.Random(seed))
    failures, same = compile_both(task_path, pairs, jobs)
    of = {name: [equal for (at, *_), equal in zip(pairs, same) if at == name]
          for name in task["parameters"]}
    return failures, {name: (len(found), found.count(False)) for name, found in of.items()}


def report_each(a):
    """A parameter that constraints tie to others, or leave one value, has no such pairs."""
    failures, found = compile_each(a.task, a.each_parameter, a.seed, a.jobs)
    inert = [name for name, (pairs, different) in found.items() if pairs and not different]
    alone = [name for name, (pairs, _) in found.items() if not pairs]
    print(f"{os.path.basename(a.task)}: {len(found) - len(inert) - len(alone)} parameters change "
          f"the binary; inert: {', '.join(inert) or 'none'}; never free by itself: "
          f"{', '.join(alone) or 'none'}; {len(failures)} configurations refused; seed {a.seed}")
    sys.exit(1 if failures or inert else 0)


def report_pairs(a):
    failures, equal = compile_pairs(a.task, a.pairs, a.seed, a.jobs)
    for name, config, value in itertools.islice(equal, 20):
        print(f"{name}={value} is the same as {json.dumps(config)}")
    by_name = dict(collections.Counter(name for name, _, _ in equal))
    print(f"{a.pairs} pairs, {len(equal)} of one binary {by_name or ''}, {len(failures)} "
          f"configurations refused; seed {a.seed}")
    sys.exit(1 if failures or len(equal) * 50 > a.pairs else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", nargs="?", default=os.path.join(ROOT, "configs", "sdpa_u8.json"))
    parser.add_argument("--sample", type=int, default=0, help="how many (default: all)")
    parser.add_argument("--pairs", type=int, default=0, help="how many pairs that differ in one")
    parser.add_argument("--each-parameter", type=int, default=0, metavar="N",
                        help="how many such pairs for each parameter")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=0, help="workers (default: one a core)")
    a = parser.parse_args()
    if a.each_parameter:
        report_each(a)
    if a.pairs:
        report_pairs(a)
    compiled, failures = compile_some(a.task, a.sample, a.seed, a.jobs)
    for config, log in itertools.islice(failures, 20):
        print(f"{json.dumps(config)}\n{log[:1000]}")
    print(f"{compiled} configurations, {len(failures)} refused; seed {a.seed}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
