#!/usr/bin/env python3
"""What holds a kernel up: one row of a Markdown table for each configuration, by Nsight Compute.

    profile_kernel.py [--evo PROGRAM] [--configs FOLDER] [--budget 128] [--keep FOLDER] WHAT...

WHAT is TASK@SHAPE, which is searched for its best first, or TASK@SHAPE:PRESET,NAME=VALUE,...: that
preset with some parameters set otherwise. TASK is the name of a task in the folder, SHAPE one of
its shapes or the dimensions of another, 4x16x1024x64.

The configuration becomes a program of its own (`export --format standalone`), nvcc builds it, and
ncu measures its second launch, with caches and clocks left as they are. Where the figures of ncu
have other names than those that are looked for, the table has a dash; --keep FOLDER keeps all it
says as CSV. Needs a GPU whose counters may be read, nvcc and ncu. Shares are per cent of what the
unit can do at most: SM, L2, DRAM and L1 in the whole time, issue slots, warps and pipes while an SM
had work. Stalls are the mean number of warps that wait so, for each warp that issues.
"""
import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys

import compare_torch

SECTIONS = ("SpeedOfLight", "ComputeWorkloadAnalysis", "MemoryWorkloadAnalysis", "SchedulerStats",
            "WarpStateStats", "Occupancy", "LaunchStats")
BUILD = re.compile(r"^ \*\t(nvcc .*)$", re.MULTILINE)
CALL = re.compile(r"in a graph of \d+: median (\S+) us")
# What is shown: the names that its figure has in one version of ncu or another.
FIGURES = (
    ("ncu's time", ("gpu__time_duration.sum", "gpu__time_duration.avg")),
    ("SM", ("sm__throughput.avg.pct_of_peak_sustained_elapsed",)),
    ("issue slots", ("sm__inst_issued.avg.pct_of_peak_sustained_active",
                     "smsp__issue_active.avg.pct_of_peak_sustained_active",
                     "smsp__issue_active.avg.pct")),
    ("L2", ("lts__t_sectors.avg.pct_of_peak_sustained_elapsed",
            "lts__throughput.avg.pct_of_peak_sustained_elapsed")),
    ("DRAM", ("gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed",
              "dram__throughput.avg.pct_of_peak_sustained_elapsed")),
    ("L1, shared", ("l1tex__data_pipe_lsu_wavefronts.avg.pct_of_peak_sustained_elapsed",
                    "l1tex__throughput.avg.pct_of_peak_sustained_active")),
    ("warps", ("sm__warps_active.avg.pct_of_peak_sustained_active",)),
    ("registers", ("launch__registers_per_thread",)),
)
PIPE = re.compile(r"sm__(?:inst_executed_)?pipe_(\w+?)(?:_cycles_active)?"
                  r"\.(?:avg|sum|max)\.pct_of_peak_sustained_(?:active|elapsed)$")
STALL = re.compile(r"smsp__average_warps_issue_stalled_(\w+?)_per_issue_active\.ratio$")
OTHER = re.compile("_type_|_not_issued$|^selected$")  # parts of a pipe, a share of a stall, no stall
NS = {"nsecond": 1, "ns": 1, "usecond": 1e3, "us": 1e3, "msecond": 1e6, "ms": 1e6}


def report(text):
    """{name of a figure: (number, unit)} of what ncu --csv --page raw prints; a number with the
    separators of a locale, or what is none, is left out."""
    lines = list(csv.reader(line for line in text.splitlines() if line.startswith('"')))
    if len(lines) < 3:
        raise compare_torch.Failed("ncu has no figures: " + text.strip()[-400:])
    found = {}
    for name, unit, value in zip(*lines[:3]):
        try:
            found[name] = float(value.replace(",", "")), unit
        except ValueError:
            continue
    return found


def figure(found, name, names):
    number, unit = next((found[n] for n in names if n in found), (None, ""))
    if number is None:
        return "-"
    if unit in NS:
        return f"{number * NS[unit] / 1000:.2f} us"
    return f"{number:.0f}" if name == "registers" else f"{number:.0f} %"


def largest(found, pattern, least, count, text):
    """The `count` largest of the figures whose names match, as "alu 30, fma 20"."""
    values = {}
    for name, (number, _) in found.items():
        match = pattern.match(name)
        if match and not OTHER.search(match.group(1)):
            values[match.group(1)] = max(number, values.get(match.group(1), 0))
    first = sorted(values, key=lambda name: -values[name])[:count]
    return ", ".join(text % (name, values[name]) for name in first if values[name] >= least) or "-"


def cells(found):
    return [figure(found, *f) for f in FIGURES] + [largest(found, PIPE, 1, 6, "%s %.0f"),
                                                    largest(found, STALL, 0.05, 5, "%s %.2f")]


HEAD = ["configuration", "a call", *(name for name, _ in FIGURES), "pipes, %",
        "stalls, warps an issue"]


def what(words):
    """(task, shape, preset or None, {parameter: value})"""
    match = re.fullmatch(r"(\w+)@(\w+)(?::(\w+)((?:,\w+=[^,]+)*))?", words)
    if not match:
        raise argparse.ArgumentTypeError(f"expected TASK@SHAPE or TASK@SHAPE:PRESET,NAME=VALUE,..., "
                                         f"found {words}")
    task, shape, preset, settings = match.groups()
    return task, shape, preset, dict(s.split("=", 1) for s in (settings or "").split(",") if s)


