"""Are the statistics what they say? Family-wise error, coverage and power, on the per-query values of real records.

    python benchmarks/calibration.py [results] [--dataset beir/scifact/test] [--measure nDCG@10] [--runs 2000] [--contrasts 3]

Each run draws queries with replacement from those of the records, so that the truth is known. Prints rates with their intervals.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np

from harness.bench.evidence import scores
from harness.bench.store import Store
from harness.statistics.calibration import Rate, coverage, detected, false_alarms


def told(rate: Rate) -> str:
    """A rate with what may be chance."""
    low, high = rate.interval
    return f"{rate.rate:6.2%} [{low:.2%}, {high:.2%}]"


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", type=Path, default=Path("results"))
    parser.add_argument("--dataset", default="beir/scifact/test")
    parser.add_argument("--measure", default="nDCG@10")
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--contrasts", type=int, default=3)
    parser.add_argument("--queries", type=int, nargs="*", default=[50, 100, 300])
    arguments = parser.parse_args()
    store = Store(arguments.results)
    held = [s for s in store.stored()[0] if s.record.dataset["name"] == arguments.dataset and s.record.status == "ok"]
    rows = [scores([stored], store, arguments.measure) for stored in held if stored.record.seed == 0]
    means = np.stack([row.values[:, 0] for row in rows], axis=1)
    pairs = list(itertools.combinations(range(len(rows)), 2))
    spread = sorted(pairs, key=lambda p: float((means[:, p[0]] - means[:, p[1]]).std()))
    chosen = [spread[i] for i in np.linspace(0, len(spread) - 1, arguments.contrasts).round().astype(int)]
    differences = np.stack([means[:, a] - means[:, b] for a, b in chosen], axis=1)
    print(f"{arguments.dataset}, {arguments.measure}, {len(means)} queries, {arguments.runs} runs")
    for (a, b), column in zip(chosen, differences.T, strict=True):
        print(f"  contrast: {rows[a].row} and {rows[b].row}, standard deviation {column.std():.3f}")
    for n in arguments.queries:
        print(f"{n} queries")
        print(f"  any false alarm of {arguments.contrasts} contrasts  {told(false_alarms(differences, n, arguments.runs))}")
        centred = false_alarms(differences, n, arguments.runs, centred=True)
        print(f"  the same, of systems of other shape with equal means  {told(centred)}")
        for row, column in ((rows[i].row, means[:, i]) for i in sorted({i for pair in chosen for i in pair})):
            print(f"  interval of {row} holds its mean  {told(coverage(column, n, arguments.runs))}")
        for (a, b), column in zip(chosen, differences.T, strict=True):
            pair = f"{rows[a].row} and {rows[b].row}"
            print(f"  interval of the difference of {pair} holds it  {told(coverage(column, n, arguments.runs))}")
            print(f"  minimum detectable effect of {pair} found  {told(detected(column, n, arguments.runs))}")


if __name__ == "__main__":
    main()
