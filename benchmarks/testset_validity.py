"""How far a made test set can be trusted: the judgements of a collection are hidden, a set is made, rows are compared.

    python benchmarks/testset_validity.py --dataset beir/cranfield beir/scifact beir/csfcube --seeds 2 --work validity

Each of 16 rows ranks the real queries and those that are made of the documents. Printed for each collection: Kendall's
τ and τ_AP (Yilmaz, Aslam and Robertson, SIGIR 2008) between both orders of the rows; how many differences the made set
calls significant, and how many of these have the wrong sign, once by sampling of the queries alone and once with
intervals that are widened for the judge's errors (`harness.compare.judge_errors`); whether the truly best row is in
the top group; and by how many places rows are ranked too high that share the judge's model, match words, or neither.

The width for a collection is measured on the others only, so that its own judgements are never used. `--write` stores
the figures: those that the package uses, and those of the tables in docs/testset.md, which `validity_table.py` makes.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from harness.compare.judge_errors import FILE, Bounds
from harness.statistics.family import Family, family
from harness.statistics.judge_error import bound, largest_wrong
from harness.statistics.paired import Values
from validity_sets import JUDGES, LABELS, MEASURES, ROWS, Measured, measured
from validity_table import STORED, markdown

GENERATOR = "extractive"
Sets = Mapping[str, Sequence[Measured]]
Wrong = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Agreement:
    """A made set compared with real judgements.

    Args:
        tau: Kendall's, of the two orders.
        tau_ap: of the made order, with the real one as the truth.
        significant: pairs that the made set calls significantly different.
        wrong: of these, those whose real difference has the other sign.
        best_in_top: whether the truly best row is tied with the best, or the best, on the made set.
        shifts: relation to the judge → mean number of places by which the made set ranks such rows too high.
    """

    tau: float
    tau_ap: float
    significant: int
    wrong: int
    best_in_top: bool
    shifts: dict[str, float]

    def verdicts(self) -> dict[str, Any]:
        """JSON-safe."""
        return {"significant": self.significant, "wrong": self.wrong, "best_in_top": self.best_in_top}


def tau_ap(made: Sequence[float], real: Sequence[float]) -> float:
    """Yilmaz et al. 2008: 2/(n − 1) Σ C(i)/(i − 1) − 1 over the made order from the second place on, C(i) the number
    of rows above place i that are above it in truth too.
    """
    order = np.argsort(-np.asarray(made), kind="stable")
    truth = np.asarray(real)[order]
    shares = [float((truth[:place] > truth[place]).mean()) for place in range(1, len(truth))]
    return 2 * float(np.mean(shares)) - 1


def agreement(made: Sequence[float], real: Sequence[float], tests: Family, relations: Sequence[str]) -> Agreement:
    """Of the rows' means on both sets.

    Args:
        made: means on the made set.
        real: on the real one, of the same rows in the same order.
        tests: all pairs on the made set, rows in that order.
        relations: of each row to the judges.
    """
    better = tests.better()
    pairs = np.argwhere(better)
    wrong = sum(real[a] < real[b] for a, b in pairs.tolist())
    first = int(np.argmax(made))
    top = [row for row in range(len(made)) if not better[first, row]]
    places = [np.argsort(np.argsort(-np.asarray(values), kind="stable")) for values in (real, made)]
    gained = places[0] - places[1]
    of_relation = {name: [own == name for own in relations] for name in dict.fromkeys(relations)}
    shifts = {name: float(gained[own].mean()) for name, own in of_relation.items()}
    tau = float(kendalltau(made, real).statistic)
    return Agreement(tau, tau_ap(made, real), len(pairs), int(wrong), int(np.argmax(real)) in top, shifts)


def compared(one: Measured, measure: str, labels: str, sizes: Values | None) -> Agreement:
    """One made set by one measure, with or without widths for the judge's errors."""
    made, real = (values.astype(np.float64) for values in (one.made[labels][measure], one.real[measure]))
    tests = family([made], judge=[sizes])
    return agreement(made.mean(0).tolist(), real.mean(0).tolist(), tests, one.relations)


