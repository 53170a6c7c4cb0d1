"""How often 95 % intervals of prediction-powered estimates contain the truth, on real runs with machine labels of a
known error.

    python benchmarks/ppi_calibration.py --results results --dataset beir/scifact --trials 400

The queries of a collection with real judgements are the population: the truth is the mean over all of them. Machine
labels are the real ones with errors: a relevant document in the pool is missed with probability `--missed`, another is
taken for relevant with probability `--wrong`, and the favoured row's first ten with `--favour` more. Each trial draws
queries with replacement; of some, people's (the real) labels are known. Two kinds of interval are compared: of
the prediction-powered estimate, and the naive one of the machine's labels.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.bench.store import Store
from harness.data.measures import parse_measures, per_query
from harness.data.trec import read_run
from harness.datasets import load_dataset
from harness.runtime.context import open_context
from harness.statistics.family import family
from harness.statistics.paired import Values
from harness.statistics.ppi import estimates, intervals, strata, tuned_for_differences

ROWS = ("bm25", "dense", "hybrid-rrf", "bm25>>dense")
DEPTH = 10
PEOPLE = (30, 50, 100)


@dataclass(frozen=True)
class Population:
    """(queries, rows) values by real labels and by machine labels."""

    real: Values
    machine: Values


def population(results: Path, dataset: str, rows: tuple[str, ...], errors: tuple[float, float, float]) -> Population:
    """Values of the stored runs of rows, by real labels and by machine labels with errors.

    Args:
        results: folder of the records.
        dataset: of the records.
        rows: names on the board; the second is the favoured one.
        errors: probability of a missed document, of a wrong one, and what is added for the favoured row's.
    """
    qrels = load_dataset(dataset, open_context()).test.qrels
    stored, _ = Store(results).stored()
    places = {s.record.row: s.place.run for s in stored if s.record.dataset["name"].startswith(dataset)}
    runs = [read_run(places[row]) for row in rows]
    tops = [{q: sorted(found, key=lambda d: -found[d])[:DEPTH] for q, found in run.items()} for run in runs]
    rng = np.random.default_rng(0)
    missed, wrong, favour = errors
    machine: dict[str, dict[str, int]] = {}
    for query, grades in qrels.items():
        favoured = set(tops[1].get(query, ()))
        for document in sorted({d for top in tops for d in top.get(query, ())} | set(grades)):
            relevant = grades.get(document, 0) > 0
            chance = 1 - missed if relevant else wrong + favour * (document in favoured)
            machine.setdefault(query, {})[document] = int(rng.random() < chance)
    measure = parse_measures(["nDCG@10"])
    found = []
    for labels in (qrels, machine):
        columns = [per_query(measure, labels, [(q, t, []) for q, t in top.items()])["nDCG@10"] for top in tops]
        found.append(np.array([[column[query] for column in columns] for query in qrels], np.float64))
    return Population(*found)


def coverage(whole: Population, queries: int, people: int, trials: int, draws: int) -> dict[str, float]:
    """Share of trials in which each interval contains the truth; `wrong sign` is the share of pairs that are called
    significant the wrong way.
    """
    truth = whole.real.mean(0)
    rows = whole.real.shape[1]
    first, second = np.triu_indices(rows, 1)
    hits = dict.fromkeys(("mean", "naive mean", "pair", "naive pair", "wrong sign", "naive wrong sign"), 0.0)
    for trial in range(trials):
        rng = np.random.default_rng([people, trial])
        drawn = rng.integers(0, len(whole.real), queries)
        real, machine, others = whole.real[drawn[:people]], whole.machine[drawn[:people]], whole.machine[drawn[people:]]
        weight = tuned_for_differences(real, machine, others)
        powered = strata(real, machine, others, weight)
        assert np.isfinite(estimates(powered)).all()
        for name, parts in (("", powered), ("naive ", [whole.machine[drawn]])):
            within = [i.low <= value <= i.high for i, value in zip(intervals(parts), truth, strict=True)]
            hits[f"{name}mean"] += float(np.mean(within)) / trials
            for a, b in zip(first, second, strict=True):  # each as a single planned comparison
                one = family([part[:, [a, b]] for part in parts], np.array([0]), np.array([1]), seed=trial, draws=draws)
                interval, gap = one.difference(0, 1).interval, truth[a] - truth[b]
                hits[f"{name}pair"] += float(interval.low <= gap <= interval.high) / trials / len(first)
                opposite = interval.low > 0 >= gap or interval.high < 0 <= gap
                hits[f"{name}wrong sign"] += float(opposite) / trials / len(first)
    return hits


def main() -> None:
    """Prints a line for each number of queries with people's labels and each kind of error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--dataset", default="beir/scifact")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--draws", type=int, default=999)
    parser.add_argument("--missed", type=float, default=0.2)
    parser.add_argument("--wrong", type=float, default=0.03)
    parser.add_argument("--favour", type=float, default=0.1)
    settings = parser.parse_args()
    kinds = {"even": 0.0, f"in favour of {ROWS[1]}": settings.favour}
    for kind, favour in kinds.items():
        whole = population(settings.results, settings.dataset, ROWS, (settings.missed, settings.wrong, favour))
        for people in PEOPLE:
            found = coverage(whole, settings.queries, people, settings.trials, settings.draws)
            shown = ", ".join(f"{name} {share:.3f}" for name, share in found.items())
            print(f"{settings.dataset}, errors {kind}, {people} of {settings.queries} queries: {shown}")


if __name__ == "__main__":
    main()
