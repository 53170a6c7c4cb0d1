"""Gold pairs: the training queries of a view with their relevant documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.base.errors import SettingError, Unavailable
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Ints, own_rows
from harness.leaks.history import TrainedQuery
from harness.runtime.context import Context


@dataclass(frozen=True)
class Gold:
    """Q training queries with their relevant documents.

    Args:
        queries: their ids and texts.
        relevant: per query, the rows of the corpus judged above 0, best grade first; at least one each.
        judged: per query, all rows judged, 0 included.
        never: per query, the rows that are never a negative: those judged above 0, and the document that is the query
            itself, which is left out of its ranking.
    """

    queries: Queries
    relevant: tuple[Ints, ...]
    judged: tuple[Ints, ...]
    never: tuple[Ints, ...]

    def __len__(self) -> int:
        return len(self.relevant)

    def trained_queries(self, view: TrainView) -> list[TrainedQuery]:
        """What a model learns from them, by the documents' ids."""
        ids = [view.corpus.ids(rows) for rows in self.relevant]
        return [TrainedQuery("gold", text, tuple(own)) for text, own in zip(self.queries.texts, ids, strict=True)]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """(query number, row of a relevant document), query by query."""
        for number, rows in enumerate(self.relevant):
            for row in rows:
                yield number, int(row)


def gold(view: TrainView, context: Context, queries: int | None = None) -> Gold:
    """The training queries that have a relevant document in the corpus.

    Args:
        view: what training may see.
        context: its seed decides which queries are drawn.
        queries: use only so many of them. The subsets of one seed are nested: the 100 are among the 300.

    Raises:
        Unavailable: the collection has no training judgements.
        SettingError: `queries` is below 1.
    """
    if queries is not None and queries < 1:
        raise SettingError(f"queries must be 1 or more, not {queries}")
    if view.train is None:
        raise Unavailable(
            "the collection has no training judgements.",
            "Recipes that need none: `harness list recipes`; or add qrels/train.tsv.",
        )
    found = judged_rows(view.train, view)
    keep = [i for i, (relevant, _) in enumerate(found) if len(relevant)]
    if not keep:
        raise Unavailable(
            "no training query has a relevant document in the corpus.",
            "See `harness data check` for what is wrong with it.",
        )
    if queries is not None and queries < len(keep):
        keep = sorted(context.rng("training queries").permutation(keep)[:queries].tolist())
    ids = view.train.queries
    chosen = Queries([ids.ids[i] for i in keep], [ids.texts[i] for i in keep])
    own = own_rows(view.train, view.corpus)
    never = tuple(np.union1d(found[i][0], own[i : i + 1]) if own[i] >= 0 else found[i][0] for i in keep)
    return Gold(chosen, tuple(found[i][0] for i in keep), tuple(found[i][1] for i in keep), never)


def judged_rows(split: Labelled, view: TrainView) -> list[tuple[Ints, Ints]]:
    """Per query of a split: rows judged above 0 (best grade first, then by row), and all rows judged."""
    judged = [split.qrels.get(query, {}) for query in split.queries.ids]
    everything = view.corpus.rows([document for grades in judged for document in grades])  # each call reads all ids
    found = []
    for grades, rows in zip(
        judged, np.split(everything, np.cumsum([len(grades) for grades in judged])[:-1]), strict=True
    ):
        values = np.array(list(grades.values()), dtype=np.int64)
        here = rows >= 0
        rows, values = rows[here], values[here]
        order = np.lexsort((rows, -values))
        found.append((rows[order][values[order] > 0], np.sort(rows)))
    return found
