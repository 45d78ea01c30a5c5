"""The control socket and the daemon's life: hostile lines, slow readers, signals, second daemons."""

import json
import os
import signal
import socket
import stat
import subprocess
import threading

import tap
from daemons import ENDED, Client, Daemon, Gone, RpcError

SGEMM = os.path.join(tap.ROOT, "configs", "sgemm_host.json")
FAULTY = os.path.join(tap.ROOT, "tests", "tasks", "faulty.json")


def start(client, budget, runtime="noop", task=SGEMM, **more):
    return client.call("search.start", task=task, budget=budget, runtime=runtime,
                       **{"strategy": "random", **more})["run"]


def fails(code, call, *args, **kwargs):
    try:
        found = call(*args, **kwargs)
    except RpcError as error:
        tap.equal(error.code, code, f"code of {error}")
        return error.message
    raise AssertionError(f"expected an error {code}, found {found!r}")


def test_a_search_runs_to_its_budget_and_tells_each_trial_once():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = start(client, 60)
    seen = []
    end = client.until_state(run, ENDED, seen)
    tap.equal(end["state"], "done")
    tap.equal(end["done"], 60)
    trials = [e["body"] for e in seen if e["kind"] == "trial"]
    tap.equal([t["no"] for t in trials], list(range(1, len(trials) + 1)), "numbers of the trials")
    tap.equal([e["no"] for e in seen], list(range(seen[0]["no"], seen[0]["no"] + len(seen))),
              "numbers of the events")
    tap.equal(daemon.query("SELECT count(*) FROM trial WHERE origin <> 'stored'"), [(60,)])
    listed = client.call("runs.list")["runs"][0]
    tap.equal((listed["state"], listed["done"], listed["ok"] + sum(listed["failures"].values())),
              ("done", 60, 60))
    top = client.call("runs.top", run=run, k=3)["rows"]
    tap.equal([row["rank"] for row in top], [1, 2, 3])
    tap.equal(top[0]["p50_us"], end["best_us"], "best time")
    tap.until(lambda: not daemon.workers(), "idle workers to be sent home")


def test_every_misbehaviour_ends_as_its_outcome():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = client.call("search.start", task=FAULTY, budget=16, strategy="exhaustive",
                      set={"VARIANT": "0,1"})["run"]
    end = client.until_state(run, ENDED)
    tap.equal((end["state"], end["done"]), ("done", 16), str(end))
    found = {}
    for config, outcome, detail in daemon.query("SELECT config, outcome, detail FROM trial"):
        found.setdefault(json.loads(config)["MODE"], set()).add(outcome)
    tap.equal(found, {0: {"ok"}, 1: {"wrong"}, 2: {"fault"}, 3: {"fault"}, 4: {"hang"},
                      5: {"lost"}, 6: {"wrong"}, 7: {"compile_error"}}, "outcomes by MODE")
    detail = daemon.query("SELECT detail FROM trial WHERE outcome = 'fault' ORDER BY no")[0][0]
    tap.contains(detail, "SIGSEGV")
    detail = daemon.query("SELECT detail FROM trial WHERE outcome = 'compile_error'")[0][0]
    tap.contains(detail, "this variant does not compile")


def test_sources_that_never_compile_end_the_run_early():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = client.call("search.start", task=FAULTY, budget=16, strategy="exhaustive",
                      set={"MODE": "7"})["run"]
    end = client.until_state(run, ENDED)
    tap.equal(end["state"], "failed")
    tap.contains(end["reason"], "this variant does not compile")


def test_what_is_known_costs_no_budget_unless_fresh():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    first = start(client, 40, seed=7)
    client.until_state(first, ENDED)
    again = start(client, 10, seed=7)
    end = client.until_state(again, ENDED)
    tap.equal(end["done"], 10)
    counts = daemon.query("SELECT origin, count(*) FROM trial WHERE run = ? GROUP BY origin", again)
    tap.equal(dict(counts).get("stored"), 40, "answers from the store")
    fresh = start(client, 10, seed=7, fresh=True)
    client.until_state(fresh, ENDED)
    counts = dict(daemon.query("SELECT origin, count(*) FROM trial WHERE run = ? GROUP BY origin",
                               fresh))
    tap.equal(counts.get("stored"), None, "stored answers of a fresh run")


