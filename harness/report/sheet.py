"""A table as every command shows it: for a terminal of any width, as Markdown, CSV or JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

ESSENTIAL = 0
"""Importance of a column that is always shown; of the others, those with a higher number leave first."""


@dataclass(frozen=True)
class Field:
    """A column.

    Args:
        key: its name in CSV and JSON; empty to leave it out there.
        heading: above it.
        values: of each row: numbers, text, True, False or None.
        texts: the same as they are shown.
        right: whether numbers are aligned right; text is aligned left.
        importance: a narrow terminal leaves out the columns with the highest number first, never those with 0.
        wraps: whether cells are sentences, which may be broken between words.
        best: text of the best value, which is set in bold.
        shown: whether it is in tables; otherwise it is in CSV and JSON only.
    """

    key: str
    heading: str
    values: Sequence[Any]
    texts: Sequence[str]
    right: bool = True
    importance: int = ESSENTIAL
    wraps: bool = False
    best: str | None = None
    shown: bool = True

    @classmethod
    def of(
        cls,
        key: str,
        heading: str,
        values: Sequence[Any],
        format: Callable[[Any], str],
        importance: int = ESSENTIAL,
        best: bool = False,
    ) -> Field:
        """A column of numbers; what is missing is a dash. With `best`, the greatest is set in bold."""
        known = [value for value in values if value is not None]
        texts = ["–" if value is None else format(value) for value in values]
        top = format(max(known)) if best and known else None
        return cls(key, heading, values, texts, importance=importance, best=top)

    @classmethod
    def words(cls, heading: str, texts: Sequence[str], importance: int = ESSENTIAL, key: str = "") -> Field:
        """A column of text, which may be broken between words; in CSV and JSON if it has a key."""
        shown = [text or "–" for text in texts]
        return cls(key, heading, texts, shown, right=False, importance=importance, wraps=True)

    @classmethod
    def label(cls, heading: str, texts: Sequence[str], importance: int = ESSENTIAL, right: bool = False) -> Field:
        """A column of short text that is never broken and not in CSV and JSON, which have its numbers."""
        return cls("", heading, texts, texts, right=right, importance=importance)

    @classmethod
    def hidden(cls, key: str, values: Sequence[Any]) -> Field:
        """A column of CSV and JSON only."""
        return cls(key, "", values, (), shown=False)


@dataclass(frozen=True)
class Sheet:
    """A table.

    Args:
        title: above it.
        fields: its columns; the first has the names of the rows, which are always whole.
        facts: next to the title, dim.
        verdict: what it shows, in one sentence.
        marks: of each row, a style of rich; none for the usual one.
        groups: numbers of the rows above which a thin line is drawn.
        legend: what names of rows stand for.
        notes: what a reader must know, the most important first.
        key: of the table in CSV and JSON, if a command shows several.
    """

    title: str
    fields: Sequence[Field]
    facts: str = ""
    verdict: str = ""
    marks: Sequence[str] = ()
    groups: Sequence[int] = ()
    legend: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = field(default=())
    key: str = ""

    @property
    def visible(self) -> Sequence[Field]:
        """The columns of tables."""
        return [field for field in self.fields if field.shown]

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.fields[0].values)

    def mark(self, row: int) -> str:
        """The style of a row."""
        return self.marks[row] if row < len(self.marks) else ""
