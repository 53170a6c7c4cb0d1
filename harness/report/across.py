"""The table across datasets: each row's scores by one measure, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.compare.across_datasets import Against, Overall
from harness.compare.beyond import Beyond
from harness.compare.comparison import Comparison
from harness.report import formats
from harness.report.board import Table
from harness.report.index_again import index_again


@dataclass(frozen=True)
class AcrossRow:
    """One row of the table.

    Args:
        name: on the board.
        values: its score on each dataset, None if it has none.
        overall: its mean compared with those of the others; None without per-query values.
        beyond: the row compared with the first for other collections; None without per-query values.
        on_new: the same on queries about new documents; None also if no query asks about old ones.
        training: seconds, the mean over the datasets on which it trained; None if it did not.
        index_again: whether it needs every document encoded again; None if it did not train.
    """

    name: str
    values: tuple[float | None, ...]
    overall: Overall | None = None
    beyond: Beyond | None = None
    on_new: Beyond | None = None
    training: float | None = None
    index_again: bool | None = None

    @property
    def mean(self) -> float | None:
        """None unless the row has a score on every dataset: means over different datasets are not comparable."""
        scores = [value for value in self.values if value is not None]
        return sum(scores) / len(scores) if scores and len(scores) == len(self.values) else None

    @property
    def against(self) -> Against | None:
        """The comparison with the first row; None for that row and for rows without per-query values."""
        return self.overall.against if self.overall else None


@dataclass(frozen=True)
class Across:
    """One measure over all datasets.

    Args:
        measure: which.
        datasets: full names.
        rows: those with a score on every dataset first, by their mean.
        notes: on the evidence.
        comparison: of the rows with an interval; None without per-query values.
        published: scores of others, in the order of `rows`; shown below them and compared with none.
    """

    measure: str
    datasets: tuple[str, ...]
    rows: tuple[AcrossRow, ...]
    notes: tuple[str, ...] = ()
    comparison: Comparison | None = field(default=None, compare=False, repr=False)
    published: tuple[AcrossRow, ...] = ()

    def letters(self, row: AcrossRow) -> tuple[str, ...]:
        """The groups of tied rows that a row is in."""
        if self.comparison is None or row.overall is None:
            return ()
        return self.comparison.letters[self.comparison.rows.index(row.name)]

    @property
    def has_intervals(self) -> bool:
        """Whether rows have intervals."""
        return any(row.overall for row in self.rows)

    @property
    def has_new(self) -> bool:
        """Whether rows are compared on new documents."""
        return any(row.on_new for row in self.rows)

    @property
    def compared(self) -> tuple[AcrossRow, ...]:
        """The rows that are compared with the first."""
        return tuple(row for row in self.rows if row.against)

    @property
    def baseline(self) -> str:
        """The row that the others are compared with: the first with an interval; empty if there is none."""
        return next((row.name for row in self.rows if row.overall and not row.against), "")

    @property
    def best(self) -> tuple[str | None, ...]:
        """The best score on each dataset and the best mean, as shown."""
        columns = zip(*((*row.values, row.mean) for row in self.rows), strict=True)
        return tuple(_best(column) for column in columns)


def _best(column: Sequence[float | None]) -> str | None:
    values = [value for value in column if value is not None]
    return formats.score(max(values)) if values else None


def across(tables: Sequence[Table]) -> Across | None:
    """The table across datasets by the first measure they share; None for fewer than two datasets."""
    shared = [m for m in tables[0].measures if all(m in t.measures for t in tables)] if tables else []
    if len(tables) < 2 or not shared:
        return None
    measure = shared[0]
    names = sorted({line.row for table in tables for line in table.lines if line.ok})
    rows = sorted((_row(name, tables, measure) for name in names), key=in_order)
    return Across(
        measure,
        tuple(table.dataset for table in tables),
        tuple(rows),
        published=tuple(sorted(_published(tables, measure), key=in_order)),
    )


def in_order(row: AcrossRow) -> tuple[bool, float, str]:
    """The sort key of the rows: those with a mean first, the best first."""
    return row.mean is None, -(row.mean or 0.0), row.name


def _published(tables: Sequence[Table], measure: str) -> list[AcrossRow]:
    """The published scores by the measure, with those of every dataset of the tables."""
    every = {each.row: each for table in tables for each in table.published}
    rows = [
        AcrossRow(name, tuple(each.figures.get(table.dataset, {}).get(measure) for table in tables))
        for name, each in every.items()
    ]
    return [row for row in rows if any(value is not None for value in row.values)]


def _row(name: str, tables: Sequence[Table], measure: str) -> AcrossRow:
    lines = [table.line(name) for table in tables]
    there = [line for line in lines if line is not None]
    times = [line.training for line in there if line.training]
    return AcrossRow(
        name,
        tuple(line.value(measure) if line else None for line in lines),
        training=sum(times) / len(times) if times else None,
        index_again=index_again(there[0].first.method) if times else None,
    )