def shape_of(task, shape):
    known = task["shapes"]
    if shape in known:
        return known[shape]["dims"]
    names = list(next(iter(known.values()))["dims"])
    if not re.fullmatch(r"\d+(x\d+)*", shape) or shape.count("x") != len(names) - 1:
        raise compare_torch.Failed(f"shape {shape}: expected one of {', '.join(known)}, or sizes of "
                                   f"{', '.join(names)} as 2x8")
    return dict(zip(names, map(int, shape.split("x"))))


def only(path, preset, settings):
    """Leaves the task one preset, which is then what is tried first."""
    with open(path, encoding="utf-8") as f:
        task = json.load(f)
    if preset not in task["presets"]:
        raise compare_torch.Failed(f"no preset {preset}; there are {', '.join(task['presets'])}")
    config = task["presets"][preset]
    unknown = set(settings) - set(config)
    if unknown:
        raise compare_torch.Failed(f"no parameter {', '.join(sorted(unknown))}")
    for name, text in settings.items():
        config[name] = type(config[name])(text)
    task.update(presets={"profiled": config}, baseline="profiled")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(task, f)


def task_copy(ours, words):
    """A task timed on that shape, with nothing but that preset if there is one to take."""
    name, shape, preset, settings = words
    path = os.path.join(ours.o.configs, name + ".json")
    with open(path, encoding="utf-8") as f:
        task = json.load(f)
    copy = compare_torch.with_shape(path, shape_of(task, shape), ours.folder)
    if preset:
        only(copy, preset, settings)
    return copy, task["kernel"]["entry"]


def command(*words, seconds=300):
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=seconds)
    if done.returncode:
        raise compare_torch.Failed(f"{words[0]}: status {done.returncode}: {done.stdout[-800:]}")
    return done.stdout


def tool(name):
    found = shutil.which(name) or f"/usr/local/cuda/bin/{name}"
    if not os.path.exists(found):
        sys.exit(f"profile_kernel.py: no {name} on PATH or in /usr/local/cuda/bin; the CUDA toolkit has it")
    return found


def build(ours):
    """The program of the newest run's best."""
    source = os.path.join(ours.folder, "x.cu")
    ours.run("export", "--format", "standalone", "-o", source)
    with open(source, encoding="utf-8") as f:
        words = BUILD.search(f.read()).group(1).split()
    program = os.path.join(ours.folder, "x")
    command(tool("nvcc"), *(w for w in words[1:] if w not in ("-o", "x", "x.cu")), source, "-o",
            program)
    return program


def measured(program, entry):
    sections = [word for section in SECTIONS for word in ("--section", section)]
    return command(tool("ncu"), "--clock-control", "none", "--cache-control", "none", "--csv",
                   "--page", "raw", "--kernel-name", f"regex:{entry}", "--launch-skip", "1",
                   "--launch-count", "1", *sections, program, "--check")


def profile(ours, text, words):
    copy, entry = task_copy(ours, words)
    budget = 1 if words[2] else ours.o.budget
    nvrtc = ["--nvrtc", ours.o.nvrtc] if ours.o.nvrtc else []
    ours.run("start", copy, "--fresh", "--budget", str(budget), "--seed", "1", *nvrtc)
    config = ours.json("top", "-k", "1")[0]["config"]
    program = build(ours)
    call = CALL.search(command(program))
    said = measured(program, entry)
    if ours.o.keep:
        os.makedirs(ours.o.keep, exist_ok=True)
        with open(os.path.join(ours.o.keep, re.sub(r"\W+", "_", text) + ".csv"), "w",
                  encoding="utf-8") as f:
            f.write(said)
    print("| " + " | ".join([text, f"{call.group(1)} us" if call else "-", *cells(report(said))])
          + " |", flush=True)
    compare_torch.say(f"{text}: {json.dumps(config)}")


def options():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="+", metavar="WHAT", type=lambda text: (text, what(text)))
    p.add_argument("--evo", default=os.path.join(compare_torch.ROOT, "evo-tuned"),
                   help="the program")
    p.add_argument("--configs", default=os.path.join(compare_torch.ROOT, "configs"),
                   help="folder of the tasks")
    p.add_argument("--nvrtc", help="libnvrtc.so, where the program does not find it")
    p.add_argument("--budget", type=int, default=128, help="trials of a search")
    p.add_argument("--limit", type=float, default=900, metavar="SECONDS", help="of all of it")
    p.add_argument("--keep", metavar="FOLDER", help="keep what ncu says there")
    o = p.parse_args()
    o.evo = os.path.abspath(o.evo)
    return o


def main():
    o = options()
    failed = 0
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    with compare_torch.Ours(o) as ours:
        for text, words in o.what:
            try:
                profile(ours, text, words)
            except (compare_torch.Failed, LookupError, ValueError, AttributeError, OSError,
                    subprocess.TimeoutExpired) as why:
                failed += 1
                compare_torch.say(f"{text}: {type(why).__name__}: {why}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
