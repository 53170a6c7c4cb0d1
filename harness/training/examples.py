"""Training examples: texts of queries and documents in the columns that losses take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from harness.data.dataset import TrainView
from harness.data.ranking import Ints
from harness.models.encoder import Side

QUERY, POSITIVE, NEGATIVE = "query", "positive", "negative"


def triplets(
    texts: Sequence[str], pairs: Sequence[tuple[int, int]], negatives: Ints, view: TrainView
) -> dict[str, list[str]]:
    """Columns `query`, `positive`, `negative_1` … of P pairs.

    Args:
        texts: of the queries.
        pairs: P (query number, row of its positive).
        negatives: (P, count) rows.
        view: its corpus contains the rows.
    """
    corpus = view.corpus
    columns = {QUERY: [texts[number] for number, _ in pairs]}
    rows = [[row for _, row in pairs], *negatives.T.tolist()]
    for place, some in enumerate(rows):
        columns[f"{NEGATIVE}_{place}" if place else POSITIVE] = corpus.texts_of(np.array(some, dtype=np.int64))[:]
    return columns


def sides(columns: Mapping[str, Sequence[str]]) -> dict[str, Side]:
    """Column → side of its prompt: `query` for the queries, `document` for all others."""
    return {name: "query" if name == QUERY else "document" for name in columns}


@dataclass(frozen=True, eq=False)
class Picked(Sequence[str]):
    """A column of texts, looked up when they are read: millions of examples of a corpus fit into memory.

    Args:
        texts: all there are.
        places: (N,) places in `texts`, one for each example.
    """

    texts: Sequence[str]
    places: Ints

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self.looked_up(self.places[index])
        return self.texts[int(self.places[index])]

    def looked_up(self, places: Sequence[int] | Ints) -> list[str]:
        """The texts at some places."""
        return [self.texts[int(place)] for place in places]
