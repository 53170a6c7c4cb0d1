"""Training examples: texts of queries and documents in the columns that losses take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
