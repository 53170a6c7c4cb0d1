"""SPLADE: a sparse encoder trained on gold pairs, kept sparse by a penalty on the products of a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.choices.bounds import NonNegative, Positive
from harness.data.dataset import TrainView
from harness.runtime.context import Context
from harness.training.base import Trainable, contrast
from harness.training.examples import sides
from harness.training.from_gold import FromGold
from harness.training.head import fit_head, sampled
from harness.training.lesson import Lesson
from harness.training.ragged_base import SparseBase
from harness.training.schedule import Budget, Schedule, small

HEAD_TEXTS = 256
"""Documents that a new head is computed from."""


@dataclass(frozen=True)
class Splade(FromGold):
    """In-batch softmax over the inner products, plus the FLOPS regulariser of queries and of documents.

    Source: Formal et al., SPLADE v2 (2109.10086), section 3.1 and eq. 5, with the regulariser of Paria et al.
    (2004.05665): the sum over the vocabulary of the squared mean weight in the batch. Its factors grow with the square
    of the step over the first third of training, as in the paper. It starts from a sparse encoder or a masked language
    model, unchanged; an encoder without a layer of logits gets one that is tied to its word embeddings and computed
    from the corpus (`harness.training.head`).

    Args:
        query_flops: factor of the regulariser of queries; the paper's λ_q.
        document_flops: of documents; λ_d.
        scale: factor of the cosine in the softmax, where the model compares by it; dot products get none.
    """

    query_flops: NonNegative = 3e-4
    document_flops: NonNegative = 1e-4
    scale: Positive = 20.0

    trains = "sparse"
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_pool=100),
        "small": small(epochs=6, batch=12, learning_rate=5e-5, evaluations=3, dev_pool=1000),
        "full": Schedule(epochs=10, batch=64, learning_rate=2e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        assert isinstance(base, SparseBase)
        mined = self.mined(base, view, context)
        columns = mined.triplets(view)
        facts: dict[str, Any] = {}

        def make_head(model: Any) -> None:
            facts["head"] = fit_head(model, sampled(view.corpus.texts, HEAD_TEXTS, context.rng("head")))

        def loss(model: Any) -> Any:
            from sentence_transformers.sparse_encoder.losses import SparseMultipleNegativesRankingLoss, SpladeLoss

            return SpladeLoss(
                model,
                SparseMultipleNegativesRankingLoss(model, **contrast(base, self.scale)),
                document_regularizer_weight=self.document_flops,
                query_regularizer_weight=self.query_flops,
            )

        return Lesson(
            columns,
            loss,
            self.schedule(),
            sides=sides(columns),
            before=make_head if base.headless else None,
            after=lambda *_: facts,
            facts=mined.facts,
            trained_queries=mined.gold.trained_queries(view),
        )
