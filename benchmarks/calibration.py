"""Are intervals, verdicts and ranks calibrated? Error, coverage and power, on the per-query values of real records.

    python benchmarks/calibration.py [results] [--dataset beir/scifact/test] [--measure nDCG@10] [--runs 1000]
        [--rows 5 28] [--queries 50 300]

Each run draws queries with replacement from those of the records, so that the truth is known. Prints rates with their
intervals: what is 95 % or 5 % in theory, on this table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from harness.bench.store import Store
from harness.compare.evidence import scores
from harness.statistics.calibration import Rate, coverage, detected, false_alarms, simultaneous_coverage
from harness.statistics.paired import Values


def described(rate: Rate) -> str:
    """A rate with what may be chance."""
    low, high = rate.interval
    return f"{rate.rate:6.2%} [{low:.2%}, {high:.2%}]"


def say(what: str, rate: Rate | None) -> None:
    """One line."""
    if rate is not None:
        print(f"  {what:78}{described(rate)}", flush=True)


def of_a_board(means: Values, queries: int, runs: int) -> None:
    """The family of all pairs, and the best row against the others as planned contrasts."""
    rows = means.shape[1]
    pairs = f"{rows * (rows - 1) // 2} pairs of {rows} rows"
    say(f"{pairs}: any false alarm, rows exchangeable", false_alarms(means, queries, runs))
    found = simultaneous_coverage(means, queries, runs)
    say(f"{pairs}: all intervals contain the truth", found.intervals)
    say(f"{pairs}: those from the best do", found.best)
    say(f"{pairs}: all ranges of ranks do", found.ranks)
    star = (np.zeros(rows - 1, np.intp), np.arange(1, rows))
    baselines = f"one row against {rows - 1} baselines"
    say(f"{baselines}: any false alarm, rows exchangeable", false_alarms(means, queries, runs, contrasts=star))
    planned = simultaneous_coverage(means, queries, runs, contrasts=star)
    say(f"{baselines}: all intervals contain the truth", planned.intervals)
    middle = (rows // 3, 2 * rows // 3)
    say(f"{pairs}: smallest difference found, of one pair", detected(means, middle, queries, runs))


def of_one_pair(means: Values, queries: int, runs: int) -> None:
    """A single planned comparison, of the two rows whose values are given."""
    deviation = float((means[:, 0] - means[:, 1]).std())
    one = f"one pair, standard deviation {deviation:.3f}"
    say(f"{one}: false alarm, rows exchangeable", false_alarms(means, queries, runs))
    say(f"{one}: its interval contains the truth", simultaneous_coverage(means, queries, runs).intervals)
    say(f"{one}: smallest difference found", detected(means, (0, 1), queries, runs))


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", type=Path, default=Path("results"))
    parser.add_argument("--dataset", default="beir/scifact/test")
    parser.add_argument("--measure", default="nDCG@10")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rows", type=int, nargs="*", default=[5, 28])
    parser.add_argument("--queries", type=int, nargs="*", default=[50, 300])
    arguments = parser.parse_args()
    store = Store(arguments.results)
    there = [s for s in store.stored()[0] if s.record.dataset["name"] == arguments.dataset and s.record.status == "ok"]
    rows = [scores([stored], store, arguments.measure) for stored in there if stored.record.seed == 0]
    rows.sort(key=lambda row: (-row.mean, row.row))
    means = np.stack([row.values[:, 0] for row in rows], axis=1)
    print(f"{arguments.dataset}, {arguments.measure}, {len(means)} queries, {len(rows)} rows, {arguments.runs} runs")
    for queries in arguments.queries:
        print(f"{queries} queries")
        for place in (0, len(rows) // 2, len(rows) - 1):
            say(f"interval of the mean of row {place + 1} holds it", coverage(means[:, place], queries, arguments.runs))
        for other in (1, len(rows) // 4, len(rows) - 2):
            of_one_pair(means[:, [0, other]], queries, arguments.runs)
        for count in arguments.rows:
            chosen = (
                np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
            )  # evenly from the best to the last
            of_a_board(means[:, chosen], queries, arguments.runs)


if __name__ == "__main__":
    main()
