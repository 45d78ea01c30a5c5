"""Cards that are too hot: the stand-ins for the driver and for NVML, whose states are scripted."""

import ctypes
import os

import device_runs
import tap
import test_cuda

NVML = os.path.join(test_cuda.BUILD, "tests", "fakenvml")
HOT = "40"  # nvmlClocksThrottleReasonHwThermalSlowdown
IDLE = "1"


def place(plan):
    if not os.path.exists(os.path.join(NVML, "libnvidia-ml.so.1")):
        tap.skip(f"no stand-in in {NVML}: `make tests` builds it")
    p = test_cuda.place(FAKECUDA_THROTTLE=plan)
    p.env["LD_LIBRARY_PATH"] = NVML + ":" + p.env["LD_LIBRARY_PATH"]
    return p


def bench(plan):
    p = place(plan)
    return p.json("bench", device_runs.small_vector_add(p.folder))


@test_cuda.needs_all
def test_a_cool_card_loses_no_sample_and_its_state_is_kept():
    trial = bench("")
    tap.equal(trial["outcome"], "ok")
    # The SM clock is what the device's counters say, not what NVML asks it for.
    tap.equal(trial["clocks"], {"sm_mhz": 1800, "memory_mhz": 3201, "celsius": 61, "watts": 350.5,
                                "throttle": 0}, "clocks")
    tap.equal([t["throttled"] for t in trial["timings"]], [0], "samples thrown away")


@test_cuda.needs_all
def test_samples_of_a_short_throttle_are_taken_again():
    # Asked before and after a set of samples: the first set is spoilt.
    trial = bench(f"2-2:{HOT}")
    tap.equal((trial["outcome"], trial["clocks"]["throttle"]), ("ok", 0), "outcome and last state")
    thrown = trial["timings"][0]["throttled"]
    tap.equal(thrown >= 5, True, f"samples thrown away ({thrown})")
    tap.equal(len(trial["timings"][0]["samples_us"]) >= 5, True, "samples kept")


@test_cuda.needs_all
def test_a_card_that_stays_hot_gets_results_that_are_marked():
    p = place(f"1-1000000:{HOT}")
    task = device_runs.small_vector_add(p.folder)
    p.run("start", task, "--budget", "2", "--seed", "1")
    run = p.json("show", "1")
    tap.equal(run["outcomes"]["ok"], 2, "trials that are ok")
    tap.equal(run["throttled_trials"], 2, "throttled trials")
    tap.contains(p.run("show", "1"), "2 trials were measured while the card was held back")
    trial = p.json("show", "1:1")
    tap.equal(trial["clocks"]["throttle"], 0x40, "reasons")
    tap.equal(trial["timings"][0]["throttled"] >= 15, True, "three sets were thrown away")
    tap.contains(p.run("show", "1:1"), "throttled all the time")


@test_cuda.needs_all
def test_idle_clocks_are_no_throttle():
    trial = bench(f"1-1000000:{IDLE}")
    tap.equal([t["throttled"] for t in trial["timings"]], [0], "samples thrown away")


@test_cuda.needs_all
def test_a_machine_without_nvml_is_told_and_measures():
    p = test_cuda.place()
    trial = p.json("bench", device_runs.small_vector_add(p.folder))
    tap.equal((trial["outcome"], trial["clocks"]["throttle"]), ("ok", None), "without NVML")
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        found = device_runs.doctor(p.env)["NVML"]
        tap.equal(found["state"], "absent", "what doctor says of NVML")
    tap.equal(device_runs.doctor(place("").env)["NVML"]["state"], "ok", "with the stand-in")


if __name__ == "__main__":
    tap.main(globals())
