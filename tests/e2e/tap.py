"""Runs the test_* functions of a script and prints TAP.

    import tap

    def test_a_name_that_is_a_sentence():
        tap.equal(1 + 1, 2)

    if __name__ == "__main__":
        tap.main(globals())

Arguments of the script choose tests by substring. The exit status is 1 if any test failed.
EVO is the program under test: $EVO, or evo-tuned in the root of the source tree.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EVO = os.path.abspath(os.environ.get("EVO") or os.path.join(ROOT, "evo-tuned"))
LIMIT_S = 180


class Skip(Exception):
    """The test cannot run here; the text says why."""


class Late(BaseException):
    """The test's time is up. Not an Exception, so that a test cannot swallow it."""


def skip(why):
    raise Skip(why)


def limit(seconds):
    """Decorates a test that needs another time limit than LIMIT_S."""
    def mark(test):
        test.limit_s = seconds
        return test
    return mark


def equal(found, expected, what="value"):
    if found != expected:
        raise AssertionError(f"{what}: expected {expected!r}, found {found!r}")


def contains(text, part, what="text"):
    if part not in text:
        raise AssertionError(f"{what}: expected {part!r} in {text!r}")


def until(condition, what, seconds=20, pause_s=0.01):
    """Polls until condition() is true and returns what it gave; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}; last: {found!r}")
        time.sleep(pause_s)


_folders = []


def folder():
    """A new empty folder, removed when the test has ended. Short, for socket paths."""
    path = tempfile.mkdtemp(prefix="evo")
    _folders.append(path)
    return path


_cleanups = []


def cleanup(call, *args):
    """Calls call(*args) when the test has ended, last added first, also when it failed."""
    _cleanups.append((call, args))


def _tidy():
    while _cleanups:
        call, args = _cleanups.pop()
        try:
            call(*args)
        except Exception:
            for line in traceback.format_exc().splitlines():
                print(f"# clean-up: {line}", flush=True)
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)


def _late(_signal, _frame):
    raise Late()


def _run(test):
    """(passed, directive, diagnosis)"""
    seconds = getattr(test, "limit_s", LIMIT_S)
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(seconds)
    try:
        test()
        return True, "", ""
    except Skip as why:
        return True, f" # SKIP {why}", ""
    except Late:
        return False, "", f"not done after {seconds} s\n{traceback.format_exc()}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return False, "", traceback.format_exc()
    finally:
        signal.alarm(0)
        _tidy()


def main(names):
    wanted = sys.argv[1:]
    tests = [(name, f) for name, f in names.items() if name.startswith("test_") and callable(f)
             and (not wanted or any(w in name for w in wanted))]
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        passed, directive, diagnosis = _run(test)
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} - {name[5:]}{directive}")
        for line in diagnosis.splitlines():
            print(f"# {line}")
        sys.stdout.flush()
    print(f"1..{len(tests)}", flush=True)
    sys.exit(1 if failed else 0)
