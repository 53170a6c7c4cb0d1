"""The columns on old and on new documents, and whether trained rows beat the control; shown where labels were used.

A terminal has the scores without their intervals; of these the score on new documents is among the last to leave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.bench.document_split import DEFINITION
from harness.compare.documents import PartComparison
from harness.report import formats
from harness.report.board import Line, Table
from harness.report.column import ROOMY, Column, Writer
from harness.statistics.bootstrap import Interval

WITH_INTERVALS: tuple[Writer, ...] = ("markdown", "page")
HELP = (
    f"{DEFINITION} `old docs` and `new docs` are the first measure over these queries (their number in the heading), "
    "with its 95 % confidence interval if they are 20 or more; only `new docs` shows what a row does on documents that "
    "nobody has asked about yet."
)
CONTROL_HELP = (
    "`vs memory`: whether a trained row is better than, tied with or worse than the control on old / on new documents "
    "(on all queries if the collection has no old ones), by the simultaneous intervals of all pairs of rows there. "
    "The control learns nothing: it moves documents towards the training queries that they answer."
)


@dataclass(frozen=True)
class Cell:
    """A row's mean over one part of the queries.

    Args:
        mean: of the first measure.
        interval: of it; None with too few queries.
    """

    mean: float
    interval: Interval | None

    @property
    def text(self) -> str:
        """The mean, with its interval if there is one."""
        return formats.score(self.mean) + (f" {formats.in_brackets(self.interval)}" if self.interval else "")


def document_columns(table: Table) -> list[Column[Line]]:
    """Those of a table with rows that used labels, if any query asks about old documents, and that of the control."""
    columns = []
    for part in table.both_parts:
        cell = _cell(part)
        best = Cell(part.rows[0].mean, part.interval(part.place.index(0))).text
        heading, importance = f"{part.part} docs", 0 if part.part == "new" else 5
        columns.append(
            Column(
                f"{heading} ({part.queries:,})",
                cell,
                lambda value: value.text,
                HELP,
                WITH_INTERVALS,
                number=lambda value: value.mean,
                importance=importance,
                best=best,
            )
        )
        columns.append(
            Column(
                f"{heading} ({part.queries:,})",
                _mean(part),
                formats.score,
                where=("terminal",),
                importance=importance,
                best=formats.score(part.rows[0].mean),
            )
        )
    if table.against_control:
        columns.append(
            Column(
                "vs memory",
                _against(table),
                str,
                CONTROL_HELP,
                ROOMY,
                "words",
                number=lambda text: text,
                importance=4,
            )
        )
    return columns


def paper_columns(table: Table) -> list[Column[Line]]:
    """The same for papers, as a table of its own."""
    columns = []
    for part in table.both_parts:
        cell = _cell(part)
        best = formats.score(part.rows[0].mean)
        score = Column(f"{part.part} docs ({part.queries:,})", cell, lambda value: formats.score(value.mean), best=best)
        interval = Column("95 %", cell, lambda value: _bracketed(value.interval), latex=r"95\,\%")
        columns += [score, interval]
    if table.against_control:
        columns.append(Column("vs memory", _against(table), str))
    return columns


def _cell(part: PartComparison) -> Callable[[Line], Cell | None]:
    def cell(line: Line) -> Cell | None:
        return Cell(part.mean(i), part.interval(i)) if (i := _place(line)) is not None else None

    return cell


def _mean(part: PartComparison) -> Callable[[Line], float | None]:
    return lambda line: part.mean(i) if (i := _place(line)) is not None else None


def _against(table: Table) -> Callable[[Line], str | None]:
    def against(line: Line) -> str | None:
        found = table.against_control.get(i) if (i := _place(line)) is not None else None
        return found.text if found else None

    return against


def _place(line: Line) -> int | None:
    return line.position.place if line.position else None


def _bracketed(interval: Interval | None) -> str:
    return formats.in_brackets(interval) if interval else formats.MISSING
