"""What a task says of its work: rates and shares are told, and what cannot be is not believed."""

import json
import os

import cli
import device_runs
import tap
import test_cuda

SGEMM = os.path.join(device_runs.CONFIGS, "sgemm_host.json")
QUICK = ("--set", "VEC=8", "--set", "ROWS=4", "--set", "COLS=2", "--set", "TILE_M=64",
         "--set", "TILE_N=128", "--set", "TILE_K=128", "--set", "UNROLL=1", "--set", "PACK=0")


def with_work(name, folder, work):
    return device_runs.copy_task(name, folder, lambda task: task.update(work=work))


def small_liar(folder):
    """vector_add that claims to move more bytes than any device can in its time."""
    path = device_runs.small_vector_add(folder)
    with open(path) as f:
        task = json.load(f)
    task["work"] = {"bytes": "N * 1000000000"}
    with open(path, "w") as f:
        json.dump(task, f)
    return path


def small_sgemm(folder, work):
    def change(task):
        task["shapes"]["square"]["dims"] = {"M": 64, "N": 128, "K": 128}
        task["shapes"]["square"]["use"] = ["time", "check"]
        task["measure"].update(sample_us=200, samples_min=3, samples_max=5)
        task["presets"] = {"vectors": task["presets"]["vectors"]}
        task["baseline"] = "vectors"
        task["work"] = work
        for part in (task["kernel"], task["reference"]):
            part["source"] = os.path.normpath(os.path.join(device_runs.CONFIGS, part["source"]))
    with open(SGEMM) as f:
        task = json.load(f)
    change(task)
    path = os.path.join(folder, "small_sgemm.json")
    with open(path, "w") as f:
        json.dump(task, f)
    return path


def all_are_suspect(p, task, budget):
    _, said = p.both("start", task, "--budget", str(budget), *(() if "vector" in task else QUICK),
                     status=1)
    tap.contains(said, "suspect")
    run = p.json("show", "1")
    tap.equal(run["outcomes"]["suspect"], run["trials"], "suspect trials")
    tap.equal(run["best"], None, "the best")
    trial = p.json("show", "1:1")
    tap.equal((trial["outcome"], trial["score_us"]), ("suspect", None), "outcome and score")
    tap.equal(trial["p50_us"] > 0 and len(trial["timings"]) == 1, True, "times kept with it")
    tap.contains(trial["detail"], "takes this device at least")
    tap.equal(p.json("top", status=1), [], "top")
    p.complaint("export", "1", status=1)
    tap.contains(p.run("export", "1", "--trial", "1", "--format", "json"), "suspect")


def test_a_liar_on_the_cpu_is_suspect_and_never_the_best():
    p = cli.Place()
    all_are_suspect(p, small_sgemm(p.folder, {"operations": {"f32": "2000000 * M * N * K"}}), 2)


@test_cuda.needs_all
def test_a_liar_on_the_device_is_suspect_and_never_the_best():
    p = test_cuda.place()
    all_are_suspect(p, small_liar(p.folder), 3)


def standing_is_told(p, task, *words):
    p.run("start", task, "--budget", "2", *words)
    best = p.json("top", "-k", "1")[0]
    at = best["roofline"]
    tap.equal(at["ceilings"], "measured", "which ceilings")
    for key in ("bytes_per_s", "operations_per_s", "memory_share", "compute_share", "best_us"):
        tap.equal(at[key] > 0, True, f"{key} ({at[key]})")
    tap.equal(at["bound"] in ("dram", "cache", "compute"), True, f"bound ({at['bound']})")
    trial = p.json("show", f"1:{best['trial']}")
    tap.equal({t["roofline"]["bound"] for t in trial["timings"]}, {at["bound"]}, "bound by shape")
    tap.equal({t["stop"] for t in trial["timings"]} <= {"settled", "limit", "aborted"}, True,
              "why sampling stopped")
    tap.contains(p.run("show", f"1:{best['trial']}"), "under the roofline")
    run = p.json("show", "1")
    for key in ("wait_for_compiler", "wait_for_device", "device_overhead"):
        tap.equal(run["spent_ms"][key] >= 0, True, key)
    tap.equal(0 < run["busy"]["verify_share"] < 1, True, "share of verification")
    tap.equal(run["busy"]["devices"] > 0, True, "share of time that the device was busy")


