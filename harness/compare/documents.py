"""Rows compared on the queries about old and about new documents separately, as on all queries: all pairs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.bench.document_split import PARTS, DocumentSplit, Part, common_split
from harness.compare.comparison import Comparison, compare
from harness.compare.evidence import Contrast, Scores, contrasts
from harness.methods import NO_LABELS, TRAIN_LABELS
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

FEWEST_QUERIES = 20
"""Of a part, below which its scores have no interval: it would be too narrow to rely on."""


@dataclass(frozen=True, eq=False)
class PartComparison:
    """All rows of a board on one part of the queries.

    Args:
        part: which.
        rows: best first by this part.
        comparison: of them, in the same order.
        place: the place in `rows` of each row, in the order of the board.
    """

    part: Part
    rows: tuple[Scores, ...]
    comparison: Comparison
    place: tuple[int, ...]

    @property
    def queries(self) -> int:
        """How many."""
        return len(self.rows[0].ids)

    def mean(self, row: int) -> float:
        """Of a row, by its place on the board."""
        return self.rows[self.place[row]].mean

    def interval(self, row: int) -> Interval | None:
        """95 % confidence interval of a row's mean; None with too few queries."""
        return self.comparison.intervals[self.place[row]] if self.queries >= FEWEST_QUERIES else None

    def behind(self, row: int) -> Difference | None:
        """A row minus the best row of this part; None for the best itself."""
        return self.comparison.behind[self.place[row]] if self.place[row] else None

    def difference(self, row: int, other: int) -> Difference:
        """One row minus another, by their places on the board, with its simultaneous 95 % interval."""
        return self.comparison.difference(self.place[row], self.place[other])


def uses_labels(row: Scores) -> bool:
    """Whether a row used labels of the collection, to train or to choose a setting."""
    return any(record.supervision != NO_LABELS for record in row.records)


def is_trained(row: Scores) -> bool:
    """Whether a row learnt from training labels."""
    return any(record.supervision == TRAIN_LABELS for record in row.records)


def split_between(rows: Sequence[Scores]) -> DocumentSplit | None:
    """The split into old and new documents by which rows are to be compared.

    None if no row used labels, no query asks about old documents, or the split is unknown.
    """
    if not any(map(uses_labels, rows)):
        return None
    split = common_split(record for row in rows for record in row.records)
    return split if split is not None and split.overlaps and split.queries == len(rows[0].ids) else None


def compare_parts(rows: Sequence[Scores], seed: int = 0) -> tuple[PartComparison, ...]:
    """The rows on old and on new documents, each part with intervals corrected for all pairs of rows.

    Args:
        rows: of one collection and the same queries.
        seed: of the draws.

    Returns:
        One comparison for each part that has queries; none if `split_between` finds no split.
    """
    split = split_between(rows) if rows else None
    return tuple(_part(part, rows, split, seed) for part in PARTS if split.count(part)) if split else ()


def _part(part: Part, rows: Sequence[Scores], split: DocumentSplit, seed: int) -> PartComparison:
    each = [row.only(part, split) for row in rows]
    order = sorted(range(len(each)), key=lambda i: (-each[i].mean, each[i].row, i))
    ordered = tuple(each[i] for i in order)
    place = {number: i for i, number in enumerate(order)}
    return PartComparison(part, ordered, compare(ordered, seed), tuple(place[i] for i in range(len(each))))


def contrasts_of_parts(planned: Sequence[tuple[Scores, Scores]], seed: int = 0) -> dict[Part, list[Contrast]]:
    """The planned contrasts on old and on new documents, each part a family of its own.

    Args:
        planned: row and baseline; all of the same queries.
        seed: of the draws.
    """
    rows = {id(row): row for pair in planned for row in pair}
    split = split_between(list(rows.values())) if rows else None
    found: dict[Part, list[Contrast]] = {}
    for part in PARTS if split else ():
        if split is not None and split.count(part):
            only = {key: row.only(part, split) for key, row in rows.items()}
            found[part] = contrasts([(only[id(row)], only[id(baseline)]) for row, baseline in planned], seed)
    return found
