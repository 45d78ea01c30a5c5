"""What the studies of this folder share: a state folder of their own, the program in it, tables."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ALL_ROUNDS = ("--precision", "0")


def parser(text):
    p = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--evo", default=os.path.join(ROOT, "evo-tuned"), help="the program to study")
    p.add_argument("--nvrtc", help="libnvrtc.so, where the program does not find it")
    return p


class Place:
    """The program with a database and a socket of its own, or with the database of an earlier run."""

    def __init__(self, evo, db=None, nvrtc=None):
        self.evo = os.path.abspath(evo)
        self.folder = tempfile.mkdtemp(prefix="evo-study-")
        self.env = {**os.environ, "EVO_TUNED_DB": db or os.path.join(self.folder, "e.db"),
                    "EVO_TUNED_SOCKET": os.path.join(self.folder, "s")}
        self.nvrtc = ["--nvrtc", nvrtc] if nvrtc else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([self.evo, "stop"], env=self.env, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words, fine=(0,)):
        """What it prints; its messages are shown, and a status not in `fine` ends the study."""
        done = subprocess.run([self.evo, *words], env=self.env, stdout=subprocess.PIPE, text=True)
        if done.returncode not in fine:
            sys.exit(f"{' '.join(words)}: status {done.returncode}")
        return done.stdout

    def json(self, *words, fine=(0,)):
        said = self.run(*words, "--json", fine=fine)
        return json.loads(said) if said else sys.exit(f"{' '.join(words)}: no answer")

    def search(self, task, budget, *words):
        """Run 1 of this place: the number of the run."""
        self.run("start", task, "--budget", str(budget), *self.nvrtc, *words)
        return self.json("runs")[0]["run"]

    def compare(self, a, b, mode, rounds, *words):
        """All of so many rounds of both in a fresh worker. Status 1 says SLOWER."""
        return self.json("compare", a, b, "--mode", mode, "--rounds", str(rounds), *ALL_ROUNDS,
                         *self.nvrtc, *words, fine=(0, 1))


def spread(values):
    """Largest minus smallest over the median, in per cent."""
    return 100 * (max(values) - min(values)) / statistics.median(values)


def deviation(values):
    return 100 * statistics.stdev(values) / statistics.median(values)


def table(head, rows):
    """Markdown, as bench/RESULTS.md has it."""
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)
