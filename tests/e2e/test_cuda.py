"""The whole program on the cuda runtime: the real NVRTC, and a stand-in for the driver and GPU."""

import functools
import os

import cli
import device_runs
import tap
from daemons import ENDED, Daemon, RpcError

BUILD = os.path.join(tap.ROOT, os.environ.get("EVO_BUILD", "build"))
STANDIN = os.path.join(BUILD, "tests", "fakecuda")
VECTOR_ADD = os.path.join(device_runs.CONFIGS, "vector_add.json")
SELFTEST = os.path.join(device_runs.CONFIGS, "selftest.json")


def with_standin():
    """The loader's path that makes the program find the stand-in."""
    return {"LD_LIBRARY_PATH": ":".join(filter(None, [STANDIN,
                                                      os.environ.get("LD_LIBRARY_PATH")]))}


@functools.lru_cache(maxsize=None)
def missing():
    """What these tests need and is not here; None: all is."""
    if not os.path.exists(os.path.join(STANDIN, "libcuda.so.1")):
        return f"no stand-in in {STANDIN}: `make tests` builds it"
    found = device_runs.doctor(place().env)
    tap.contains(found["GPU"]["detail"], "Stand-in GPU", "what doctor says of the GPU")
    return None if found["NVRTC"]["state"] == "ok" else "no NVRTC: " + found["NVRTC"]["detail"]


def needs_all(test):
    """Skips the test where something is missing."""
    @functools.wraps(test)
    def run():
        if missing():
            tap.skip(missing())
        test()
    return run


def place(**env):
    p = cli.Place()
    p.env.update(with_standin(), **env)
    return p


def told(path):
    """The lines that the stand-in has written to FAKECUDA_TOLD, in words."""
    try:
        with open(path) as f:
            return [tuple(line.split()) for line in f]
    except FileNotFoundError:
        return []


class Service:
    """A daemon on the stand-in, one client of it, and the stand-in's account of what it did."""

    def __init__(self, **env):
        folder = tap.folder()
        self.told = os.path.join(folder, "told")
        self.task = device_runs.small_vector_add(folder)
        self.daemon = Daemon(folder, env={**with_standin(), "FAKECUDA_TOLD": self.told, **env})

    def search(self, budget, **params):
        """Runs a search to its end: its number, and its last event's body."""
        client = self.daemon.client()
        client.call("events.subscribe")
        run = client.call("search.start", **{"task": self.task, "budget": budget, **params})["run"]
        return run, client.until_state(run, ENDED)

    def planned(self):
        """[(symbol, call, process)] of the failures that came to pass."""
        return [line for line in told(self.told) if line[0] != "device"]


def fewer_numbers(task):
    """The stand-in adds every one of them in every launch."""
    task["shapes"]["large"]["dims"]["N"] = 1 << 18
    task["kernel"]["measure_timeout_s"] = 100


@needs_all
def test_the_shipped_example_reaches_its_budget_and_is_exported():
    p = place()
    task = device_runs.copy_task("vector_add.json", p.folder, fewer_numbers)
    out = p.run("start", task, "--budget", "2", "--seed", "1", seconds=170)
    tap.contains(out, "BLOCK")
    run = p.json("show", "1")
    tap.equal((run["done"], run["outcomes"]["ok"]), (2, 2), "trials, and those that are ok")
    tap.equal(run["environment"]["devices"][0]["name"], "Stand-in GPU")
    trial = p.json("show", "1:1")
    tap.equal(len(trial["checks"]), 9, "checks of three shapes and three seeds")
    tap.equal({c["passed"] for c in trial["checks"]}, {True}, "checks passed")
    found = device_runs.header_of_the_best(p)
    tap.equal(found["EVO_BLOCK_X"], found["BLOCK"], "threads of a block")


@needs_all
def test_every_misbehaviour_of_a_kernel_ends_as_its_outcome():
    device_runs.every_misbehaviour_ends_as_its_outcome(place())


@needs_all
def test_bench_accepts_what_is_right_and_rejects_what_is_wrong():
    p = place()
    task = device_runs.small_vector_add(p.folder)
    for preset in ("plain", "wide"):
        device_runs.accepted(p, task, "--preset", preset)
    trial = p.json("bench", SELFTEST, "--set", "MODE=clobber", status=1)
    tap.equal((trial["outcome"], trial["p50_us"]), ("wrong", None), "outcome and time")


@needs_all
def test_a_comparison_is_timed_in_the_mode_that_is_asked_for():
    for mode in ("graph", "event"):
        p = place()
        found = p.json("compare", "plain", "plain", "--task", device_runs.small_vector_add(p.folder),
                       "--rounds", "8", "--threshold", "100", "--mode", mode)
        tap.equal((found["mode"], len(found["a"]["times_us"])), (mode, found["rounds"]))
        tap.equal(len(found["a"]["sm_mhz"]), found["rounds"] if mode == "graph" else 0,
                  "clocks known")


