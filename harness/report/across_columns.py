"""The columns of the table across datasets."""

from __future__ import annotations

from harness.report import formats
from harness.report.across import Across, AcrossRow
from harness.report.column import ROOMY, Column, Writer, explained, interval_columns, unsorted


def dataset_columns(over: Across) -> list[Column[AcrossRow]]:
    """The scores on each dataset, and their mean."""
    columns = [_dataset_column(i, dataset, over.best[i]) for i, dataset in enumerate(over.datasets)]
    mean = Column[AcrossRow]("mean", lambda row: row.mean, formats.score, best=over.best[-1], importance=0)
    return [*columns, mean]


def _dataset_column(place: int, dataset: str, best: str | None) -> Column[AcrossRow]:
    return Column(dataset, lambda row: row.values[place], formats.score, best=best, importance=0)


OVERALL: tuple[Column[AcrossRow], ...] = (
    *interval_columns(
        lambda row: row.overall and row.overall.interval,
        "`95 %` is its confidence interval (BCa bootstrap, queries resampled within each dataset).",
    ),
    Column(
        "rank",
        lambda row: row.overall,
        formats.position,
        "`rank` is the range of ranks that a row may have, by all pairs of rows; a row is `tied` with the first if the "
        "interval of their difference contains 0. `ranks` draws the range as a bar.",
        ROOMY,
        "rank",
        number=unsorted,
        importance=0,
    ),
    Column(
        "ranks",
        lambda row: row.overall,
        lambda overall: formats.rank_bar(overall.ranks, overall.of),
        where=ROOMY,
        kind="bar",
        number=unsorted,
        importance=3,
    ),
)
"""What is known of a row's mean."""

AGAINST: tuple[Column[AcrossRow], ...] = (
    Column(
        "from the first",
        lambda row: row.against and row.against.difference,
        formats.difference,
        "`from the first` is the row's mean minus that of the first row with an interval, with its simultaneous 95 % "
        "confidence interval over all pairs of rows (studentised resamples within each dataset).",
        number=lambda difference: difference.mean,
        importance=4,
    ),
    Column(
        "datasets w/t/l",
        lambda row: row.against and row.against.datasets,
        formats.counts,
        "`datasets` and `queries` count those that the row has won, tied and lost against that row.",
        number=lambda counts: counts[0],
        importance=6,
        latex="datasets",
    ),
    Column(
        "queries w/t/l",
        lambda row: row.against and row.against.queries,
        formats.counts,
        number=lambda counts: counts[0],
        importance=7,
        latex="queries",
    ),
    Column(
        "p",
        lambda row: row.against and row.against.difference.p,
        formats.score,
        "`p` is corrected for the same pairs and agrees with the interval.",
        importance=5,
        latex="$p$",
    ),
)
"""Each row compared with the first."""


def across_columns(over: Across, writer: Writer) -> list[Column[AcrossRow]]:
    """The columns of the table across datasets as a writer shows them, without the comparison with the first row."""
    overall = OVERALL if over.has_intervals else ()
    return [column for column in (*dataset_columns(over), *overall) if writer in column.where]


EXPLAINED = (
    "`mean` counts every dataset equally, whatever its number of queries. "
    f"{explained((*OVERALL, *AGAINST))} All this is about other queries of these datasets, not about other datasets."
)
