"""Old and new documents: which test queries ask about documents that training or dev queries asked about.

A row that was trained may look up what it has seen. Its score on queries about old documents measures that as well, the
score on the others only what it has learnt. The split depends on the collection alone, so rows that were not trained
have it too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from harness.base.counts import all_of, sentence
from harness.bench.record import Record
from harness.data.measures import PerQuery
from harness.leaks.overlap import Leaks

Part = Literal["old", "new"]
PARTS: tuple[Part, ...] = ("old", "new")
DEFINITION = (
    "A test query asks about `old` documents if one of its relevant documents is relevant to a training or dev query, "
    "or if it is a near copy of such a query; all others ask about `new` documents."
)


@dataclass(frozen=True)
class DocumentSplit:
    """The test queries of a collection in two parts.

    Args:
        queries: of the split that is reported.
        listed: the smaller part.
        ids: its queries; all others are in the other part.
    """

    queries: int
    listed: Part
    ids: frozenset[str]

    def count(self, part: Part) -> int:
        """How many queries a part has."""
        return len(self.ids) if part == self.listed else self.queries - len(self.ids)

    @property
    def overlaps(self) -> bool:
        """Whether any query asks about old documents."""
        return self.count("old") > 0

    def places(self, part: Part, ids: Sequence[str]) -> npt.NDArray[np.intp]:
        """The places of a part's queries among `ids`, all queries of the collection in any order."""
        wanted = part == self.listed
        return np.array([i for i, query in enumerate(ids) if (query in self.ids) == wanted], np.intp)

    @property
    def sentence(self) -> str:
        """The overlap of the collection."""
        old, new = self.count("old"), self.count("new")
        if not old:
            return "No test query asks about a document that a training or dev query asks about: all are new documents."
        if not new:
            asked = sentence(all_of(old, "the only test query asks", "test queries ask"))
            return f"{asked} about old documents, relevant to a training or dev query too: no score is about new ones."
        return (
            f"{old:,} of {self.queries:,} test queries ({old / self.queries:.0%}) ask about old documents, relevant to "
            f"a training or dev query too, or are near copies of such a query; {new:,} ask about new ones."
        )


def split_entry(found: Leaks, values: PerQuery) -> dict[str, Any]:
    """The split as a record has it (`leaks.split`): number and means of each part, and the ids of the smaller one.

    Args:
        found: what train and dev have in common with test.
        values: of the row, by measure and query.
    """
    every = next(iter(values.values()), {})
    old = {*found.queries, *found.documents} & every.keys()
    new = every.keys() - old
    listed: Part = "old" if len(old) <= len(new) else "new"
    parts: Mapping[Part, Collection[str]] = {"old": old, "new": new}
    entry: dict[str, Any] = {part: {"count": len(ids), "means": _means(values, ids)} for part, ids in parts.items()}
    return {**entry, "listed": listed, "ids": sorted(parts[listed])}


def _means(values: PerQuery, ids: Collection[str]) -> dict[str, float]:
    if not ids:
        return {}
    return {measure: round(sum(by_query[q] for q in ids) / len(ids), 6) for measure, by_query in values.items()}


def split_of(record: Record) -> DocumentSplit | None:
    """The split in a record; None if the collection has no training and no dev queries, or the record is of an earlier
    version.
    """
    entry = record.leaks.get("split")
    if not entry or "listed" not in entry or "ids" not in entry:
        return None
    return DocumentSplit(int(record.dataset["queries"]), entry["listed"], frozenset(entry["ids"]))


def common_split(records: Iterable[Record]) -> DocumentSplit | None:
    """The split that records of one collection have; those of earlier versions have it from the others.

    None if no record has one, or if two have different ones, because the training queries changed in between.
    """
    found = {split for record in records if (split := split_of(record)) is not None}
    return found.pop() if len(found) == 1 else None


def part_mean(record: Record, part: Part, measure: str) -> float | None:
    """A record's mean over one part; None if it is unknown."""
    mean = record.leaks.get("split", {}).get(part, {}).get("means", {}).get(measure)
    return None if mean is None else float(mean)