def test_pause_resume_cancel_and_a_larger_budget():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = start(client, 100000)
    while client.event()["kind"] != "trial":
        pass
    client.call("search.pause")
    paused = client.until_state(run, ("paused",))
    tap.equal(daemon.query("SELECT state FROM run"), [("paused",)])
    tap.until(lambda: not daemon.workers(), "a paused run to hold no worker")
    total = paused["done"] + 25
    tap.equal(client.call("search.resume", budget=total)["budget"], total)
    end = client.until_state(run, ENDED)
    tap.equal((end["state"], end["done"]), ("done", total))
    tap.contains(fails(-32001, client.call, "search.resume", run=run), "--budget")
    tap.contains(fails(-32003, client.call, "search.resume"), "no unfinished run")
    client.call("search.resume", run=run, budget=100000)
    client.until_state(run, ("running",))
    client.call("search.cancel", run=run)
    client.until_state(run, ("cancelled",))
    kept = daemon.query("SELECT count(*) FROM trial")[0][0]
    assert kept >= total, f"{kept} trials kept of {total}"
    fails(-32001, client.call, "search.cancel", run=run)
    fails(-32003, client.call, "search.pause", run=99)


def test_runs_queue_for_a_device_by_priority():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    first = start(client, 100000)
    client.until_state(first, ("running",))
    low = start(client, 5, seed=1)
    high = start(client, 5, seed=2, priority=5)
    states = {r["run"]: r["state"] for r in client.call("runs.list")["runs"]}
    tap.equal(states, {first: "running", low: "queued", high: "queued"})
    client.call("search.cancel", run=first)
    ended = []
    while len(ended) < 2:
        event = client.event()
        if event["kind"] == "run" and event["body"]["state"] == "done":
            ended.append(event["run"])
    tap.equal(ended, [high, low], "order of the ends")


def test_runs_on_different_devices_run_side_by_side():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    long = start(client, 100000)
    client.until_state(long, ("running",))
    short = client.call("search.start", task=FAULTY, budget=3, set={"MODE": "0"})["run"]
    tap.equal(client.until_state(short, ENDED)["state"], "done")
    states = {r["run"]: r["state"] for r in client.call("runs.list")["runs"]}
    tap.equal(states, {long: "running", short: "done"})
    client.call("search.cancel", run=long)


def test_the_time_limit_ends_a_run():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = start(client, 1000000000, time_limit_s=0.5)
    end = client.until_state(run, ENDED)
    tap.equal(end["state"], "done")
    tap.contains(end["reason"], "time limit")


def test_an_exhausted_space_ends_a_run_of_any_budget():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = client.call("search.start", task=FAULTY, budget=1000000000, runtime="noop",
                      set={"MODE": "0,1"})["run"]
    end = client.until_state(run, ENDED)
    tap.equal((end["state"], end["done"]), ("done", 32))
    tap.contains(end["reason"], "exhausted")


def test_bad_parameters_say_what_was_expected():
    daemon = Daemon()
    call = daemon.client().call
    for params, part in [
            ({}, "task"),
            ({"task": "/nowhere.json"}, "/nowhere.json"),
            ({"task": "nowhere"}, "nowhere"),
            ({"task": SGEMM, "budget": 0}, "from 1 to 1000000000"),
            ({"task": SGEMM, "budget": 1000000001}, "from 1 to 1000000000"),
            ({"task": SGEMM, "budget": "many"}, "budget"),
            ({"task": SGEMM, "strategy": "luck"}, "random"),
            ({"task": SGEMM, "seed": "-1"}, "seed"),
            ({"task": SGEMM, "seed": "18446744073709551616"}, "seed"),
            ({"task": SGEMM, "runtime": "abacus"}, "abacus"),
            ({"task": SGEMM, "devices": []}, "devices"),
            ({"task": SGEMM, "devices": [7]}, "7"),
            ({"task": SGEMM, "shapes": ["none such"]}, "none such"),
            ({"task": SGEMM, "set": {"NO_SUCH": "1"}}, "NO_SUCH"),
            ({"task": SGEMM, "set": {"VEC": "77"}}, "77"),
            ({"task": SGEMM, "bugdet": 5}, "did you mean"),
            ({"task": SGEMM, "time_limit_s": -1}, "time_limit_s")]:
        try:
            found = call("search.start", **params)
        except RpcError as error:
            tap.contains(error.message, part, f"message for {params}")
            tap.equal(error.data.get("err") in ("invalid", "missing"), True, f"{error.data}")
        else:
            raise AssertionError(f"{params} was accepted: {found}")
    tap.equal(call("runs.list"), {"runs": []})


