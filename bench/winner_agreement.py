#!/usr/bin/env python3
"""How often repeated finals of one search agree on the winner.

    bench/winner_agreement.py [--db FILE --run N] [--budget 128] [--repeat 20]

One search, or a run of a database; its values are kept and only the final is repeated, each time
with fresh inputs in a process of its own. A final agrees when it is won by the trial that won most
of them, or found that trial to be tied with the winner. Target: 95 %.
"""
import collections
import os
import statistics

import study

TARGET = 0.95


def options():
    p = study.parser(__doc__)
    p.add_argument("--db", help="of an earlier run; without it a search is made")
    p.add_argument("--run", type=int, default=1)
    p.add_argument("--task", default=os.path.join(study.ROOT, "configs", "sdpa_u8.json"))
    p.add_argument("--budget", type=int, default=128, help="of the search")
    p.add_argument("--repeat", type=int, default=20)
    return p.parse_args()


def figure(value, unit=""):
    return "-" if value is None else f"{value:.3f}{unit}"


def main():
    o = options()
    with study.Place(o.evo, o.db, o.nvrtc) as place:
        run = o.run if o.db else place.search(o.task, o.budget, "--seed", "1")
        finals = place.json("final", str(run), "--repeat", str(o.repeat), *place.nvrtc)["repeats"]
    winners = collections.Counter(f["winner"] for f in finals)
    modal = winners.most_common(1)[0][0]
    agreeing = [f for f in finals if modal and (f["winner"] == modal or modal in f["tied"])]
    share = len(agreeing) / len(finals)
    print(f"### Winner agreement: `bench/winner_agreement.py`, {len(finals)} finals of one search\n")
    study.table(("final", "winner", "tied with it", "p50", "speed-up", "rounds", "seconds"),
                [(i, f["winner"] or "none", ", ".join(map(str, f["tied"])) or "none",
                  figure(f["p50_us"], " us"), figure(f["speedup"]), f["rounds"],
                  f"{f['seconds']:.2f}") for i, f in enumerate(finals, 1)])
    tied = statistics.mean(len(f["tied"]) for f in finals)
    print(f"Trial {modal} won {winners[modal]} of {len(finals)} finals and won or was tied in "
          f"{len(agreeing)}: {100 * share:.0f} % (target {100 * TARGET:.0f} %); "
          f"{tied:.1f} trials are tied with the winner on average.")


main()
