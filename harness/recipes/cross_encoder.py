"""Cross-encoder: a re-ranker trained on gold pairs, or contrastively on questions made from the corpus; also a
teacher.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, ClassVar, Literal

from harness.choices.bounds import Count, Share
from harness.data.dataset import TrainView
from harness.generators import Generator
from harness.generators.extractive import Extractive
from harness.leaks.history import TrainedQuery
from harness.methods import Method
from harness.methods.bm25 import BM25
from harness.recipes import Need
from harness.runtime.context import Context
from harness.training.base import Trainable
from harness.training.examples import NEGATIVE, POSITIVE, QUERY
from harness.training.from_gold import FromGold
from harness.training.lesson import Lesson
from harness.training.negatives import mine
from harness.training.schedule import Budget, Schedule
from harness.training.unlabelled import generated_pairs

ONE_HOT = 1e4
DOCUMENTS: Mapping[Budget, int] = {"smoke": 20, "small": 1000, "full": 50_000}


@dataclass(frozen=True)
class CrossEncoder(FromGold):
    """Each query's relevant document against hard negatives, under one softmax (`listwise`) or each pair by itself
    (`pointwise`).

    Source: Nogueira and Cho (1901.04085) for the pointwise form; Gao, Dai and Callan, "Rethink Training of BERT
    Rerankers" (2101.08751), section 3, for the contrastive one: the loss over one positive and mined negatives of the
    same first stage.
    Trained on pairs made from the corpus it needs no labels: that is contrastive pre-training of a cross-encoder, and
    the question's own words are removed from its document in most pairs, or the model would learn to look for copies
    (Lee et al., the inverse cloze task, 1906.00300, section 4).

    Args:
        pairs: `gold` takes the training queries; `unlabelled` questions that `generator` makes of sampled documents.
        loss: `listwise` or `pointwise`.
        generator: makes the questions of `unlabelled`.
        documents: how many documents questions are made of; None takes the budget's.
        hide: share of the made pairs whose document loses the question's words.
        miners: BM25, since its candidates are re-ranked.
    """

    pairs: Literal["gold", "unlabelled"] = "gold"
    loss: Literal["listwise", "pointwise"] = "listwise"
    generator: Generator = field(default_factory=Extractive)
    documents: Count | None = None
    hide: Share = 0.9
    miners: tuple[Method, ...] = field(default_factory=lambda: (BM25(),))
    negatives: Count = 4

    trains = "cross_encoder"
    without_labels = 'cross_encoder(pairs="unlabelled")'
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=3, batch=2, max_length=48, evaluations=1, dev_queries=10, dev_pool=100),
        "small": Schedule(
            epochs=3,
            batch=8,
            learning_rate=5e-5,
            max_length=192,
            dropout=0.0,
            evaluations=3,
            dev_queries=80,
            dev_pool=1500,
        ),
        "full": Schedule(epochs=5, batch=32, learning_rate=3e-5, max_length=320, evaluations=10, dev_pool=100_000),
    }

    def schedule(self) -> Schedule:
        """See `Recipe.schedule`; `small` takes one epoch of generated pairs, which are many, at a higher learning rate,
        since a random scoring head needs a hundred steps of 5e-5 before it begins to learn.
        """
        schedule = super().schedule()
        if self.pairs != "unlabelled" or self.budget != "small":
            return schedule
        return replace(schedule, epochs=self.epochs or 1.0, learning_rate=self.learning_rate or 1e-4)

    def needed(self) -> frozenset[Need]:
        """See `Recipe.needed`."""
        return frozenset({"train labels"}) if self.pairs == "gold" else frozenset({"generator"})

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        columns, facts, trained_queries = self._groups(base, view, context)
        queries, *documents = columns.values()
        groups = list(map(list, zip(*documents, strict=True)))
        negatives = [0.0] * (len(documents) - 1)
        examples: dict[str, list[Any]]
        labels: list[Any]
        if self.loss == "listwise":
            examples = {QUERY: queries, "documents": groups}
            # ListNet's target is a softmax of the labels: a large one makes it the one-hot target of cross-entropy.
            labels = [[ONE_HOT, *negatives]] * len(groups)
        else:
            examples = {
                QUERY: [query for query in queries for _ in documents],
                "document": list(chain.from_iterable(groups)),
            }
            labels = [1.0, *negatives] * len(groups)

        def loss(model: Any) -> Any:
            from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss, ListNetLoss

            if self.loss == "listwise":
                return ListNetLoss(model, mini_batch_size=-1)
            import torch

            return BinaryCrossEntropyLoss(model, pos_weight=torch.tensor(float(self.negatives)))

        return Lesson(
            examples,
            loss,
            self.schedule(),
            labels=labels,
            facts=facts,
            order="random",
            trained_queries=trained_queries,
        )

    def _groups(
        self, base: Trainable, view: TrainView, context: Context
    ) -> tuple[dict[str, list[str]], dict[str, Any], list[TrainedQuery]]:
        """Columns `query`, `positive`, `negative_1` …, the facts for the record, and the queries with their origin."""
        if self.pairs == "gold":
            mined = self.mined(base, view, context)
            return mined.triplets(view), mined.facts, mined.gold.trained_queries(view)
        generated = generated_pairs(self.generator, view, context, self.documents or DOCUMENTS[self.budget])
        mining = self._mining(base.untrained)
        negatives = mine(mining, generated.queries, generated.pairs, generated.known, view, context)
        columns = {QUERY: generated.queries.texts, POSITIVE: generated.documents(view, context, self.hide)}
        for place, rows in enumerate(negatives.rows.T, 1):
            columns[f"{NEGATIVE}_{place}"] = view.corpus.texts_of(rows)[:]
        return columns, {**generated.facts, "negatives": negatives.facts}, generated.trained_queries(view)
