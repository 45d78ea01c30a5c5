"""The replay command on the shipped binary: what it prints, logs and refuses."""

import json
import os
import shutil

import cli
import tap

CORPUS = os.path.join(tap.ROOT, "tests", "corpus", "recordings")
CACHE = os.path.join(CORPUS, "kt.json")
TASK = os.path.join(CORPUS, "bench.json")


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def searches(place, *words):
    return lines(place.run("replay", *words, "--json"))


def recorded():
    """What the recording says: {key: record} of the legal configurations."""
    with open(CACHE) as f:
        cache = json.load(f)["cache"]
    return {key: r for key, r in cache.items() if r.get("__error__") != "InvalidConfig"}


def seconds(record):
    return (record["compile_time"] + record["verification_time"] + record["benchmark_time"]) / 1e3


def test_one_line_a_repeat_has_the_four_members_of_the_contract():
    found = searches(cli.Place(), CACHE, "--budget", "9", "--repeat", "3", "--seed", "5")
    tap.equal([sorted(x) for x in found], [["best", "keys", "seed", "virtual_seconds"]] * 3)
    tap.equal([x["seed"] for x in found], [5, 6, 7])
    tap.equal([len(x["keys"]) for x in found], [9, 9, 9])


def test_best_and_virtual_time_are_those_of_the_keys():
    records = recorded()
    for strategy in ("full", "random", "exhaustive"):
        [found] = searches(cli.Place(), CACHE, "--budget", "12", "--strategy", strategy)
        keys = found["keys"]
        tap.equal(len(set(keys)), 12, f"distinct keys of {strategy}")
        times = [records[k]["time"] for k in keys if "__error__" not in records[k]]
        tap.equal(found["best"], min(times), f"best of {strategy}")
        took = sum(seconds(records[k]) for k in keys)
        tap.equal(round(found["virtual_seconds"], 6), round(took, 6), f"time of {strategy}")


def test_a_space_that_is_exhausted_ends_the_search():
    [found] = searches(cli.Place(), CACHE, "--budget", "1000")
    tap.equal(sorted(found["keys"]), sorted(recorded()))


def test_until_optimum_is_the_same_search_and_ends_at_the_recordings_best():
    records = recorded()
    best = min(r["time"] for r in records.values() if "__error__" not in r)
    for jobs in ((), ("--jobs", "4")):
        [whole] = searches(cli.Place(), CACHE, "--budget", "1000", "--strategy", "random", *jobs)
        [ended] = searches(cli.Place(), CACHE, "--budget", "1000", "--strategy", "random", "--until-optimum", *jobs)
        at = next(i for i, k in enumerate(whole["keys"]) if records[k].get("time") == best)
        tap.equal(ended["keys"], whole["keys"][:at + 1])
        tap.equal(ended["best"], best)


def test_jobs_overlap_on_the_virtual_clock():
    place = cli.Place()
    [alone] = searches(place, CACHE, "--strategy", "random", "--budget", "22")
    [four] = searches(place, CACHE, "--strategy", "random", "--budget", "22", "--jobs", "4")
    tap.equal(sorted(alone["keys"]), sorted(four["keys"]))
    if not four["virtual_seconds"] < alone["virtual_seconds"] / 2:
        raise AssertionError(f"expected less than half of {alone['virtual_seconds']} s, found "
                             f"{four['virtual_seconds']} s")


def test_the_same_words_print_the_same_bytes():
    for words in (("--jobs", "3"), ()):
        tap.equal(cli.Place().run("replay", CACHE, "--json", *words),
                  cli.Place().run("replay", CACHE, "--json", *words))


def test_the_log_has_a_position_a_line_and_the_tasks_budget_ends_it():
    place = cli.Place()
    log = os.path.join(place.folder, "trials.log")
    place.run("replay", TASK, "--log", log)
    with open(TASK) as f:
        task = json.load(f)
    with open(log) as f:
        log = [int(line) for line in f]
    budget = task["budget"]
    spent = [sum(task["costs"][i] for i in log[:n]) for n in range(len(log) + 1)]
    end = next(n for n, s in enumerate(spent)
               if n >= budget["min_evals"] and s > budget["max_cost"])
    tap.equal(len(log), end, "evaluations")
    tap.equal(len(set(log)), len(log), "distinct evaluations")


def test_a_table_says_how_near_the_optimum_a_search_came():
    out = cli.Place().run("replay", CACHE, "--budget", "100")
    tap.contains(out, "22 configurations, 18 of them ok")
    tap.contains(out, "best time 1 (32,2,False,a)")
    tap.contains(out, "100.0 %")


def test_results_find_the_description_beside_them():
    place = cli.Place()
    for name in ("nine-GPU_T4.json", "nine-T1.json"):
        shutil.copy(os.path.join(CORPUS, name), place.folder)
    here = os.path.join(place.folder, "nine-GPU_T4.json")
    tap.equal(searches(place, here), searches(place, CACHE))
    with open(os.path.join(place.folder, "nine-T1.json"), "w") as f:
        f.write("{}")
    said = place.complaint("replay", here)
    tap.contains(said, "nine-T1.json")
    tap.contains(said, "ConfigurationSpace")
    given = os.path.join(CORPUS, "nine-T1.json")
    tap.equal(searches(place, here, "--t1", given), searches(place, CACHE))


def test_bad_input_is_named_and_nothing_is_printed():
    place = cli.Place()
    letter = os.path.join(place.folder, "letter.json")
    with open(letter, "w") as f:
        f.write("Dear reader")
    for words, part in (
            ((letter,), "letter.json"),
            (("none.json",), "none.json"),
            ((place.folder,), "not a regular file"),
            ((CACHE, "--strategy", "luck"), "luck"),
            ((CACHE, "--budget", "0"), "--budget"),
            ((CACHE, "--jobs", "0"), "--jobs"),
            ((CACHE, "--t1", TASK), "T4 results"),
            ((CACHE, "--log", "x", "--repeat", "2"), "--repeat"),
            ((CACHE, "--log", os.path.join(place.folder, "no", "where")), "--log"),
            ((), "FILE")):
        tap.contains(place.complaint("replay", *words), part, f"stderr of {words}")


if __name__ == "__main__":
    tap.main(globals())
