"""Contrastive pre-training (cpt): neighbouring chunks of the corpus as pairs, a large batch, both directions; no
labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from harness.base.errors import SettingError
from harness.choices.bounds import Count, Positive
from harness.data.dataset import TrainView
from harness.data.documents import Document
from harness.data.text import chunks
from harness.leaks.history import TrainedQuery
from harness.models.encoder import Side
from harness.recipes import Need, Recipe
from harness.recipes._symmetric import LEARNT, SCALE_RATE, scale_of, symmetric_loss
from harness.runtime.context import Context
from harness.training.base import EncoderBase, Trainable, contrast
from harness.training.gold import Gold, gold
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small

PAIRS: Mapping[Budget, int] = {"smoke": 40, "small": 8000, "full": 1_000_000}
HALF = 5
"""Words of half a text at least."""


@dataclass(frozen=True)
class ContrastivePretraining(Recipe):
    """Symmetric cross-entropy over cosines in the batch: each text must score its neighbour highest, both ways round.

    Source: Neelakantan et al., "Text and Code Embeddings by Contrastive Pre-Training" (2201.10005), section 2:
    neighbouring pieces of one text, or a docstring and its function, are a positive pair; delimiters mark the sides;
    batches are large. The paper trains decoders of 300 million parameters and more from language-model weights on web-
    scale data; here an encoder is adapted to one corpus. The large batch comes from gradient caching (Gao et al.,
    2101.06983), which gives the very gradient of the large batch in the memory of a small one. The temperature is
    learnt with the encoder, as in the paper and as CLIP does it (Radford et al., 2103.00020, section 2.5).

    Unlike the paper there are no delimiters by default: they would be new words to a model that was trained without,
    and a few hundred steps do not teach it their meaning.

    Args:
        pairs: `chunks` takes neighbouring chunks of one document (and title and first chunk); `gold` the training
            queries with their documents: docstring ↔ function on `stdlib/code`.
        words: of a chunk. A text that is shorter is halved, unless a title is there to be its neighbour.
        count: pairs that are drawn; None takes the budget's.
        queries: of `gold`: number of queries to train on.
        query_prefix: put before queries in training and afterwards; None keeps the model's prompt.
        document_prefix: put before documents; the same.
        scale: factor of the cosine, the inverse of the temperature: the first one, if it is learnt.
        learn_scale: whether it is learnt.
        mini_batch: texts that go through the model at once.
    """

    pairs: Literal["chunks", "gold"] = "chunks"
    words: Annotated[int, Ge(2)] = 60
    count: Count | None = None
    queries: Count | None = None
    query_prefix: str | None = None
    document_prefix: str | None = None
    scale: Positive = 20.0
    learn_scale: bool = True
    mini_batch: Count = 32

    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=3, batch=8, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=2, batch=64, learning_rate=5e-5, max_length=128),
        "full": Schedule(epochs=3, batch=4096, learning_rate=1e-4, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def needed(self) -> frozenset[Need]:
        """See `Recipe.needed`."""
        return frozenset({"train labels"}) if self.pairs == "gold" else frozenset()

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        assert isinstance(base, EncoderBase)
        trained_queries: list[TrainedQuery] = []
        if self.pairs == "gold":
            known = gold(view, context, self.queries)
            first, second = _texts(known, view)
            trained_queries = known.trained_queries(view)
        else:
            first, second = self._chunks(view, context)
        prefixes: dict[Side, str | None] = {"query": self.query_prefix, "document": self.document_prefix}
        prompts = {side: prefix for side, prefix in prefixes.items() if prefix is not None}

        def loss(model: Any) -> Any:
            similarity = contrast(base, self.scale)
            return symmetric_loss(model, similarity, self.mini_batch, learnt=self.learn_scale)

        return Lesson(
            {"query": first, "document": second},
            loss,
            self.schedule(),
            sides={"query": "query", "document": "document"},
            learning_rates={LEARNT: SCALE_RATE} if self.learn_scale else {},
            prompts={**base.prompts, **prompts} if prompts else None,
            after=lambda model, built, probe: {"scale": scale_of(built)},
            facts={"pairs": len(first), "kind": self.pairs},
            trained_queries=trained_queries,
        )

    def _chunks(self, view: TrainView, context: Context) -> tuple[list[str], list[str]]:
        rng = context.rng("neighbours")
        count = self.count or PAIRS[self.budget]
        pairs: list[tuple[str, str]] = []
        for row in rng.permutation(len(view.corpus)):
            document = view.corpus[int(row)]
            pairs.extend(pairwise(_parts(document, self.words)))
            if len(pairs) >= count:
                break
        if not pairs:
            raise SettingError(
                f"contrastive_pretraining: no document has a title or {2 * HALF} words, so that there are no "
                'neighbours; use pairs="gold".'
            )
        pairs = pairs[:count]
        # Neighbouring chunks have no direction: which of the two is the query is drawn.
        swapped = rng.random(len(pairs)) < 0.5
        queries, documents = [], []
        for (one, other), is_swapped in zip(pairs, swapped, strict=True):
            queries.append(other if is_swapped else one)
            documents.append(one if is_swapped else other)
        return queries, documents


def _parts(document: Document, words: int) -> list[str]:
    """A document's title, if it has one, and its chunks in order; the halves of a text that has only one part."""
    parts = list(chunks(document.text, words))
    if document.title.strip():
        return [document.title, *parts]
    single = document.text.split()
    if len(parts) != 1 or len(single) < 2 * HALF:
        return parts
    middle = len(single) // 2
    return [" ".join(single[:middle]), " ".join(single[middle:])]


def _texts(known: Gold, view: TrainView) -> tuple[list[str], list[str]]:
    """Queries and their documents, one of each per gold pair."""
    pairs = list(known.pairs())
    documents = view.corpus.texts_of(np.array([row for _, row in pairs], dtype=np.int64))[:]
    return [known.queries.texts[number] for number, _ in pairs], documents
