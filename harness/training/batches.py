"""Batches in which no text is a false negative of another example: no text occurs twice, and no example is next to a
document that is judged relevant to its query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.training.examples import QUERY
from harness.training.gold import judged_rows
from harness.training.lesson import Lesson


class Apart:
    """Which examples of a lesson may be in one batch.

    Args:
        columns: name → N texts.
        relevant: text of a query → the texts that are relevant to it.
    """

    def __init__(self, columns: Mapping[str, Sequence[Any]], relevant: Mapping[str, frozenset[str]]) -> None:
        numbers: dict[str, int] = {}

        def number(text: str) -> int:
            return numbers.setdefault(text, len(numbers))

        texts = [column for column in columns.values() if column and isinstance(column[0], str)]
        self.own = [frozenset(map(number, row)) for row in zip(*texts, strict=True)]
        known = {query: frozenset(map(number, some)) for query, some in relevant.items()}
        self.relevant = [known.get(query, frozenset()) for query in columns.get(QUERY, [""] * len(self.own))]

    def batches(self, order: Sequence[int], size: int) -> Iterator[list[int]]:
        """Batches of at most `size` examples, in a given order of the examples: an example that must not be in a
        batch waits for the next one.
        """
        waiting = list(order)
        while waiting:
            batch: list[int] = []
            texts: set[int] = set()
            never: set[int] = set()
            left: list[int] = []
            for place, example in enumerate(waiting):
                if len(batch) == size:
                    left.extend(waiting[place:])
                    break
                own, relevant = self.own[example], self.relevant[example]
                if own.isdisjoint(texts) and own.isdisjoint(never) and relevant.isdisjoint(texts):
                    batch.append(example)
                    texts |= own
                    never |= relevant
                else:
                    left.append(example)
            yield batch
            waiting = left


def sampler(lesson: Lesson, batch: int, seed: int) -> Any:
    """A batch sampler for the trainer; None where one of the library's draws the batches.

    Args:
        lesson: its examples, their order, and the texts relevant to its queries.
        batch: examples of a batch.
        seed: of the order.
    """
    from sentence_transformers.base.sampler import SetEpochMixin
    from torch.utils.data import BatchSampler, SequentialSampler

    if lesson.order == "given":  # of several passes, all
        return BatchSampler(SequentialSampler(range(lesson.rows)), batch, drop_last=False)
    examples = SequentialSampler(range(len(lesson)))
    if lesson.order == "random" or not lesson.relevant:
        return None
    apart = Apart(lesson.columns, lesson.relevant)

    class Distinct(SetEpochMixin, BatchSampler):
        def __iter__(self) -> Iterator[list[int]]:
            order = np.random.default_rng([seed, self.epoch]).permutation(len(lesson)).tolist()
            yield from apart.batches(order, batch)

    return Distinct(examples, batch, drop_last=False)


def relevant_texts(view: TrainView, queries: Sequence[str]) -> dict[str, frozenset[str]]:
    """Text of a training query → the texts of all documents judged relevant to it, of the queries in a lesson.

    Args:
        view: its training judgements.
        queries: texts.
    """
    if view.train is None:
        return {}
    wanted, train = set(queries), view.train
    found: dict[str, frozenset[str]] = {}
    known = [text in wanted for text in train.queries.texts]
    for text, is_known, (rows, _) in zip(train.queries.texts, known, judged_rows(train, view), strict=True):
        if is_known and len(rows) > 1:  # a single one is the query's own positive
            found[text] = found.get(text, frozenset()) | frozenset(view.corpus.texts_of(rows)[:])
    return found
