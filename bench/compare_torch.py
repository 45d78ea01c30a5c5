#!/usr/bin/env python3
"""PyTorch beside the best of ours, in one run, on the shapes of attention, GEMM and row kernels.

    compare_torch.py [--evo PROGRAM] [--configs FOLDER] [--budget 256] [--only softmax,sdpa]

Prints a Markdown table. Ours is the best configuration that `evo-tuned start` finds for the shape
(its final's first, in a database of this run's own), or with --preset NAME that preset; a task that
does not list the shape is copied with it. PyTorch's time is the median of 50 replays of a CUDA graph
of 20 calls, over 20; ours is the tuner's graph timing, L2 warm on both sides. Both times are taken
in turn, PyTorch's before and after the search, and the smaller of its two counts.

Needs PyTorch with CUDA and the standard library, nothing else of this source tree.
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

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CALLS, REPLAYS = 20, 50
SHAPE = "compared"


def graph_us(torch, call):
    """Microseconds of one call."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(CALLS):
            call()
    samples = []
    for _ in range(REPLAYS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        samples.append(1000 * begin.elapsed_time(end) / CALLS)
    return statistics.median(samples)


def halves(torch, *size):
    return torch.randn(*size, device="cuda", dtype=torch.float16)


def softmax(torch, dims):
    x = halves(torch, dims["R"], dims["C"])
    return {"softmax": lambda: torch.softmax(x, -1)}


def rms_norm(torch, dims):
    x, weight = halves(torch, dims["R"], dims["C"]), halves(torch, dims["C"])
    norm = torch.nn.functional.rms_norm
    found = {"rms_norm": lambda: norm(x, (dims["C"],), weight, 1e-5)}
    if hasattr(torch, "_fused_rms_norm"):
        found["fused"] = lambda: torch._fused_rms_norm(x, (dims["C"],), weight, 1e-5)
    return found


def matmul(torch, dims):
    a, b = halves(torch, dims["M"], dims["K"]), halves(torch, dims["K"], dims["N"])
    out = torch.empty(dims["M"], dims["N"], device="cuda", dtype=torch.float16)
    return {"matmul": lambda: torch.matmul(a, b, out=out)}


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
    "softmax": (softmax, ["softmax_f16"], [rows(8192, 1024), rows(16384, 4096), rows(4096, 8192)]),
    "rms_norm": (rms_norm, ["rmsnorm_f16"],
                 [rows(8192, 1024), rows(16384, 4096), rows(4096, 8192)]),
    "sdpa": (attention, ["sdpa_f16", "sdpa_e4m3", "sdpa_u8", "sdpa_u8_hopper", "sdpa_u8_d128",
                         "sdpa_u8_hopper_d128"],
             [heads(2, 8, 256, 64), heads(2, 8, 512, 64), heads(2, 8, 2048, 64),
              heads(4, 16, 1024, 64), heads(2, 16, 4096, 128)]),
    "gemm": (matmul, ["gemm_f16"], [dims("MNK", 4096, 4096, 4096)]),
}


def theirs(torch, side, shape):
    """{name: microseconds, or None where it refuses}"""
    found = {}
    for name, call in side(torch, shape).items():
        try:
            found[name] = graph_us(torch, call)
        except RuntimeError as why:
            print(f"{name}: {str(why).splitlines()[0]}", file=sys.stderr)
            found[name] = None
    torch.cuda.empty_cache()
    return found


def with_shape(path, shape, folder):
    """A copy of a task that is timed on this shape alone and checked on all; None: not for it."""
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
    task["shapes"] = {**{name: {**s, "use": ["check"]} for name, s in task["shapes"].items()
                         if math.prod(s["dims"].values()) <= 1 << 24},
                      SHAPE: {"dims": shape}}
    task.setdefault("measure", {})["l2"] = "warm"
    copy = os.path.join(folder, f"{task['name']}-{'x'.join(map(str, shape.values()))}.json")
    with open(copy, "w", encoding="utf-8") as f:
        json.dump(task, f)
    return copy


