"""Missing judgements by a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.base.errors import ModelError
from harness.collection.labels import Label
from harness.data.corpus import Corpus
from harness.generators import questions
from harness.generators.extractive import Extractive
from harness.judges import NO_GRADE, Grades, Judge, Pairs
from harness.judging.due import Pair
from harness.judging.target import Target
from harness.runtime.context import Context

KNOWN = 100
"""Documents with a sentence of their own, from which a judge takes its scale."""


def judged(
    judge: Judge, target: Target, pairs: Sequence[Pair], pool: Sequence[Pair], context: Context
) -> tuple[list[Label], Grades]:
    """The labels of pairs; a pair without a usable answer has none.

    Args:
        judge: grades them.
        target: the collection.
        pairs: to judge.
        pool: what rows retrieve, judged or not, of which the pairs are a part.
        context: seed, cache, device, progress.

    Raises:
        HarnessError: the judge fails; what was computed or paid for is cached.
    """
    corpus = target.dataset.corpus
    by_query = _by_query(pairs)
    rows = [corpus.rows(documents) for documents in by_query.values()]
    asked = Pairs([target.texts[query] for query in by_query], rows, pool=_pool(target, [*pairs, *pool]))
    sampled = np.sort(context.rng("judge known").choice(len(corpus), min(KNOWN, len(corpus)), replace=False))
    grades = judge.grade(corpus, asked, known_pairs(corpus, sampled.tolist(), context), context)
    labels = [
        Label(query, document, int(grade), judge.label(), "machine")
        for (query, documents), own in zip(by_query.items(), grades.values, strict=True)
        for document, grade in zip(documents, own.tolist(), strict=True)
        if grade != NO_GRADE
    ]
    return labels, grades


def _by_query(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    by_query: dict[str, list[str]] = {}
    for query, document in dict.fromkeys(pairs):
        by_query.setdefault(query, []).append(document)
    return by_query


def _pool(target: Target, pairs: Sequence[Pair]) -> Pairs:
    by_query = _by_query(pairs)
    rows = [target.dataset.corpus.rows(documents) for documents in by_query.values()]
    return Pairs([target.texts[query] for query in by_query], [each[each >= 0] for each in rows])


def known_pairs(corpus: Corpus, rows: Sequence[int], context: Context) -> Pairs:
    """Sentences, or key words, of documents, each with its document; none if no document gives one."""
    try:
        made = questions(Extractive(1, kinds=("sentence", "phrase")), corpus, rows, context).questions
    except ModelError:  # no document gives one
        return Pairs([], [])
    return Pairs([each.text for each in made], [np.array([each.row], np.int64) for each in made])
