"""Silver pairs: queries with sampled documents and a teacher's scores of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints
from harness.leaks.history import TrainedQuery
from harness.runtime.context import Context
from harness.training.gold import Gold


@dataclass(frozen=True)
class Silver:
    """Pairs with the teacher's scores: per query its relevant documents first, then the sampled ones."""

    queries: Queries
    rows: Sequence[Ints]
    scores: Sequence[Floats]
    held: Gold | None
    facts: dict[str, Any]
    notes: tuple[str, ...]

    def trained_queries(self, view: TrainView) -> list[TrainedQuery]:
        """Gold queries with their documents, and all with those that the teacher judged."""
        found = list(self.held.trained_queries(view)) if self.held is not None else []
        for number, (text, rows) in enumerate(zip(self.queries.texts, self.rows, strict=True)):
            judged = tuple(view.corpus.ids(rows[self.known(number) :]))
            found.append(TrainedQuery("silver" if self.held is not None else "generated", text, judged))
        return found

    def known(self, number: int) -> int:
        """How many relevant documents a query's rows begin with."""
        return len(self.held.relevant[number]) if self.held is not None and number < len(self.held) else 0

    def triples(self, own: Sequence[Floats]) -> tuple[list[tuple[int, int, int, float]], list[float]]:
        """Triples to learn margins from, and the student's margin of each.

        A triple is (number of a query, row of the better document, row of the worse, the teacher's margin).

        Args:
            own: the student's scores, as `scores`.
        """
        found: list[tuple[int, int, int, float]] = []
        differences: list[float] = []
        for number, (rows, values) in enumerate(zip(self.rows, self.scores, strict=True)):
            known = self.known(number)
            for better in self._better(number):
                for worse in range(known, len(rows)):
                    if worse == better:
                        continue
                    margin = float(values[better] - values[worse])
                    if known:
                        margin = max(0.0, margin)  # gold outranks silver, whatever the teacher says
                    found.append((number, int(rows[better]), int(rows[worse]), margin))
                    differences.append(float(own[number][better] - own[number][worse]))
        return found, differences

    def _better(self, number: int) -> Sequence[int]:
        """Places of a query's relevant documents; without any, that of the teacher's best."""
        if self.known(number):
            return range(self.known(number))
        return [int(np.argmax(self.scores[number]))] if len(self.scores[number]) else []


def sampled_by_density(
    sampled: list[Ints], scores: list[Floats], held: Gold | None, context: Context
) -> tuple[list[Ints], list[Floats]]:
    """Kernel density: a silver pair stays with a probability in proportion to the ratio of gold to silver density
    there.
    """
    from scipy.stats import gaussian_kde

    gold_size = [len(held.relevant[i]) if held is not None and i < len(held) else 0 for i in range(len(sampled))]
    silver = np.concatenate([s[n:] for s, n in zip(scores, gold_size, strict=True)])
    own = np.concatenate([s[:n] for s, n in zip(scores, gold_size, strict=True)])
    if len(own) < 3 or own.std() == 0 or len(silver) < 3 or silver.std() == 0:
        return sampled, scores
    ratio = gaussian_kde(own)(silver) / np.maximum(gaussian_kde(silver)(silver), 1e-12)
    share = ratio / ratio.max()
    stays = context.rng("kde").random(len(silver)) < share * max(1.0, len(silver) / 2 / share.sum())
    kept_rows, kept_scores, start = [], [], 0
    for rows, values, n in zip(sampled, scores, gold_size, strict=True):
        keep = np.concatenate([np.ones(n, bool), stays[start : start + len(rows) - n]])
        start += len(rows) - n
        kept_rows.append(rows[keep])
        kept_scores.append(values[keep])
    return kept_rows, kept_scores
