"""The insights command on a small search on the CPU."""

import cli
import tap


def searched(budget):
    place = cli.Place()
    place.run("start", cli.TINY, "--budget", str(budget), "--strategy", "exhaustive", status=0)
    return place


def test_insights_count_every_trial_under_each_parameter():
    place = searched(24)
    found = place.json("insights")
    names = place.json("check", cli.TINY)["parameters"]
    tap.equal([p["name"] for p in found["parameters"]], list(names))
    for p in found["parameters"]:
        tap.equal([v["value"] for v in p["values"]], [str(v) for v in names[p["name"]]])
        tap.equal(sum(v["tried"] for v in p["values"]), found["trials"], p["name"])
        tap.equal(sum(v["failed"] for v in p["values"]), found["trials"] - found["ok"], p["name"])
        tap.equal(0 <= p["importance"] <= 1, True, f"importance of {p['name']}")
        best = next(v for v in p["values"] if v["value"] == p["best"])
        tried = [v for v in p["values"] if v["tried"] > v["failed"]]
        tap.equal(best["effect"], min(v["effect"] for v in tried), f"effect of {p['best']}")
        for v in p["values"]:
            tap.equal(sum(v["failures"].values()), v["failed"], f"kinds of failures of {p['name']}")
        tap.equal(0 <= p["with_others"] <= 1, True, f"{p['name']} with others")
    for pair in found["pairs"]:
        tap.equal((set(pair["parameters"]) <= set(names), len(pair["parameters"]), pair["share"] > 0),
                  (True, 2, True))


def test_a_parameter_that_changes_no_binary_is_called_inert():
    place = searched(24)
    inert = {p["name"]: p["inert"] for p in place.json("insights")["parameters"]}
    tap.equal(inert["INERT"], True)
    tap.equal(all(inert.values()), False, "all are inert")
    tap.contains(place.run("insights", "1"), "changes no binary")


def test_the_value_that_fails_is_named_and_no_switch_is_to_be_widened():
    out = searched(24).run("insights")
    row = next(line for line in out.splitlines() if line.startswith("FAIL"))
    tap.contains(row, "1 (")
    tap.contains(row, "compile_error")
    tap.equal("widen" in row, False, f"widen in {row!r}")


def test_insights_of_nothing_say_what_to_do():
    place = cli.Place()
    tap.contains(place.complaint("insights"), "`evo-tuned start` makes")
    tap.contains(place.complaint("insights", "first"), "first")


if __name__ == "__main__":
    tap.main(globals())
