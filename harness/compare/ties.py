"""Which rows are tied with the best, in the words that every output uses; the family of tests is named once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.base.counts import all_of, counted
from harness.compare.comparison import Comparison

MOST = 4
"""Names of tied rows in a sentence; the ranks in the table show all."""


def best_sentence(comparison: Comparison, measure: str, mean: float) -> str:
    """Which row is best, which are tied with it, and how many are significantly worse: one sentence.

    Args:
        comparison: of the rows, best first.
        measure: as it is shown, e.g. `nDCG@10`.
        mean: of the best row, as it is shown.
    """
    best, interval, n = comparison.rows[0], comparison.intervals[0], comparison.queries
    around = f" [{interval.low:.3f}, {interval.high:.3f}]" if n > 1 and math.isfinite(interval.low) else ""
    start = f"Best: `{best}`, {measure} {mean:.4f}{around} over {counted(n, 'query', 'queries')}"
    tied = [row for row, behind in zip(comparison.rows[1:], comparison.behind[1:], strict=True) if behind.tied]
    worse = len(comparison.rows) - 1 - len(tied)
    if not tied and not worse:
        return f"{start}."
    if not tied:
        return f"{start}; {all_of(worse, 'the other row is', 'other rows are')} significantly worse."
    rest = f"; {counted(worse, 'other row is', 'other rows are')} significantly worse" if worse else ""
    return f"{start}; tied with it: {_named(tied)}{rest}."


def family_sentence(comparison: Comparison) -> str:
    """What `tied` and `rank` mean on a board, with the family of tests; empty for one row."""
    if len(comparison.rows) < 2:
        return ""
    return (
        "Tied: the 95 % interval of the difference contains 0; intervals and ranks hold together for "
        f"{comparison.corrected}."
    )


def _named(rows: Sequence[str]) -> str:
    """`a`, `b` and 3 more."""
    names = [f"`{row}`" for row in rows[:MOST]]
    if len(rows) > MOST:
        return f"{', '.join(names)} and {len(rows) - MOST} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