def largest(sets: Sequence[Measured], judge: str, shared: bool) -> float:
    """The largest wrong difference of a collection: over its made sets and all measures.

    Args:
        sets: of one collection.
        judge: whose labels.
        shared: of pairs of which a row shares the judge's model; else of the other pairs. The panel hears words too, so
            that it has no other pairs: all count.
    """
    own = np.array([relation == "judge's model" or judge == "panel" for relation in sets[0].relations])
    pairs = (own[:, None] | own) == (shared or judge == "panel")
    return max(
        largest_wrong(one.made[judge][measure], one.real[measure], pairs)
        for one, measure in itertools.product(sets, MEASURES)
    )


def wrong_of(sets: Sets, judge: str) -> Wrong:
    """Collection → kind of pair → the largest wrong difference by a judge's labels."""
    return {
        name: {"shared": round(largest(own, judge, True), 4), "apart": round(largest(own, judge, False), 4)}
        for name, own in sets.items()
    }


def bounds_without(name: str, wrong: Wrong, judge: str) -> Bounds:
    """The bounds for a collection, from all others."""
    others = [own for other, own in wrong.items() if other != name]
    shared, apart = (bound([own[kind] for own in others]) for kind in ("shared", "apart"))
    return Bounds(shared, apart, judge, len(others))


def sizes_of(one: Measured, bounds: Bounds) -> Values:
    """(rows, rows) of a made set."""
    return bounds.of([relation == "judge's model" for relation in one.relations], [bounds.judge])


def stored(sets: Sets, queries: int) -> dict[str, Any]:
    """All figures of the tables in docs/testset.md, JSON-safe."""
    wrong = {judge: wrong_of(sets, judge) for judge in JUDGES}
    found = []
    for name, own in sets.items():
        for labels, one, measure in itertools.product(LABELS, own, MEASURES):
            plain, wide = compared(one, measure, labels, None), None
            if labels in JUDGES:
                sizes = sizes_of(one, bounds_without(name, wrong[labels], labels))
                wide = compared(one, measure, labels, sizes).verdicts()
            found.append(
                {
                    "collection": name,
                    "seed": one.seed,
                    "queries": len(one.kinds),
                    "labels": labels,
                    "measure": measure,
                    "tau": round(plain.tau, 4),
                    "tau_ap": round(plain.tau_ap, 4),
                    "by_sampling": plain.verdicts(),
                    "widened": wide,
                    "places": {relation: round(places, 2) for relation, places in plain.shifts.items()},
                }
            )
    judges = {
        judge: {
            "largest_wrong": own,
            "bounds": {kind: round(bound([each[kind] for each in own.values()]), 4) for kind in ("shared", "apart")},
        }
        for judge, own in wrong.items()
    }
    measured = {"generator": GENERATOR, "rows": len(ROWS), "queries": queries, "measures": MEASURES}
    return {**measured, "judges": judges, "sets": found}


def figures(every: Mapping[str, Any]) -> dict[str, Any]:
    """What `judge_errors.json` contains, of what `stored` gives: the first made set of each collection by the first
    measure, and the widths of all of its sets.
    """
    judges: dict[str, dict[str, Any]] = {judge: {} for judge in every["judges"]}
    for each in every["sets"]:
        own = judges.get(each["labels"])
        if own is not None and each["measure"] == every["measures"][0] and each["collection"] not in own:
            own[each["collection"]] = {
                "largest_wrong": every["judges"][each["labels"]]["largest_wrong"][each["collection"]],
                "places": each["places"],
                "tau": each["tau"],
                "by_sampling": {name: each["by_sampling"][name] for name in ("significant", "wrong")},
                **each["widened"],
            }
    return {**{name: every[name] for name in ("generator", "rows", "queries")}, "judges": judges}


def main() -> None:
    """Prints the table; with `--write`, writes the package's figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=["beir/cranfield"])
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("validity"), help="folder of what was measured")
    parser.add_argument("--write", action="store_true", help=f"write {STORED.name} and {FILE.name}")
    settings = parser.parse_args()
    settings.work.mkdir(parents=True, exist_ok=True)
    sets = {
        name: measured(name, settings.queries, range(settings.seeds), settings.work) for name in settings.dataset
    }
    every = json.loads(json.dumps(stored(sets, settings.queries)))
    print(markdown(every), flush=True)
    if settings.write:
        STORED.write_text(json.dumps(every, indent=1, ensure_ascii=False) + "\n", "utf-8")
        FILE.write_text(json.dumps(figures(every), indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