class Ours:
    """The program with a database and a daemon of its own."""

    def __init__(self, o):
        self.o = o
        self.folder = tempfile.mkdtemp(prefix="evo-torch-")
        self.env = {**os.environ, "EVO_TUNED_DB": os.path.join(self.folder, "e.db"),
                    "EVO_TUNED_SOCKET": os.path.join(self.folder, "s")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([self.o.evo, "stop"], env=self.env, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words):
        """What it prints; what it says when it fails is shown."""
        done = subprocess.run([self.o.evo, *words], env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            print(f"{' '.join(words)}: {done.stderr[-500:]}", file=sys.stderr)
        return done.stdout

    def json(self, *words):
        return json.loads(self.run(*words, "--json") or "null")

    def best(self, task, shape):
        """(microseconds, configuration, roofline) or None."""
        copy = with_shape(os.path.join(self.o.configs, task + ".json"), shape, self.folder)
        if copy is None:
            return None
        nvrtc = ["--nvrtc", self.o.nvrtc] if self.o.nvrtc else []
        if self.o.preset:
            found = self.json("bench", copy, "--preset", self.o.preset, *nvrtc)
            if not found or found["outcome"] != "ok":
                return None
            timing = next(t for t in found["timings"] if t["shape_name"] == SHAPE)
            return timing["p50_us"], found["config"], timing["roofline"]
        self.run("start", copy, "--fresh", "--budget", str(self.o.budget), "--seed",
                 str(self.o.seed), *nvrtc)
        top = self.json("top", str(self.json("runs")[0]["run"]), "-k", "1")
        return (top[0]["p50_us"], top[0]["config"], top[0]["roofline"]) if top else None


def share(roofline):
    """The larger share of a ceiling, in words."""
    known = {"of bandwidth": (roofline or {}).get("memory_share"),
             "of arithmetic": (roofline or {}).get("compute_share")}
    known = {what: value for what, value in known.items() if value}
    if not known:
        return ""
    what = max(known, key=known.get)
    return f"{100 * known[what]:.0f} % {what}"


def row(torch, ours, o, group, shape):
    side, tasks, _ = GROUPS[group]
    before = theirs(torch, side, shape)
    found = {task: ours.best(task, shape) for task in tasks
             if os.path.exists(os.path.join(o.configs, task + ".json"))}
    after = theirs(torch, side, shape)
    times = {name: min(filter(None, (us, after[name])), default=None)
             for name, us in before.items()}
    fastest = min(filter(None, times.values()), default=None)
    size = "(" + ",".join(map(str, shape.values())) + ")"
    listed = ", ".join(f"{name} {us:.2f}" if us else f"{name} -" for name, us in times.items())
    for task, best in found.items():
        if best is not None:
            us, config, roofline = best
            ratio = f"{fastest / us:.2f}x" if fastest else ""
            print(f"| {group} {size} | {listed} | {task} | {us:.2f} | {ratio} | {share(roofline)} |",
                  flush=True)
            print(f"{task} {size}: {json.dumps(config)}", file=sys.stderr, flush=True)


def options():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--evo", default=os.path.join(ROOT, "evo-tuned"), help="the program")
    p.add_argument("--configs", default=os.path.join(ROOT, "configs"), help="folder of the tasks")
    p.add_argument("--nvrtc", help="libnvrtc.so, where the program does not find it")
    p.add_argument("--budget", type=int, default=256, help="trials a task and shape")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--preset", help="time this preset in place of a search")
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
    print("| shape | PyTorch, FP16 | our task | ours | its fastest / ours | ours, share of a ceiling |")
    print("|---|---|---|---|---|---|")
    with Ours(o) as ours:
        for group in o.only.split(","):
            side, tasks, shapes = GROUPS[group]
            if o.tasks:
                tasks = [task for task in tasks if task in o.tasks.split(",")]
                GROUPS[group] = side, tasks, shapes
            for shape in shapes:
                row(torch, ours, o, group, shape)


if __name__ == "__main__":
    main()