@needs_all
def test_a_header_that_does_not_compile_is_not_written():
    p = place()
    p.run("start", SELFTEST, "--set", "BLOCK=128", "--set", "MODE=fine,nocompile", "--budget", "2")
    broken = [n for n in (1, 2) if p.json("show", f"1:{n}")["outcome"] == "compile_error"]
    path = os.path.join(p.folder, "broken.h")
    said = p.complaint("export", "1", "--trial", str(broken[0]), "-o", path, status=1)
    tap.contains(said, "this is not a program")
    tap.equal(os.path.exists(path), False, "file written")


def when_stuck(service, plan):
    """A kill while a worker hangs in the call that the daemon's FAKECUDA_FAIL names."""
    def kill(_story):
        symbol, call, _ = plan.split(":")
        tap.until(lambda: any(t[:2] == (symbol, call) for t in service.planned()),
                  f"a worker to hang in {symbol}")
    return kill


def life(service, kills, plan=""):
    """Makes `kill` the end of a life of the daemon; the next is then planned as `plan` says."""
    def kill(story):
        kills(story)
        service.daemon.env["FAKECUDA_FAIL"] = plan
        if os.path.exists(service.told):
            os.unlink(service.told)
    return kill


@tap.limit(120)
@needs_all
def test_a_daemon_killed_in_every_phase_loses_no_trial_and_doubles_none():
    stuck = ["cuInit:1:hang",              # looking for devices
             "cuMemAlloc_v2:1:hang",       # buffers
             "cuLaunchKernel:1:hang",      # references
             "cuModuleLoadData:4:hang",    # the second trial of a worker
             "cuStreamSynchronize:30:hang",
             "cuGraphInstantiateWithFlags:2:hang",
             "cuGraphLaunch:7:hang"]
    service = Service()
    kills = [device_runs.at_once, device_runs.when_binaries(1), device_runs.when_binaries(4),
             device_runs.after_trials(1), device_runs.when_the_log_grows(2),
             device_runs.when_the_log_grows(5), device_runs.when_the_log_grows(9)]
    plans = [""] * len(kills) + stuck
    kills += [when_stuck(service, plan) for plan in stuck]
    lives = [life(service, kill, plan) for kill, plan in zip(kills, plans[1:] + [""])]
    story = device_runs.killed_and_resumed(service.daemon, lives, 40, task=service.task, seed=5)
    device_runs.finished(story, 40)
    tap.equal(device_runs.outcomes(service.daemon, story.run), {"ok": 40}, "outcomes")
    assert "would not have proposed" not in service.daemon.said(), service.daemon.said()


@needs_all
def test_a_worker_that_dies_is_replaced_and_its_trial_measured_again():
    service = Service(FAKECUDA_FAIL="cuModuleLoadData:5:die")
    run, end = service.search(9, seed=1)
    tap.equal((end["state"], end["done"]), ("done", 9), str(end))
    tap.equal(device_runs.outcomes(service.daemon, run), {"ok": 9}, "outcomes")
    died = service.planned()
    assert len(died) >= 3, f"expected three workers to have died at least, found {died}"
    tap.equal(len({process for *_, process in died}), len(died), "processes that died")


@needs_all
def test_a_kernel_that_kills_every_worker_is_lost_and_the_run_goes_on():
    # The first trial that a worker measures, and so also the second try of each.
    service = Service(FAKECUDA_FAIL="cuModuleLoadData:3:die")
    run, end = service.search(2)
    tap.equal((end["state"], end["done"]), ("failed", 2), str(end))
    tap.equal(device_runs.outcomes(service.daemon, run), {"lost": 2}, "outcomes")
    detail = service.daemon.query("SELECT detail FROM trial")[0][0]
    tap.contains(detail, "SIGKILL")


@needs_all
def test_a_device_that_faults_now_and_then_costs_those_trials_only():
    service = Service(FAKECUDA_FAIL="cuGraphLaunch:25:700")
    run, end = service.search(12, seed=1)
    tap.equal((end["state"], end["done"]), ("done", 12), str(end))
    found = device_runs.outcomes(service.daemon, run)
    tap.equal(set(found), {"ok", "fault"}, "outcomes")
    out = service.daemon.query("SELECT count(*) FROM finalist WHERE outcome = 'fault'")[0][0]
    tap.equal(found["fault"] + out, len(service.planned()), "trials and finalists that faulted")
    for detail, in service.daemon.query("SELECT detail FROM trial WHERE outcome = 'fault'"):
        tap.contains(detail, "CUDA_ERROR_ILLEGAL_ADDRESS")


