"""Whether trained rows beat a control: a row that learns nothing and only remembers the judgements (`memory`)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.base.errors import HarnessError
from harness.bench.document_split import Part
from harness.compare.comparison import Comparison
from harness.compare.documents import PartComparison, is_trained
from harness.compare.evidence import Scores
from harness.rows import parse_method
from harness.statistics.family import Difference

CONTROL = "memory(dense)"
"""The row that a board without a control is advised to run."""
Against = Literal["better", "tied", "worse"]


@functools.cache
def is_control(method: str) -> bool:
    """Whether an expression is a control: its class says `control = True`."""
    try:
        return bool(getattr(type(parse_method(method)), "control", False))
    except HarnessError:  # of an earlier version, or of a package that is not installed
        return False


@dataclass(frozen=True)
class AgainstControl:
    """A trained row compared with the best control, by the simultaneous intervals of all pairs of rows.

    Args:
        old: on queries about old documents; None if there are none.
        new: on queries about new documents; None if there are none.
        every: on all queries, if the collection has no queries about old documents or its split is unknown.
    """

    old: Against | None = None
    new: Against | None = None
    every: Against | None = None

    @property
    def text(self) -> str:
        """`worse / tied`: on old and on new documents; one word for all queries."""
        if self.every is not None:
            return self.every
        return f"{self.old or '–'} / {self.new or '–'}"


def against_control(
    rows: Sequence[Scores], comparison: Comparison, parts: Sequence[PartComparison]
) -> dict[int, AgainstControl]:
    """Place of each trained row on the board → how it compares with the control that is best there.

    Args:
        rows: of the board, best first.
        comparison: of them on all queries.
        parts: of them on old and on new documents; may be empty.

    Returns:
        Nothing for controls and for rows that were not trained; empty without a control.
    """
    controls = [i for i, row in enumerate(rows) if is_control(row.records[0].method)]
    trained = [i for i, row in enumerate(rows) if is_trained(row) and i not in controls]
    if not controls:
        return {}
    if not parts:
        best = min(controls)
        return {i: AgainstControl(every=_finding(comparison.difference(i, best))) for i in trained}
    found: dict[int, dict[Part, Against]] = {i: {} for i in trained}
    for part in parts:
        best = min(controls, key=lambda i: part.place[i])
        for i in trained:
            found[i][part.part] = _finding(part.difference(i, best))
    return {i: AgainstControl(**each) for i, each in found.items()}


def lacks_control(rows: Sequence[Scores]) -> bool:
    """Whether there are trained rows and no control to compare them with."""
    return any(map(is_trained, rows)) and not any(is_control(row.records[0].method) for row in rows)


def _finding(difference: Difference) -> Against:
    if difference.tied:
        return "tied"
    return "better" if difference.mean > 0 else "worse"
