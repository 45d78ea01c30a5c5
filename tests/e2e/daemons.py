"""A daemon of one's own and a raw JSON-RPC client, for the end-to-end tests."""

import json
import os
import signal
import socket
import sqlite3
import subprocess

import tap


class Gone(Exception):
    """The daemon closed the connection."""


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data", {})


class Client:
    """Lines over the control socket. Notifications are kept in `events`."""

    def __init__(self, path, timeout=20):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.bytes = b""
        self.next_id = 0
        self.events = []

    def close(self):
        self.sock.close()

    def send(self, text):
        try:
            self.sock.sendall(text if isinstance(text, bytes) else text.encode())
        except OSError as error:
            raise Gone(str(error))

    def line(self):
        while b"\n" not in self.bytes:
            try:
                chunk = self.sock.recv(1 << 16)
            except ConnectionError as error:
                raise Gone(str(error))
            if not chunk:
                raise Gone("EOF")
            self.bytes += chunk
        line, self.bytes = self.bytes.split(b"\n", 1)
        return json.loads(line)

    def answer(self):
        """The next message that is no notification."""
        while True:
            message = self.line()
            if isinstance(message, dict) and "method" in message:
                self.events.append(message["params"])
            else:
                return message

    def call(self, method, **params):
        self.next_id += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.next_id, "method": method,
                              "params": params}) + "\n")
        answer = self.answer()
        tap.equal(answer["id"], self.next_id, "id of the answer")
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def event(self):
        """The next notification."""
        while not self.events:
            message = self.line()
            if "method" in message:
                self.events.append(message["params"])
        return self.events.pop(0)

    def until_state(self, run, states, seen=None):
        """Follows events until the run reaches one of the states; returns that event's body."""
        while True:
            event = self.event()
            if seen is not None:
                seen.append(event)
            if event["kind"] == "run" and event["run"] == run and event["body"]["state"] in states:
                return event["body"]


ENDED = ("done", "failed", "cancelled")


class Daemon:
    """`evo-tuned daemon` in a folder of its own; killed when the test ends."""

    def __init__(self, folder=None, jobs=2, args=(), env=None, prefix=(), db=None):
        self.folder = folder or tap.folder()
        self.db = db or os.path.join(self.folder, "evo.db")
        self.socket = os.path.join(self.folder, "sock")
        self.jobs, self.args, self.prefix = jobs, list(args), list(prefix)
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.start()
        tap.cleanup(self.end)

    def command(self):
        return self.prefix + [tap.EVO, "daemon", "--db", self.db, "--socket",
                              self.socket, "--jobs", str(self.jobs)] + self.args

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=self.env)
        tap.until(self._answers, "the daemon to answer")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}: {self.said()}")
        try:
            Client(self.socket).close()
            return True
        except OSError:
            return False

    def said(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as f:
            return f.read()

    def client(self):
        client = Client(self.socket)
        tap.cleanup(client.close)
        return client

    def kill(self):
        self.process.kill()
        self.process.wait()
        # A worker that was just being started holds the socket until it is a program of its own.
        tap.until(self._refuses, "the socket to be nobody's")

    def _refuses(self):
        try:
            Client(self.socket).close()
            return False
        except OSError:
            return True

    def term(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds=20):
        return self.process.wait(timeout=seconds)

    def end(self):
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        tap.until(lambda: not self.workers(), "the workers to be gone")

    def workers(self):
        """Processes that say they are workers of this daemon."""
        return workers_of(self.process.pid)

    def query(self, sql, *args):
        db = sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()


def workers_of(parent):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            with open(f"/proc/{pid}/stat") as f:
                state = f.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if b"worker" in words and str(parent).encode() in words and state != "Z":
            found.append(int(pid))
    return found