def test_malformed_lines_get_errors_and_the_connection_lives():
    daemon = Daemon()
    client = daemon.client()
    deep = "[" * 5000 + "]" * 5000
    for line, code in [("nonsense", -32700), ("{", -32700), ("[]", -32600), ("[1]", None),
                       ("1", -32600), ("null", -32600), ("{}", -32600), (deep, -32700),
                       ('{"jsonrpc":"2.0","id":1,"method":7}', -32600),
                       ('{"jsonrpc":"1.0","id":1,"method":"daemon.status"}', -32600),
                       ('{"jsonrpc":"2.0","id":{},"method":"daemon.status"}', -32600),
                       ('{"jsonrpc":"2.0","id":1,"method":"daemon.status","params":[1]}', -32600),
                       ('{"jsonrpc":"2.0","id":1,"id":1,"method":"daemon.status"}', -32700),
                       ('{"jsonrpc":"2.0","id":1,"method":"no.such"}', -32601),
                       ('{"jsonrpc":"2.0","id":1,"method":"a\\u0000b"}', None),
                       (b"\xff\xfe\x00", -32700), ("[" + "1," * 99 + "1]", -32600)]:
        client.send(line if isinstance(line, bytes) else line.encode())
        client.send("\n")
        answer = client.answer()
        if code is None:
            answer = answer[0] if isinstance(answer, list) else answer
            assert answer["error"]["code"] < 0, answer
        else:
            tap.equal(answer["error"]["code"], code, f"code for {line[:60]!r}")
    client.send("\n \r\n\t\n")
    tap.equal(client.call("daemon.status")["pid"], daemon.process.pid)


def test_ids_notifications_and_batches_follow_the_specification():
    client = Daemon().client()
    for given in ['"text"', "7", "null", "1.5"]:
        client.send('{"jsonrpc":"2.0","id":%s,"method":"daemon.status"}\n' % given)
        tap.equal(client.answer()["id"], json.loads(given))
    client.send('{"jsonrpc":"2.0","method":"daemon.status"}\n')
    client.send('[{"jsonrpc":"2.0","method":"daemon.status"}]\n')
    client.send('[{"jsonrpc":"2.0","id":1,"method":"runs.list"},{"jsonrpc":"2.0","method":'
                '"daemon.status"},{"id":2},{"jsonrpc":"2.0","id":3,"method":"search.start",'
                '"params":{"task":"%s","runtime":"noop","budget":1}}]\n' % SGEMM)
    answers = client.answer()
    tap.equal(sorted(str(a["id"]) for a in answers), ["1", "2", "3"])


def test_an_oversized_line_closes_the_connection_only():
    daemon = Daemon()
    client = daemon.client()
    try:
        client.send("x" * (3 << 20) + "\n")
        answer = client.answer()
        tap.equal(answer["error"]["code"], -32600)
        client.line()
        raise AssertionError("the connection is still open")
    except Gone:
        pass
    tap.equal(daemon.client().call("daemon.status")["pid"], daemon.process.pid)


def test_a_slow_subscriber_is_dropped_and_does_not_hold_up_a_run():
    daemon = Daemon()
    slow, client = daemon.client(), daemon.client()
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.call("events.subscribe")
    slow.call("events.subscribe")
    # Requests without end whose answers nobody reads fill the same queue as events do.
    flood = b'{"jsonrpc":"2.0","id":1,"method":"daemon.status"}\n' * 20000
    thread = threading.Thread(target=lambda: swallow(slow.send, flood))
    thread.start()
    run = start(client, 50)
    tap.equal(client.until_state(run, ENDED)["state"], "done")
    thread.join()
    tap.until(lambda: "does not read" in daemon.said(), "the slow client to be dropped")
    tap.until(lambda: client.call("daemon.status")["clients"] == 1, "one client to be left")