@needs_all
def test_a_device_that_cannot_be_opened_fails_the_run_and_says_which():
    service = Service(FAKECUDA_FAIL="cuModuleLoadData:2:2")  # the reference
    _, end = service.search(4)
    tap.equal((end["state"], end["done"]), ("failed", 0), str(end))
    tap.contains(end["reason"], "cuda device 0")
    tap.contains(end["reason"], "CUDA_ERROR_OUT_OF_MEMORY")


@needs_all
def test_two_devices_measure_side_by_side():
    path = os.path.join(tap.folder(), "told")
    p = place(FAKECUDA_DEVICES="2", FAKECUDA_TOLD=path)
    task = device_runs.small_vector_add(p.folder)
    used, run = set(), 0
    while run < 4 and used != {0, 1}:  # one may have done it all before the other was opened
        run += 1
        p.run("start", task, "--budget", "16", "--device", "all", "--seed", str(run), "--fresh")
        used |= {p.json("show", f"{run}:{no}").get("device") for no in range(1, 17)}
    tap.equal(len(p.json("show", str(run))["environment"]["devices"]), 2, "devices of the run")
    tap.equal(used, {0, 1}, "devices that measured")
    final = p.json("show", "1")["final"]
    best = p.json("show", f"1:{min(x['trial'] for x in final['finalists'])}")
    tap.equal(final["device"] in {0, 1} and best["outcome"] == "ok", True, "device of the final")
    tap.equal({x["outcome"] for x in final["finalists"]}, {"ok"}, "finalists")
    said = p.json("final", "1")["repeats"][0]
    tap.equal({x["trial"] for x in said["finalists"]}, {x["trial"] for x in final["finalists"]})
    tap.equal({n for what, n, _ in told(path) if what == "device"}, {"0", "1"}, "devices opened")


def is_in_final(event):
    return event["kind"] == "run" and event["body"].get("phase") == "final"


@needs_all
def test_a_final_met_by_a_kill_is_there_once_when_the_run_has_ended():
    service = Service()
    client = service.daemon.client()
    client.call("events.subscribe")
    run = client.call("search.start", task=service.task, budget=6, seed=3)["run"]
    while not is_in_final(client.event()):
        pass
    service.daemon.kill()
    rows = service.daemon.query("SELECT * FROM trial")
    whole = service.daemon.query("SELECT count(*) FROM final")[0][0]
    service.daemon.start()
    client = service.daemon.client()
    client.call("events.subscribe")
    if service.daemon.query("SELECT state FROM run") != [("done",)]:  # it may have been that quick
        client.call("search.resume", run=run)
        tap.equal(client.until_state(run, ENDED)["state"], "done")
    tap.equal(service.daemon.query("SELECT * FROM trial"), rows, "trials")
    finals = service.daemon.query("SELECT id, winner IS NOT NULL, rounds >= 1 FROM final")
    tap.equal(finals[-1][1:], (1, 1), "a winner and a round")
    tap.equal(len(finals) in (1, 1 + whole), True, f"{len(finals)} finals, {whole} before the kill")
    parts = service.daemon.query("SELECT final, count(*) FROM finalist GROUP BY final")
    tap.equal([n for _, n in parts], [parts[0][1]] * len(finals), "finalists of each")


@needs_all
def test_a_device_that_is_not_there_is_refused():
    p = place()
    said = p.complaint("start", VECTOR_ADD, "--device", "7")
    for part in ("--device", "7", "has 1"):
        tap.contains(said, part)
    tap.equal(p.daemon_pid(), 0, "daemon started in vain")
    said = place(FAKECUDA_DEVICES="0").complaint("start", VECTOR_ADD)
    tap.contains(said, "finds no device")
    client = Service().daemon.client()
    try:
        client.call("search.start", task=VECTOR_ADD, devices=[7])
    except RpcError as error:
        tap.contains(error.message, "no device 7")
    else:
        raise AssertionError("search.start took device 7")


@needs_all
def test_a_run_is_not_resumed_on_another_device():
    p = place()
    task = device_runs.small_vector_add(p.folder)
    p.run("start", task, "--budget", "3", "--seed", "3")
    for changed in ({"FAKECUDA_NAME": "Another GPU"}, {"FAKECUDA_UUID": "1"}):
        p.end_daemon()
        _, said = p.both("resume", "1", "--budget", "6", status=1, env={**p.env, **changed})
        tap.contains(said, "another device, driver or compiler")
        tap.contains(said, "start a new run")
        tap.equal(p.json("runs")[0]["done"], 3, "trials")
    p.end_daemon()
    p.run("resume", "1", "--budget", "6")
    run = p.json("runs")[0]
    tap.equal((run["state"], run["done"]), ("done", 6), "on the device of old")


if __name__ == "__main__":
    tap.main(globals())
