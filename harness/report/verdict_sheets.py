"""Verdicts as tables: a row for each baseline, and the queries on which two rows differ most."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.pairwise import Comparison, QueryPair
from harness.compare.verdict import Verdict
from harness.report import formats
from harness.report.sheet import Field, Sheet
from harness.report.sheet_fields import difference_fields

WORDS = {"better": "better", "worse": "worse", "equivalent": "equivalent", "cannot tell": "tied"}
"""How a finding is called."""


def verdict_sheet(verdicts: Sequence[Verdict]) -> Sheet:
    """A line for each baseline of a row."""
    contrasts = [verdict.contrast for verdict in verdicts]
    first = contrasts[0].row
    names = [contrast.baseline.row for contrast in contrasts]
    counts = [contrast.pairs.wins_ties_losses for contrast in contrasts]
    fields = [
        Field("baseline", "baseline", names, names, right=False),
        Field.words("finding", [WORDS[verdict.finding] for verdict in verdicts], key="finding"),
        Field.of(first.measure, first.measure, [c.baseline.mean for c in contrasts], formats.score, 2),
        *difference_fields([contrast.tested for contrast in contrasts], "difference", 1)[:-1],
        Field.of("p", "p", [contrast.p for contrast in contrasts], formats.score, 3),
        Field.label("queries w/t/l", [formats.counts(each) for each in counts], 4, right=True),
        Field.hidden("queries_won", [won for won, _, _ in counts]),
        Field.hidden("queries_tied", [tied for _, tied, _ in counts]),
        Field.hidden("queries_lost", [lost for _, _, lost in counts]),
    ]
    title = f"{first.row} on {first.records[0].dataset['name']}"
    return Sheet(title, fields, f"{first.measure} {first.mean:.4f}", key=first.row)


def query_sheet(comparison: Comparison) -> Sheet:
    """The queries on which each of two rows gains most."""
    one, other = comparison.rows
    lines = [*comparison.gains, *comparison.losses]
    ids = [pair.id for pair in lines]
    gains = [_gain(pair) for pair in lines]
    fields = [
        Field("query", "query", ids, ids, right=False),
        Field.of("first", one, [pair.value for pair in lines], formats.score, 2),
        Field.of("second", other, [pair.other for pair in lines], formats.score, 2),
        Field("difference", "difference", gains, [f"{gain:+.4f}".replace("-", "−") for gain in gains]),
        Field.words("text", [pair.text for pair in lines], 1, key="text"),
    ]
    groups = [len(comparison.gains)] if comparison.gains and comparison.losses else []
    return Sheet(f"queries on which {one} and {other} differ most", fields, groups=groups, key=f"{one} against {other}")


def _gain(pair: QueryPair) -> float:
    return pair.value - pair.other
