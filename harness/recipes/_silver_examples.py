"""Examples of gold and silver documents: of each query a better document and others, drawn anew in each pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.dataset import TrainView
from harness.data.ranking import Ints
from harness.recipes._silver import Silver
from harness.runtime.context import Context
from harness.training.from_gold import Mined
from harness.training.passes import fewest_tokens, passes
from harness.training.schedule import Schedule

SAMPLE = 256
"""Examples whose length is estimated."""


@dataclass(frozen=True)
class SilverExamples:
    """E examples of several passes, in the order of training.

    Args:
        queries: (E,) numbers of queries.
        is_gold: (E,) booleans, whether the first document is judged relevant.
        documents: (E, C) rows: the better document, the others, and last a silver one.
        per_pass: examples of one pass.
    """

    queries: Ints
    is_gold: Ints
    documents: Ints
    per_pass: int

    def __len__(self) -> int:
        return len(self.queries)


def silver_examples(
    silver: Silver, mined: Mined | None, others: int, schedule: Schedule, view: TrainView, context: Context
) -> SilverExamples | None:
    """One example of each gold pair (the document, its mined negatives, a silver document) and of each query without
    gold (the teacher's best of its silver documents, and others of them); None if there is none.

    Args:
        silver: queries with their sampled documents and the teacher's scores.
        mined: the gold pairs with their negatives; None without gold.
        others: mined negatives of a gold pair, and as many silver documents in their place.
        schedule: how many examples are read.
        view: the corpus.
        context: seed.
    """
    items: list[tuple[int, bool, list[int], Ints]] = []  # query, is gold, fixed documents, those that are drawn
    if mined is not None:
        for (number, row), negatives in zip(mined.pairs, mined.negatives.rows, strict=True):
            fixed = [row, *negatives.tolist()]
            sampled = silver.rows[number][silver.known(number) :]
            items.append((number, True, fixed, sampled if len(sampled) else np.array(fixed[-1:], dtype=np.int64)))
    for number, rows in enumerate(silver.rows):
        if not silver.known(number) and len(rows) > 1:
            assert silver.scores is not None
            best = int(np.argmax(silver.scores[number]))
            items.append((number, False, [int(rows[best])], np.delete(rows, best)))
    if not items:
        return None
    slots = max(len(sampled) for _, _, _, sampled in items)
    some = [items[place] for place in np.unique(np.linspace(0, len(items) - 1, SAMPLE, dtype=np.int64)).tolist()]
    documents_of_some = view.corpus.texts_of(np.array([fixed[0] for _, _, fixed, _ in some], dtype=np.int64))[:]
    tokens = fewest_tokens([silver.queries.texts[number] for number, *_ in some], schedule)
    tokens += (others + 2) * fewest_tokens(documents_of_some, schedule)
    drawn = passes(context.rng("passes"), len(items), slots, 1, schedule, tokens)
    documents = np.zeros((len(drawn.items), others + 2), dtype=np.int64)
    for place, (item, slot) in enumerate(zip(drawn.items.tolist(), drawn.slots.tolist(), strict=True)):
        _, _, fixed, sampled = items[item]
        missing = documents.shape[1] - len(fixed)
        documents[place] = [*fixed, *sampled[(slot + np.arange(missing)) % len(sampled)]]
    return SilverExamples(
        np.array([items[item][0] for item in drawn.items.tolist()], dtype=np.int64),
        np.array([items[item][1] for item in drawn.items.tolist()], dtype=bool),
        documents,
        drawn.per_pass,
    )