def test_the_cpu_runtime_tells_rates_and_shares():
    p = cli.Place()
    work = {"bytes": "4 * (M * K + K * N + M * N)", "operations": {"f32": "2 * M * N * K"}}
    standing_is_told(p, small_sgemm(p.folder, work), *QUICK)


def ends_at_a_share(p, task, *words):
    p.run("start", task, "--budget", "40", "--target", "0.001%", *words)
    run = p.json("show", "1")
    tap.contains(run["reason"], "target of 0.001 % of the roofline reached: trial ")
    tap.equal((run["target_us"], run["target_percent"]), (None, 0.001), "the stored target")
    trial = p.json("show", "1:" + run["reason"].split("trial ")[1].split()[0])
    at = trial["timings"][0]
    tap.equal(round(run["found_percent"], 6),
              round(100 * at["roofline"]["best_us"] / at["p50_us"], 6), "share of the best")
    tap.contains(p.run("show", "1"), "0.001 % of the roofline")
    tap.contains(p.complaint("resume", "1"), "would end again at once: target of 0.001 %")
    p.run("resume", "1", "--target", "0", "--budget", str(run["trials"] + 2))
    run = p.json("show", "1")
    tap.equal(run["target_percent"], None, "the target that was lifted")
    tap.equal("target" in run["reason"], False, f"not by its target: {run['reason']}")


def test_a_run_ends_at_a_share_of_the_roofline():
    p = cli.Place()
    work = {"bytes": "4 * (M * K + K * N + M * N)", "operations": {"f32": "2 * M * N * K"}}
    ends_at_a_share(p, small_sgemm(p.folder, work), *QUICK[2:])


@test_cuda.needs_all
def test_a_run_on_the_device_ends_at_a_share_of_the_roofline():
    p = test_cuda.place()
    ends_at_a_share(p, device_runs.small_vector_add(p.folder))


def test_a_share_of_the_roofline_needs_work_and_measuring():
    p = cli.Place()
    tap.contains(p.complaint("start", cli.TINY, "--target", "80%"), "does not say what a launch")
    p.run("start", cli.TINY, "--budget", "1")
    tap.contains(p.complaint("resume", "1", "--budget", "2", "--target", "80%"),
                 "does not say what a launch")
    tap.equal(p.json("show", "1")["state"], "done", "state after the refusal")
    tap.contains(p.complaint("start", cli.TINY, "--target", "fast"), "--target: expected a number")
    tap.contains(p.complaint("start", cli.TINY, "--target", "1001%"), "target_percent")


@test_cuda.needs_all
def test_the_cuda_runtime_tells_rates_and_shares():
    p = test_cuda.place()
    standing_is_told(p, device_runs.small_vector_add(p.folder))


@test_cuda.needs_all
def test_doctor_measures_the_ceilings():
    found = test_cuda.place().json("doctor", "--ceilings")
    gpu, cpu = found
    for unit in ("dram_bytes_per_s", "cache_bytes_per_s", "f32", "f16_tensor", "s8_tensor"):
        tap.equal(gpu["measured"][unit] > 0, True, unit)
    tap.equal(gpu["measured"]["e4m3_tensor"], None, "what has no kernel")
    tap.equal(gpu["ms"] > 0 and cpu["ms"] > 0, True, "what it cost")
    for unit in ("dram_bytes_per_s", "cache_bytes_per_s", "f32"):
        tap.equal(cpu["measured"][unit] > 0, True, unit)


if __name__ == "__main__":
    tap.main(globals())
