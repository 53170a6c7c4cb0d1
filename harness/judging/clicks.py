"""Clicks of a search log as weak labels: attractiveness corrected for the position, cut into grades."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.base.errors import DatasetError
from harness.collection.labels import Label
from harness.collection.tables import Row, cell, rows_of
from harness.judging.target import Target, locked
from harness.statistics.clicks import Examined, examined

NAME = "clicks"
"""Judge of these labels. They are a machine's: nobody was asked."""
COLUMNS = ("query", "document", "position", "clicks", "views")
CUTS = (0.1, 0.25, 0.5)
"""Probability of a click on an examined document from which the grades 1, 2 and 3 are given."""
LEAST = 20.0
"""Views at the first position that a pair must be worth; of fewer, chance decides the grade."""
DEEPEST = 1000


@dataclass(frozen=True)
class Clicked:
    """What a log gave.

    Args:
        labels: of the pairs with enough views.
        propensity: of each position, 1 for the first; NaN where the log does not say.
        few: pairs of the collection with too few views, or at positions whose propensity is unknown.
        unknown: lines of queries or documents that the collection does not have.
    """

    labels: tuple[Label, ...]
    propensity: tuple[float, ...]
    few: int
    unknown: int

    @property
    def sentence(self) -> str:
        """What was done, in words."""
        shares = ", ".join("?" if np.isnan(share) else f"{share:.2f}" for share in self.propensity[:10])
        return (
            f"positions 1 to {len(self.propensity[:10])} are examined in a ratio of {shares} (position-based model); "
            f"{self.few:,} pairs have fewer than {LEAST:g} examined views and no label, {self.unknown:,} lines are of "
            "queries or documents that the collection does not have"
        )


@dataclass(frozen=True)
class _Line:
    query: str
    document: str
    position: int
    clicks: float
    views: float


def from_clicks(target: Target, path: Path) -> Clicked:
    """Adds the labels of a log of clicks, whole or not at all.

    Args:
        target: the collection.
        path: a table (.csv, .tsv, .parquet, .jsonl) with the columns of `COLUMNS`: a query (its id or its text), the
            id of a document, the position that it was shown at (1 is the first), and how often it was clicked and
            shown there.

    Raises:
        DatasetError: a column is missing, a line is faulty, or the log says nothing about this collection.
        SettingError: another process writes labels.
    """
    found = clicked(target, path)
    with locked(target):
        target.add(found.labels)
    return found


def clicked(target: Target, path: Path) -> Clicked:
    """As `from_clicks`, without writing."""
    every = list(_lines(path))
    by_text = {text: query for query, text in target.texts.items()}
    names = list(dict.fromkeys(line.document for line in every))
    there = {name for name, row in zip(names, target.dataset.corpus.rows(names).tolist(), strict=True) if row >= 0}
    pairs: dict[tuple[str, str], int] = {}
    # Pairs that the collection does not have tell about positions too.
    columns = np.array([_numbers(line, pairs) for line in every], np.float64).reshape(-1, 4)
    if not len(columns):
        raise DatasetError(f"{path} has no line with views.")
    pair, position = columns[:, 0].astype(np.intp), columns[:, 1].astype(np.intp)
    log = examined(pair, position, columns[:, 2], columns[:, 3])
    own: dict[tuple[str, str], int] = {}
    unknown = 0
    for (query, document), number in pairs.items():
        name = query if query in target.texts else by_text.get(query)
        if name is None or document not in there:
            unknown += int((pair == number).sum())
        else:
            own[name, document] = number
    if not own:
        raise DatasetError(
            f"no line of {path} is of a query and a document of {target.dataset.name}: is it a log of another "
            "collection?"
        )
    labels = _labels(own, log)
    return Clicked(tuple(labels), tuple(log.propensity.tolist()), len(own) - len(labels), unknown)


def _labels(pairs: dict[tuple[str, str], int], log: Examined) -> list[Label]:
    labels = []
    for (query, document), number in pairs.items():
        if log.views[number] >= LEAST:
            grade = int(np.searchsorted(CUTS, log.attraction[number], side="right"))
            labels.append(Label(query, document, grade, NAME, "machine"))
    return labels


def _numbers(line: _Line, pairs: dict[tuple[str, str], int]) -> Sequence[float]:
    pair = pairs.setdefault((line.query, line.document), len(pairs))
    return pair, line.position - 1, line.clicks, line.views


def _lines(path: Path) -> Iterable[_Line]:
    for number, row in enumerate(rows_of(path), start=1):
        missing = [name for name in COLUMNS if name not in row]
        if missing:
            raise DatasetError(
                f"{path} has no column {' and no column '.join(missing)}; a log has {', '.join(COLUMNS)}. Without the "
                "position, clicks say what was shown first."
            )
        line = _line(row, f"{path}, row {number}")
        if line.views > 0:
            yield line


def _line(row: Row, where: str) -> _Line:
    try:
        position, clicks, views = (float(cell(row, name)) for name in COLUMNS[2:])
    except ValueError as error:
        raise DatasetError(f"{where}: position, clicks and views must be numbers ({error}).") from error
    if not (1 <= position <= DEEPEST and position == int(position) and 0 <= clicks <= views < np.inf):
        raise DatasetError(
            f"{where}: a position is 1 to {DEEPEST}, and clicks are at most views; they are {position:g}, {clicks:g} "
            f"and {views:g}."
        )
    return _Line(cell(row, "query"), cell(row, "document"), int(position), clicks, views)
