"""Planted mistakes: each mutant is a patch of a kernel's source that verification must reject.

A file tests/mutants/KERNEL/NAME.patch opens with a header, folded like that of a mail:

    What     the mistake, in words
    Preset   of the task; parameters on top of it are in
    Set      NAME=VALUE, separated by blanks
    Expect   the outcomes that reject it, separated by blanks
    Shapes   of the task; by default those of the test
    Cpu      why the emulation on a CPU cannot show it
    Unseen   why verification accepts it so far; a test then skips it, saying so

A blank line ends it; a unified diff against src/kernels follows.
"""

import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import cli  # noqa: E402
import tap  # noqa: E402

FIELDS = {"What", "Preset", "Set", "Expect", "Shapes", "Cpu", "Unseen"}


class Mutant:
    def __init__(self, path):
        self.name = os.path.basename(path).removesuffix(".patch")
        with open(path, encoding="utf-8") as f:
            header, self.diff = f.read().split("\n\n", 1)
        fields = dict(line.split(": ", 1) for line in header.replace("\n  ", " ").split("\n"))
        if not {"What", "Preset", "Expect"} <= set(fields) <= FIELDS:
            raise ValueError(f"{path}: its header has the fields {sorted(fields)}")
        self.preset = fields["Preset"]
        self.settings = dict(word.split("=") for word in fields.get("Set", "").split())
        self.expect = fields["Expect"].split()
        self.shapes = fields.get("Shapes", "").split()
        self.cpu = fields.get("Cpu", "")
        self.unseen = fields.get("Unseen", "")

    def plant(self, kernels):
        """Changes the copy of src/kernels in this folder."""
        for path, hunks in read_diff(self.diff).items():
            replace(os.path.join(kernels, path), hunks)

    def setting(self):
        """In words what it is planted in: the same for mutants that differ in nothing else."""
        return "_".join([self.preset, *(f"{n}_{v}" for n, v in self.settings.items()),
                         *self.shapes])


def read_diff(text):
    """{file: [(old text, new text)]}"""
    files = {}
    for line in text.splitlines():
        if line.startswith("+++ b/"):
            hunks = files.setdefault(line[6:], [])
        elif line.startswith("@@"):
            hunks.append(([], []))
        elif not line.startswith("---"):
            old, new = hunks[-1]
            if line[:1] in ("-", " "):
                old.append(line[1:] + "\n")
            if line[:1] in ("+", " "):
                new.append(line[1:] + "\n")
    return {path: [("".join(old), "".join(new)) for old, new in hunks]
            for path, hunks in files.items()}


def replace(path, hunks):
    """Line numbers do not count, but what a hunk takes out must be there, and once."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for old, new in hunks:
        if text.count(old) != 1:
            raise AssertionError(f"{path}: found {text.count(old)} times, not once; the patch is "
                                 f"to be made anew:\n{old}")
        text = text.replace(old, new)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def corpus(kernel):
    folder = os.path.join(HERE, kernel)
    return [Mutant(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]


def copy_kernels(folder):
    """A copy of src/kernels to plant a mutant in."""
    kernels = os.path.join(folder, "src", "kernels")
    shutil.copytree(os.path.join(tap.ROOT, "src", "kernels"), kernels)
    return kernels


def copy_task(kernels, name, deadline_s):
    """A copy of a task of configs that takes the kernels from the copy; its path."""
    with open(os.path.join(tap.ROOT, "configs", name), encoding="utf-8") as f:
        task = json.load(f)
    task["kernel"]["measure_timeout_s"] = deadline_s
    folder = os.path.join(os.path.dirname(os.path.dirname(kernels)), "configs")
    os.mkdir(folder)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(task, f)
    return path


HANG_S, DEADLINE_S = 3, 60  # what is to hang is not waited for; all else has time on any machine
LIMIT_S = 150


def bench(mutant, task, shapes=(), plant=True):
    """The trial that `evo-tuned bench` makes of the mutant, or of what it would be planted in."""
    deadline_s = HANG_S if plant and "hang" in mutant.expect else DEADLINE_S
    kernels = copy_kernels(tap.folder())
    if plant:
        mutant.plant(kernels)
    words = ["bench", copy_task(kernels, task, deadline_s), "--json",
             "--preset", mutant.preset]
    for name, value in mutant.settings.items():
        words += ["--set", f"{name}={value}"]
    for shape in mutant.shapes or shapes:
        words += ["--shape", shape]
    child = cli.Place().popen(*words)
    out, err = child.communicate(timeout=LIMIT_S - 10)
    if child.returncode not in (0, 1) or not out:
        raise AssertionError(f"{' '.join(words)}: status {child.returncode}\n{err}")
    trial = json.loads(out)
    tap.equal(child.returncode, int(trial["outcome"] != "ok"), "exit status")
    return trial


def reject(mutant, *task, **how):
    found = bench(mutant, *task, **how)
    if mutant.unseen and found["outcome"] == "ok":
        tap.skip("accepted: " + mutant.unseen)
    if found["outcome"] not in mutant.expect:
        raise AssertionError(f"expected {' or '.join(mutant.expect)}, found {found['outcome']}: "
                             f"{found['detail']}")


def accept(mutant, *task, **how):
    found = bench(mutant, *task, plant=False, **how)
    tap.equal(found["outcome"], "ok", f"outcome ({found['detail']})")


def tests(kernel, rejecting, accepting):
    """{name: test}: each mutant is rejected, and each setting they have accepted without one.

    rejecting(mutant) and accepting(mutant) each give a test.
    """
    planted = corpus(kernel)
    names = {f"test_{kernel}_{setting}_is_accepted": accepting(mutant)
             for setting, mutant in {m.setting(): m for m in planted}.items()}
    names.update((f"test_{kernel}_with_{mutant.name}_is_rejected", rejecting(mutant))
                 for mutant in planted)
    return {name: tap.limit(LIMIT_S)(test) for name, test in names.items()}
