#!/usr/bin/env python3
"""PyTorch beside the best of ours, in one run, on the shapes of attention, GEMM and row kernels.

    compare_torch.py [--evo PROGRAM] [--configs FOLDER] [--budget 256] [--limit 600]
                     [--only softmax,sdpa] [--tasks sdpa_u8] [--preset NAME]

Prints a Markdown table, each row as soon as it is known. Ours is the best configuration that
`evo-tuned start` finds for the shape (its final's first, in a database of this run's own), or with
--preset NAME that preset; a task that does not list the shape is copied with it. On both sides a
sample is one CUDA graph of as many calls as last half a millisecond, L2 warm, and the time the
median of the samples. PyTorch is timed before and after the search, and the smaller of its two
times counts. `copy` moves the bytes that a row kernel has to, and is no rival but the ceiling.

A side that fails, or a search that is not done when --limit is, leaves a dash and a reason on
stderr. Needs PyTorch with CUDA and the standard library, nothing else of this source tree.
"""
import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SAMPLES, SAMPLE_US, WARM_S, CALLS_MAX = 50, 500, 0.05, 500
SHAPE = "compared"
CHECKED_MAX = 1 << 26  # product of the dimensions of another shape that is checked, too
CEILING = "copy"


def captured(torch, call, calls):
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            call()
    return graph


def sample_us(torch, graph):
    """Of one replay, on a device that was idle before it."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    graph.replay()
    end.record()
    end.synchronize()
    return 1000 * begin.elapsed_time(end)


def graph_us(torch, call):
    """Microseconds of one call."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.synchronize()
    few = captured(torch, call, 10)
    sample_us(torch, few)
    calls = round(SAMPLE_US / max(sample_us(torch, few) / 10, 0.1))
    calls = min(max(calls, 1), CALLS_MAX)
    graph = captured(torch, call, calls)
    begin = time.monotonic()
    while time.monotonic() - begin < WARM_S:  # clocks rise with the load
        sample_us(torch, graph)
    return statistics.median(sample_us(torch, graph) for _ in range(SAMPLES)) / calls


def halves(torch, *size):
    return torch.randn(*size, device="cuda", dtype=torch.float16)


def copy_of(torch, x):
    out = torch.empty_like(x)
    return lambda: out.copy_(x)


def softmax(torch, dims):
    x = halves(torch, dims["R"], dims["C"])
    return {"softmax": lambda: torch.softmax(x, -1), CEILING: copy_of(torch, x)}


def rms_norm(torch, dims):
    x, weight = halves(torch, dims["R"], dims["C"]), halves(torch, dims["C"])
    norm = torch.nn.functional.rms_norm
    found = {"rms_norm": lambda: norm(x, (dims["C"],), weight, 1e-5), CEILING: copy_of(torch, x)}
    if hasattr(torch, "_fused_rms_norm"):
        found["fused"] = lambda: torch._fused_rms_norm(x, (dims["C"],), weight, 1e-5)
    return found


def matmul(torch, dims):
    """cuBLAS on both layouts of B; ours has the rows of the linear layer's weight."""
    a, weight = halves(torch, dims["M"], dims["K"]), halves(torch, dims["N"], dims["K"])
    plain = weight.t().contiguous()
    out = torch.empty(dims["M"], dims["N"], device="cuda", dtype=torch.float16)
    return {"linear": lambda: torch.matmul(a, weight.t(), out=out),
            "matmul": lambda: torch.matmul(a, plain, out=out)}