def swallow(call, *args):
    try:
        call(*args)
    except (Gone, OSError):
        pass


def test_a_subscriber_catches_up_from_any_number_without_gaps():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = start(client, 700)
    seen = []
    client.until_state(run, ENDED, seen)
    last = seen[-1]["no"]
    for begin in (1, last // 2, last):
        late = daemon.client()
        tap.equal(late.call("events.subscribe", **{"from": begin})["from"], begin)
        numbers = [late.event()["no"] for _ in range(last - begin + 1)]
        tap.equal(numbers, list(range(begin, last + 1)), f"events from {begin}")


def test_more_clients_than_allowed_are_turned_away():
    daemon = Daemon()
    first = daemon.client()
    tap.until(lambda: first.call("daemon.status")["clients"] == 1, "earlier clients to be gone")
    clients = [first] + [daemon.client() for _ in range(63)]
    for client in clients:
        client.call("daemon.status")
    extra = daemon.client()
    try:
        extra.call("daemon.status")
        raise AssertionError("a 65th client is served")
    except Gone:
        pass
    tap.equal(clients[0].call("daemon.status")["clients"], 64)


def test_the_socket_is_private():
    daemon = Daemon()
    mode = stat.S_IMODE(os.stat(daemon.socket).st_mode)
    tap.equal(oct(mode), oct(0o600), "mode of the socket")


def refused(db, path):
    done = subprocess.run([tap.EVO, "daemon", "--db", db, "--socket", path], capture_output=True,
                          text=True, timeout=20, stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr


def test_a_second_daemon_on_one_socket_or_database_is_refused():
    daemon = Daemon()
    other = tap.folder()
    code, said = refused(os.path.join(other, "x.db"), daemon.socket)
    tap.equal(code, 3)
    tap.contains(said, str(daemon.process.pid))
    code, said = refused(daemon.db, os.path.join(other, "sock"))
    tap.equal(code, 3)
    tap.contains(said, str(daemon.process.pid))
    tap.equal(daemon.client().call("daemon.status")["pid"], daemon.process.pid)


def test_a_dead_daemons_socket_is_replaced():
    daemon = Daemon()
    daemon.kill()
    tap.equal(os.path.exists(daemon.socket), True, "socket left behind")
    daemon.start()
    tap.equal(daemon.client().call("daemon.status")["pid"], daemon.process.pid)


def test_bad_socket_paths_are_refused_with_advice():
    folder = tap.folder()
    db = os.path.join(folder, "x.db")
    code, said = refused(db, os.path.join(folder, "s" * 120))
    tap.equal(code, 3)
    tap.contains(said, "--socket")
    plain = os.path.join(folder, "plain")
    with open(plain, "w") as f:
        f.write("precious")
    code, said = refused(db, plain)
    tap.equal(code, 3)
    tap.equal(open(plain).read(), "precious", "a file that was in the way")


def test_a_folder_of_another_user_is_refused():
    if os.geteuid() != 0:
        tap.skip("only root can make a folder of another user")
    folder = tap.folder()
    theirs = os.path.join(folder, "theirs")
    os.mkdir(theirs, 0o755)
    os.chown(theirs, 12345, 12345)
    code, said = refused(os.path.join(folder, "x.db"), os.path.join(theirs, "sock"))
    tap.equal(code, 3)
    tap.contains(said, "another user")


def test_another_users_process_is_not_served():
    if os.geteuid() != 0:
        tap.skip("only root can become another user")
    daemon = Daemon()
    os.chmod(daemon.folder, 0o755)
    os.chmod(daemon.socket, 0o666)
    script = ("import socket,sys;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);"
              "s.settimeout(10)\ntry: s.sendall(b'{}\\n'); sys.exit(len(s.recv(10)))\n"
              "except ConnectionError: sys.exit(0)")
    done = subprocess.run(["/usr/bin/python3", "-c", script, daemon.socket], user=12345,
                          timeout=20)
    tap.equal(done.returncode, 0, "bytes served to another user")


def busy_daemon():
    """A daemon in the middle of a run on the CPU, and its client."""
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = client.call("search.start", task=FAULTY, budget=100, strategy="random",
                      set={"MODE": "0,1,2"})["run"]
    while client.event()["kind"] != "trial":
        pass
    return daemon, client, run


def test_sigterm_ends_what_is_in_flight_and_resume_carries_on():
    daemon, client, run = busy_daemon()
    daemon.term()
    tap.equal(daemon.wait(), 0, "exit status")
    tap.equal(daemon.workers(), [])
    tap.equal(os.path.exists(daemon.socket), False, "socket left behind")
    tap.equal(daemon.query("SELECT state FROM run"), [("running",)])
    daemon.start()
    client = daemon.client()
    tap.equal(client.call("runs.list")["runs"][0]["state"], "interrupted")
    client.call("events.subscribe")
    before = daemon.query("SELECT count(*) FROM trial")[0][0]
    client.call("search.resume", budget=before + 3)
    tap.equal(client.until_state(run, ENDED)["done"], before + 3)


def test_a_second_sigterm_ends_at_once():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    client.call("search.start", task=FAULTY, budget=100, set={"MODE": "4"}, strategy="random")
    tap.until(lambda: len(daemon.workers()) > 2, "the measuring worker")
    daemon.term()
    tap.until(lambda: "in flight" in daemon.said(), "the first signal to be heard")
    daemon.term()
    tap.equal(daemon.wait(), 0, "exit status")
    tap.until(lambda: not daemon.workers(), "the workers to be gone")


def test_signals_on_the_way_in_and_out_are_no_death():
    for _ in range(6):
        daemon = Daemon()
        while daemon.process.poll() is None:
            daemon.term()
        tap.equal(daemon.process.returncode, 0, "exit status")


def test_stop_by_method_and_calls_while_ending():
    daemon, client, run = busy_daemon()
    tap.equal(client.call("daemon.stop")["pid"], daemon.process.pid)
    tap.equal(daemon.wait(), 0)


def test_an_idle_daemon_ends_by_itself():
    daemon = Daemon(args=["--idle-exit", "1"])
    tap.equal(daemon.wait(), 0)


def receive(sock, part):
    while True:
        if part in sock.recv(4096).decode():
            return


def test_workers_that_are_killed_are_replaced_and_nothing_is_lost():
    daemon = Daemon()
    client = daemon.client()
    client.call("events.subscribe")
    run = start(client, 3000)

    def stored():
        return daemon.query("SELECT count(*) FROM trial")[0][0]

    for turn in range(12):
        for _ in range(40):
            client.event()
        workers = sorted(daemon.workers())
        if workers:
            swallow(os.kill, workers[turn % len(workers)], signal.SIGKILL)
        # Its trial is tried again at once, and a second kill must not be that one's.
        enough = min(stored() + 100, 3000)
        tap.until(lambda: stored() >= enough, "the killed worker's trial to be tried again")
    end = client.until_state(run, ENDED)
    tap.equal((end["state"], end["done"]), ("done", 3000))
    lost = daemon.query("SELECT count(*) FROM trial WHERE outcome = 'lost'")[0][0]
    tap.equal(lost, 0, "trials lost to a single kill")


def test_a_service_manager_is_told():
    for abstract in (False, True):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.settimeout(20)
        name = os.path.join(tap.folder(), "notify")
        address = "\0" + name if abstract else name
        sock.bind(address)
        daemon = Daemon(env={"NOTIFY_SOCKET": "@" + name if abstract else name,
                             "WATCHDOG_USEC": "100000"})
        receive(sock, "READY=1")
        receive(sock, "WATCHDOG=1")
        daemon.term()
        receive(sock, "STOPPING=1")
        tap.equal(daemon.wait(), 0)
        sock.close()


if __name__ == "__main__":
    tap.main(globals())
