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
from harness.data.text import chunks
from harness.leaks.history import TrainedQuery
from harness.recipes import Need, Recipe
from harness.runtime.context import Context
from harness.training.base import EncoderBase, Trainable, contrast
from harness.training.gold import Gold, gold
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule

PAIRS: Mapping[Budget, int] = {"smoke": 40, "small": 3000, "full": 1_000_000}


@dataclass(frozen=True)
class ContrastivePretraining(Recipe):
    """Symmetric cross-entropy over cosines in the batch: each text must score its neighbour highest, both ways round.

    Source: Neelakantan et al., "Text and Code Embeddings by Contrastive Pre-Training" (2201.10005), section 2:
    neighbouring pieces of one text, or a docstring and its function, are a positive pair; delimiters mark the sides;
    batches are large. The paper trains decoders of 300 million parameters and more from language-model weights on web-
    scale data; here an encoder is adapted to one corpus. The large batch comes from gradient caching (Gao et al.,
    2101.06983), which gives the very gradient of the large batch in the memory of a small one.

    Args:
        pairs: `chunks` takes neighbouring chunks of one document (and title and first chunk); `gold` the training
            queries with their documents: docstring ↔ function on `stdlib/code`.
        words: of a chunk.
        count: pairs that are drawn; None takes the budget's.
        queries: of `gold`: number of queries to train on.
        query_prefix: put before queries in training and afterwards; None keeps the model's prompt.
        document_prefix: put before documents; the same.
        scale: factor of the cosine, the inverse of the temperature.
        mini_batch: texts that go through the model at once.
    """

    pairs: Literal["chunks", "gold"] = "chunks"
    words: Annotated[int, Ge(2)] = 60
    count: Count | None = None
    queries: Count | None = None
    query_prefix: str | None = "query: "
    document_prefix: str | None = "passage: "
    scale: Positive = 20.0
    mini_batch: Count = 32

    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=3, batch=8, max_length=32, evaluations=1, dev_pool=100),
        "small": Schedule(
            epochs=2, batch=256, learning_rate=5e-5, max_length=128, dropout=0.0, evaluations=2, dev_pool=1500
        ),
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
        prompts = dict(base.prompts)
        if self.query_prefix is not None:
            prompts["query"] = self.query_prefix
        if self.document_prefix is not None:
            prompts["document"] = self.document_prefix

        def loss(model: Any) -> Any:
            from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

            return CachedMultipleNegativesRankingLoss(
                model,
                **contrast(base, self.scale),
                mini_batch_size=self.mini_batch,
                directions=("query_to_doc", "doc_to_query"),
                partition_mode="per_direction",
            )

        return Lesson(
            {"query": first, "document": second},
            loss,
            self.schedule(),
            sides={"query": "query", "document": "document"},
            prompts=prompts,
            facts={"pairs": len(first), "kind": self.pairs},
            trained_queries=trained_queries,
        )

    def _chunks(self, view: TrainView, context: Context) -> tuple[list[str], list[str]]:
        rng = context.rng("neighbours")
        count = self.count or PAIRS[self.budget]
        pairs: list[tuple[str, str]] = []
        for row in rng.permutation(len(view.corpus)):
            document = view.corpus[int(row)]
            parts = list(chunks(document.text, self.words))
            if document.title.strip():
                parts.insert(0, document.title)
            pairs.extend(pairwise(parts))
            if len(pairs) >= count:
                break
        if not pairs:
            raise SettingError(
                f"contrastive_pretraining: no document has two chunks of {self.words} words; "
                'lower words, or use pairs="gold".'
            )
        pairs = pairs[:count]
        # Neighbouring chunks have no direction: which of the two is the query is drawn.
        swapped = rng.random(len(pairs)) < 0.5
        queries, documents = [], []
        for (one, other), is_swapped in zip(pairs, swapped, strict=True):
            queries.append(other if is_swapped else one)
            documents.append(one if is_swapped else other)
        return queries, documents


def _texts(known: Gold, view: TrainView) -> tuple[list[str], list[str]]:
    """Queries and their documents, one of each per gold pair."""
    pairs = list(known.pairs())
    documents = view.corpus.texts_of(np.array([row for _, row in pairs], dtype=np.int64))[:]
    return [known.queries.texts[number] for number, _ in pairs], documents