def attention(torch, dims):
    """Each backend by itself: one that does not take the shape says so when it is called."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    q, k, v = (halves(torch, dims["B"], dims["H"], dims["S"], dims["D"]) for _ in range(3))

    def by(backend):
        def call():
            with sdpa_kernel(backend):
                return torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return call
    names = {"math": "MATH", "flash": "FLASH_ATTENTION", "efficient": "EFFICIENT_ATTENTION",
             "cuDNN": "CUDNN_ATTENTION"}
    return {name: by(getattr(SDPBackend, backend)) for name, backend in names.items()
            if hasattr(SDPBackend, backend)}


def dims(names, *values):
    return dict(zip(names, values))


def rows(*size):
    return dims("RC", *size)


def heads(*size):
    return dims("BHSD", *size)


# group: (PyTorch's side, tasks of ours, shapes)
GROUPS = {
    "sdpa": (attention, ["sdpa_u8", "sdpa_u8_hopper", "sdpa_f16", "sdpa_e4m3",
                         "sdpa_u8_hopper_d128", "sdpa_u8_d128"],
             [heads(2, 8, 512, 64), heads(2, 8, 256, 64), heads(2, 8, 2048, 64),
              heads(4, 16, 1024, 64), heads(2, 16, 4096, 128)]),
    "gemm": (matmul, ["gemm_f16"], [dims("MNK", 4096, 4096, 4096)]),
    "softmax": (softmax, ["softmax_f16"], [rows(16384, 4096), rows(8192, 1024), rows(4096, 8192)]),
    "rms_norm": (rms_norm, ["rmsnorm_f16"],
                 [rows(16384, 4096), rows(8192, 1024), rows(4096, 8192)]),
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def first_line(why):
    return (str(why).strip().splitlines() or [type(why).__name__])[0]


def theirs(torch, side, shape):
    """{name: microseconds, or None where it refuses}"""
    found = {}
    try:
        calls = side(torch, shape)
    except Exception as why:  # of any library below PyTorch
        say(f"PyTorch, {shape}: {first_line(why)}")
        return found
    for name, call in calls.items():
        try:
            found[name] = graph_us(torch, call)
        except Exception as why:
            say(f"{name}: {first_line(why)}")
            found[name] = None
    calls.clear()
    torch.cuda.empty_cache()
    return found


def with_shape(path, shape, folder):
    """A copy of a task that is timed on this shape alone, and checked on it and on those that the
    task only checks; None: not for it."""
    with open(path, encoding="utf-8") as f:
        task = json.load(f)
    example = next(iter(task["shapes"].values()))["dims"]
    if set(example) != set(shape) or example.get("D") != shape.get("D"):
        return None
    home = os.path.dirname(os.path.abspath(path))
    reference = task["reference"]
    for part in [task["kernel"], *(reference if isinstance(reference, list) else [reference])]:
        if "source" in part:
            part["source"] = os.path.normpath(os.path.join(home, part["source"]))
        if "include" in part:
            part["include"] = [os.path.normpath(os.path.join(home, i)) for i in part["include"]]
    task.pop("$schema", None)
    task["shapes"] = {**{name: s for name, s in task["shapes"].items() if s.get("use") == ["check"]
                         and math.prod(s["dims"].values()) <= CHECKED_MAX},
                      SHAPE: {"dims": shape}}
    task.setdefault("measure", {})["l2"] = "warm"
    copy = os.path.join(folder, f"{task['name']}-{'x'.join(map(str, shape.values()))}.json")
    with open(copy, "w", encoding="utf-8") as f:
        json.dump(task, f)
    return copy


class Failed(Exception):
    """One search or bench gave no time; the text says why."""


class Ours:
    """The program with a database and a daemon of its own."""

    def __init__(self, o):
        self.o = o
        self.deadline = time.monotonic() + o.limit
        self.folder = tempfile.mkdtemp(prefix="evo-torch-")
        self.env = {**os.environ, "EVO_TUNED_DB": os.path.join(self.folder, "e.db"),
                    "EVO_TUNED_SOCKET": os.path.join(self.folder, "s")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            subprocess.run([self.o.evo, "stop"], env=self.env, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as why:
            say(f"stop: {why}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words):
        """What it prints."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Failed("the time of --limit is over")
        try:
            done = subprocess.run([self.o.evo, *words], env=self.env, text=True, timeout=left + 20,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except subprocess.TimeoutExpired as why:
            raise Failed(f"{words[0]}: not done after {why.timeout:.0f} s") from why
        if done.returncode:
            raise Failed(f"{' '.join(words)}: status {done.returncode}: {done.stderr[-400:]}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.run(*words, "--json"))

    def preset(self, copy, *nvrtc):
        found = self.json("bench", copy, "--preset", self.o.preset, *nvrtc)
        timing = next(t for t in found["timings"] if t["shape_name"] == SHAPE)
        return timing["p50_us"], found["config"], timing["roofline"]

    def best(self, task, shape):
        """(microseconds, configuration, roofline); None: the task is not for such shapes."""
        copy = with_shape(os.path.join(self.o.configs, task + ".json"), shape, self.folder)
        if copy is None:
            return None
        nvrtc = ["--nvrtc", self.o.nvrtc] if self.o.nvrtc else []
        if self.o.preset:
            return self.preset(copy, *nvrtc)
        left = max(1, int(self.deadline - time.monotonic()))
        self.run("start", copy, "--fresh", "--budget", str(self.o.budget), "--seed",
                 str(self.o.seed), "--time-limit", str(left), *nvrtc)
        top = self.json("top", str(self.json("runs")[0]["run"]), "-k", "1")[0]
        us = (top["final"] or top)["p50_us"] or top["p50_us"]
        return us, top["config"], top["roofline"]


def share(roofline):
    """The larger share of a ceiling, in words."""
    known = {"of bandwidth": (roofline or {}).get("memory_share"),
             "of arithmetic": (roofline or {}).get("compute_share")}
    known = {what: value for what, value in known.items() if value}
    if not known:
        return ""
    what = max(known, key=known.get)
    return f"{100 * known[what]:.0f} % {what}"


def size_of(shape):
    return "(" + ",".join(map(str, shape.values())) + ")"


def ours_of(ours, tasks, shape):
    """{task: what Ours.best gives, or None where it failed} of the tasks for such shapes."""
    found = {}
    for task in tasks:
        if not os.path.exists(os.path.join(ours.o.configs, task + ".json")):
            continue
        try:
            best = ours.best(task, shape)
            if best is not None:
                found[task] = best
                say(f"{task} {size_of(shape)}: {best[0]:.2f} us {json.dumps(best[1])}")
        except (Failed, LookupError, ValueError, StopIteration, OSError) as why:
            say(f"{task} {size_of(shape)}: {type(why).__name__}: {why}")
            found[task] = None
    return found


def smaller(before, after):
    """{name: the smaller of two times, or None} of what both sides of a search gave."""
    return {name: min(filter(None, (before.get(name), after.get(name))), default=None)
            for name in {**before, **after}}


def row(torch, ours, group, shape):
    side, tasks, _ = GROUPS[group]
    before = theirs(torch, side, shape)
    found = ours_of(ours, tasks, shape)
    times = smaller(before, theirs(torch, side, shape))
    ceiling = times.pop(CEILING, None)
    fastest = min(filter(None, times.values()), default=None)
    listed = ", ".join(f"{name} {us:.2f}" if us else f"{name} -" for name, us in times.items())
    for task, best in (found or {"": None}).items():
        us, _, roofline = best or (None, None, None)
        cells = [f"{group} {size_of(shape)}", listed, task, f"{us:.2f}" if us else "-",
                 f"{fastest / us:.2f}x" if fastest and us else "-", share(roofline),
                 f"{ceiling:.2f}: {100 * ceiling / us:.0f} %" if ceiling and us else ""]
        print("| " + " | ".join(cells) + " |", flush=True)


def options():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--evo", default=os.path.join(ROOT, "evo-tuned"), help="the program")
    p.add_argument("--configs", default=os.path.join(ROOT, "configs"), help="folder of the tasks")
    p.add_argument("--nvrtc", help="libnvrtc.so, where the program does not find it")
    p.add_argument("--budget", type=int, default=256, help="trials a task and shape")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--preset", help="time this preset in place of a search")
    p.add_argument("--limit", type=float, default=600, metavar="SECONDS",
                   help="no search begins or goes on after that")
    p.add_argument("--only", default=",".join(GROUPS), help="groups: " + ", ".join(GROUPS))
    p.add_argument("--tasks", help="only these tasks of ours, by name")
    o = p.parse_args()
    o.evo = os.path.abspath(o.evo)
    unknown = set(o.only.split(",")) - set(GROUPS)
    if unknown:
        p.error(f"--only: no group {', '.join(sorted(unknown))}")
    return o


def main():
    o = options()
    try:
        import torch
    except ImportError:
        sys.exit("compare_torch.py: needs PyTorch with CUDA: pip install torch")
    if not torch.cuda.is_available():
        sys.exit("compare_torch.py: PyTorch finds no GPU")
    print(f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, "
          f"{torch.cuda.get_device_name()}; times in us\n")
    print("| shape | PyTorch, FP16 | our task | ours | its fastest / ours | ours, share of a ceiling "
          "| a copy: its share |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with Ours(o) as ours:
        for group in o.only.split(","):
            side, tasks, shapes = GROUPS[group]
            if o.tasks:
                tasks = [task for task in tasks if task in o.tasks.split(",")]
                GROUPS[group] = side, tasks, shapes
            for shape in shapes:
                row(torch, ours, group, shape)


if __name__ == "__main__":
    main()
