"""The columns of the tables across datasets on other collections, on new documents and on costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.compare.beyond import Beyond
from harness.report import formats
from harness.report.across import Across, AcrossRow
from harness.report.column import Column, explained

Of = Callable[[AcrossRow], Beyond | None]


def _against(of: Of, prefix: str, helped: bool) -> tuple[Column[AcrossRow], ...]:
    """The comparison with the first row.

    Args:
        of: what is compared of a row.
        prefix: of the headings.
        helped: whether the columns have their help here.
    """

    def difference(name: str) -> Callable[[AcrossRow], Any]:
        return lambda row: getattr(of(row), name, None)

    return (
        Column(
            f"{prefix}over collections",
            difference("collections"),
            formats.difference,
            "`over collections` is that difference for other collections, of which these are a sample (Student's t "
            "over the datasets' differences, 95 %, for a comparison that was planned); tied if it contains 0."
            if helped
            else "",
            number=lambda value: value.mean,
        ),
        Column(
            f"{prefix}significant w/t/l",
            difference("significant"),
            formats.counts,
            "`significant` counts the datasets on which the row is significantly better than, tied with and "
            "significantly worse than the first row (corrected for all comparisons with it there)."
            if helped
            else "",
            number=lambda counts: counts[0],
        ),
    )


BEYOND: tuple[Column[AcrossRow], ...] = (
    *_against(lambda row: row.beyond, "", True),
    Column(
        "training",
        lambda row: row.training,
        formats.seconds,
        "`training` is its time, the mean over datasets and seeds; `index again` says whether switching to the row "
        "needs every document encoded again.",
    ),
    Column("index again", lambda row: row.index_again, lambda value: "yes" if value else "no", kind="words"),
)
"""Each row against the first for other collections, and what it costs."""

ON_NEW: tuple[Column[AcrossRow], ...] = (
    Column(
        "new docs",
        lambda row: row.on_new,
        lambda value: f"{formats.score(value.mean)} {formats.in_brackets(value.overall.interval)}",
        "`new docs` is the mean over the datasets' queries about documents that no training query asks about (all "
        "queries of a dataset without such overlap), with its interval as above.",
        number=lambda value: value.mean,
    ),
    Column(
        "new docs: from the first",
        lambda row: row.on_new and row.on_new.difference,
        formats.difference,
        number=lambda value: value.mean,
    ),
    *_against(lambda row: row.on_new, "new docs: ", False),
)
"""The same on queries about new documents."""

EXPLAINED = explained((*BEYOND, *ON_NEW))


def more_columns(over: Across) -> tuple[Column[AcrossRow], ...]:
    """Those after the comparison with the first row: on other collections, and on new documents if any are old."""
    if not over.compared:
        return ()
    return (*BEYOND, *(ON_NEW if over.has_new else ()))
