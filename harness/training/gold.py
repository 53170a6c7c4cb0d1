"""Gold pairs: the training queries of a view with their relevant documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

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
        never_negative: per query, the rows that must not be a negative: those judged above 0, and the document that is
            the query itself, which is left out of its ranking.
    """

    queries: Queries
    relevant: tuple[Ints, ...]
    judged: tuple[Ints, ...]
    never_negative: tuple[Ints, ...]

    def __len__(self) -> int:
        return len(self.relevant)

    def trained_queries(self, view: TrainView) -> list[TrainedQuery]:
        """The queries with the ids of their relevant documents."""
        found = []
        for text, rows in zip(self.queries.texts, self.relevant, strict=True):
            found.append(TrainedQuery("gold", text, tuple(view.corpus.ids(rows))))
        return found

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
    judged = judged_rows(view.train, view)
    keep = [number for number, (relevant, _) in enumerate(judged) if len(relevant)]
    if not keep:
        raise Unavailable(
            "no training query has a relevant document in the corpus.",
            "See `harness data check` for what is wrong with it.",
        )
    if queries is not None and queries < len(keep):
        keep = sorted(context.rng("training queries").permutation(keep)[:queries].tolist())
    train = view.train.queries
    chosen = Queries([train.ids[number] for number in keep], [train.texts[number] for number in keep])
    own = own_rows(view.train, view.corpus)
    never_negative = []
    for number in keep:
        relevant = judged[number][0]
        never_negative.append(relevant if own[number] < 0 else np.union1d(relevant, own[number : number + 1]))
    return Gold(
        chosen,
        relevant=tuple(judged[number][0] for number in keep),
        judged=tuple(judged[number][1] for number in keep),
        never_negative=tuple(never_negative),
    )


def judged_rows(split: Labelled, view: TrainView) -> list[tuple[Ints, Ints]]:
    """Per query of a split: rows judged above 0 (best grade first, then by row), and all rows judged."""
    judgements = [split.qrels.get(query, {}) for query in split.queries.ids]
    # In one call, since each reads all ids of the corpus.
    all_rows = view.corpus.rows(list(chain.from_iterable(judgements)))
    ends = np.cumsum([len(grades) for grades in judgements])
    judged = []
    for grades, rows in zip(judgements, np.split(all_rows, ends[:-1]), strict=True):
        values = np.array(list(grades.values()), dtype=np.int64)
        in_corpus = rows >= 0
        rows, values = rows[in_corpus], values[in_corpus]
        order = np.lexsort((rows, -values))
        judged.append((rows[order][values[order] > 0], np.sort(rows)))
    return judged
