"""What the boards say of where a row stands: its interval, its difference from the best, its ranks; and what that
means.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from harness.compare.across_datasets import Against
from harness.compare.ties import Placed, Standing
from harness.compare.verdict import ends, signed
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

STANDING = ("95 %", "from the best", "rank")
ACROSS = ("95 %", "rank")
AGAINST = ("from the first", "datasets w/t/l", "queries w/t/l", "p")
TIED = (
    "`from the best` is a row's mean less that of the best row, with its simultaneous 95 % interval (paired by query, "
    "largest "
    "|t| of all pairs of rows in studentised resamples of the queries): all these intervals hold the true differences "
    "at once in "
    "95 of 100 cases, and a row is `tied` with the best where its interval contains 0. `rank` is the range of ranks "
    "that these "
    "queries leave to a row: 1 + the number of rows that are significantly better, to the number of rows less those "
    "that are "
    "significantly worse. Each row that is added widens the intervals: above each table is said for how many pairs."
)
EXPLAINED = (
    "Measures are means over all judged queries, by ir-measures; an unanswered query counts 0. Best value of a column "
    "in bold. "
    f"`95 %` is the interval of the first measure's mean over queries (BCa bootstrap). {TIED} "
    "`judged` is the share of the documents within the first measure's cutoff that have a judgement; the others count "
    "as not "
    "relevant. `fit + index`, and `search` of all queries, are what they take without a cache on the machine of the "
    "record, "
    "loading a model left out and `training` included (a re-ranker embeds its candidates in `search`); latency is one "
    "query at "
    "a time, encoded without the cache, top 100, in brackets if the machine was busy and it is not the row's own. `–`: "
    "not "
    "measured."
)
EXPLAINED_ACROSS = (
    "`mean` counts every dataset alike, whatever its number of queries; `95 %` is its interval (BCa bootstrap, queries "
    "resampled "
    "within each dataset). `from the first` is a row's mean less that of the first row with an interval, with its "
    "simultaneous "
    "95 % interval over all pairs of rows (studentised resamples within each dataset); the two are tied where it "
    "contains 0, `p` "
    "agrees with it, and `rank` is the range of ranks that all pairs leave to a row. `datasets` and `queries` are how "
    "many it "
    "has won, tied and lost against that row. All this is about other queries of these datasets, not about other "
    "datasets."
)


def span(interval: Interval | None) -> str:
    """An interval as shown."""
    return "–" if interval is None else f"{interval.low:.3f} – {interval.high:.3f}"


def gap(found: Difference | None) -> str:
    """A difference with its interval and whether it is a tie, as shown."""
    if found is None:
        return "–"
    around = f" {ends(found.interval, 3)}" if math.isfinite(found.interval.high - found.interval.low) else ""
    return f"{_minus(signed(found.mean) + around)}{' tied' if found.tied else ''}"


def rank(ranks: tuple[int, int] | None) -> str:
    """A range of ranks as shown."""
    if ranks is None:
        return "–"
    return str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"


def placed_cells(placed: Placed | None) -> tuple[str, str, str]:
    """A row's cells, in the order of `STANDING`."""
    if placed is None:
        return ("–", "–", "–")
    return span(placed.interval), "best" if placed.behind is None else gap(placed.behind), rank(placed.ranks)


def pairs(standing: Standing | None) -> dict[str, Any] | None:
    """Which row of a board is significantly better than which, JSON-safe; all other pairs are tied.

    Returns:
        `corrected`: for how many contrasts, in words. `better`: for each row by its place the places of the rows that
        it is better than, as starts and ends (exclusive) of runs, for on most boards these are few.
    """
    if standing is None:
        return None
    padded = np.pad(standing.better.astype(np.int8), ((0, 0), (1, 1)))
    return {"corrected": standing.corrected, "better": [np.flatnonzero(np.diff(row)).tolist() for row in padded]}


def against(held: Against | None) -> tuple[str, ...]:
    """A row against the first, in the order of `AGAINST`."""
    if held is None:
        return ("–",) * len(AGAINST)
    counts = ["/".join(map(str, counts)) for counts in (held.datasets, held.queries)]
    return (gap(held.difference), *counts, f"{held.difference.p:.4f}")


def _minus(shown: str) -> str:
    """With the sign in place of the hyphen, exponents aside."""
    return re.sub(r"(?<!e)-", "−", shown)
