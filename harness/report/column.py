"""One column of a board, as it is declared once for all writers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from harness.base.errors import SettingError
from harness.bench.record import Record
from harness.choices.plugins import loaded
from harness.report import formats
from harness.statistics.bootstrap import Interval

Writer = Literal["terminal", "markdown", "page", "latex"]
Kind = Literal["number", "words", "interval", "difference", "rank", "bar"]
Row = TypeVar("Row")

EVERYWHERE: tuple[Writer, ...] = ("terminal", "markdown", "page", "latex")
ROOMY: tuple[Writer, ...] = ("terminal", "markdown", "page")
"""Writers with room for more than a paper shows; a terminal leaves columns out by their importance."""

MAIN = 5
"""The page first shows the columns up to this importance: they fit into a window of 1440 pixels."""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column.

    Args:
        heading: above it.
        value: of a row; None if it has none.
        format: the value as text.
        help: what it means, in Markdown.
        where: the writers that show it.
        kind: how writers align and style it.
        number: what the page sorts by, from a value.
        doubtful: whether the row's value is unreliable, and so in brackets.
        best: text of the best value, which is set in bold.
        measure: whose scores it shows; empty for other columns.
        published: what a row of published scores shows here.
        importance: a narrow terminal leaves out the columns with the highest number first, never those with 0;
            the page first shows those up to `MAIN`.
        latex: heading as LaTeX source; empty to escape the usual one.
        csv: what it adds to each line of the CSV: heading, and value of a record.
    """

    heading: str
    value: Callable[[Row], Any]
    format: Callable[[Any], str]
    help: str = ""
    where: tuple[Writer, ...] = EVERYWHERE
    kind: Kind = "number"
    number: Callable[[Any], float | str | None] = lambda value: value
    doubtful: Callable[[Row], bool] = lambda _: False
    best: str | None = None
    measure: str = ""
    published: str = formats.MISSING
    importance: int = 9
    latex: str = ""
    csv: tuple[tuple[str, Callable[[Record], object]], ...] = ()

    def text(self, row: Row) -> str:
        """A row's cell; a dash if it has no value."""
        value = self.value(row)
        if value is None:
            return formats.MISSING
        text = self.format(value)
        return f"({text})" if self.doubtful(row) else text

    def sort_key(self, row: Row) -> float | str | None:
        """What the page sorts a row by; None to sort it last."""
        value = self.value(row)
        return None if value is None else self.number(value)

    @property
    def key(self) -> str:
        """The heading as links to the page name it: the same on every dataset, and without commas, which separate."""
        return re.sub(r" \([\d,]+\)$", "", self.heading).replace(",", "")

    @property
    def extra(self) -> bool:
        """Whether the page shows it only to readers who choose it."""
        return self.importance > MAIN

    @property
    def title(self) -> str:
        """The help as plain text."""
        return self.help.replace("`", "")


def interval_columns(value: Callable[[Row], Interval | None], help: str) -> tuple[Column[Row], Column[Row]]:
    """The column of 95 % confidence intervals, for boards and for papers."""
    return (
        Column("95 %", value, formats.interval, help, ROOMY, "interval", number=unsorted, importance=1),
        Column("95 %", value, formats.in_brackets, where=("latex",), kind="interval", latex=r"95\,\%"),
    )


def plugin_columns() -> tuple[Column[Any], ...]:
    """The columns that plug-ins add to a dataset's table: `COLUMNS = (Column(…),)`; each gets a row of the table.

    Raises:
        SettingError: `COLUMNS` of a plug-in are no columns; names the file.
    """
    found: list[Column[Any]] = []
    for path, module in loaded().items():
        own = getattr(module, "COLUMNS", ())
        if not isinstance(own, tuple | list) or not all(isinstance(each, Column) for each in own):
            raise SettingError(f"{path}: COLUMNS must be a tuple of harness.report.column.Column.")
        found += own
    return tuple(found)


def unsorted(_: object) -> None:
    """The sort key of a column that the page does not sort by."""


def explained(columns: Sequence[Column[Any]]) -> str:
    """What columns mean, in Markdown."""
    return " ".join(column.help for column in columns if column.help)
