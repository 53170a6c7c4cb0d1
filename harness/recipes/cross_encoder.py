"""Cross-encoder: a re-ranker trained on gold pairs, or contrastively on questions made from the corpus; also a
teacher.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, ClassVar, Literal

from harness.base.errors import SettingError
from harness.choices.bounds import Count, Positive, Share
from harness.choices.value import LATER
from harness.data.dataset import TrainView
from harness.generators import Generator
from harness.generators.extractive import Extractive
from harness.leaks.history import TrainedQuery
from harness.methods import Method
from harness.methods.bm25 import BM25
from harness.recipes import Need
from harness.runtime.context import Context
from harness.training.base import PairBase, Trainable
from harness.training.distillation import taught
from harness.training.examples import NEGATIVE, POSITIVE, QUERY
from harness.training.from_gold import FromGold
from harness.training.lesson import Lesson
from harness.training.negatives import mine
from harness.training.schedule import Budget, Schedule, small
from harness.training.unlabelled import generated_pairs

ONE_HOT = 1e4
HEAD = r"\b(pooler|pre_classifier|classifier|score|head)\b"
"""Names of the weights between an encoder's token vectors and the score, which are random in a new head, or were never
used by an encoder that pools in another way.
"""
HEAD_RATE = 1e-3
DOCUMENTS: Mapping[Budget, int] = {"smoke": 20, "small": 1000, "full": 50_000}


@dataclass(frozen=True)
class CrossEncoder(FromGold):
    """Each query's relevant document against hard negatives, under one softmax (`listwise`) or each pair by itself
    (`pointwise`); or a teacher's scores of them.

    Source: Nogueira and Cho (1901.04085) for the pointwise form; Gao, Dai and Callan, "Rethink Training of BERT
    Rerankers" (2101.08751), section 3, for the contrastive one: the loss over one positive and mined negatives of the
    same first stage.
    Trained on pairs made from the corpus it needs no labels: that is contrastive pre-training of a cross-encoder, and
    the question's own words are removed from its document in most pairs, or the model would learn to look for copies
    (Lee et al., the inverse cloze task, 1906.00300, section 4).
    With a teacher, `listwise` is the divergence of the model's softmax over a query's documents from the teacher's, and
    `margin` the squared error of the differences of scores (MarginMSE, Hofstätter et al., 2010.02666, eq. 3).

    Where query and document together are too long, the longer of the two is cut, as a rule the document.

    Args:
        pairs: `gold` takes the training queries; `unlabelled` questions that `generator` makes of sampled documents.
        loss: `listwise`, `pointwise`, or, with a teacher only, `margin`.
        teacher: a row whose scores of the documents are learnt in place of the judgements; for `gold` pairs.
        temperature: by which the teacher's scores are divided; None takes their deviation within a query.
        head_rate: learning rate of the weights of a new scoring head; None takes that of the encoder.
        generator: makes the questions of `unlabelled`.
        documents: how many documents questions are made of; None takes the budget's.
        hide: share of the made pairs whose document loses the question's words.
        miners: BM25, since its candidates are re-ranked.
    """

    pairs: Literal["gold", "unlabelled"] = "gold"
    loss: Literal["listwise", "pointwise", "margin"] = "listwise"
    teacher: Method | None = field(default=None, metadata=LATER)
    temperature: Positive | None = field(default=None, metadata=LATER)
    head_rate: Positive | None = field(default=HEAD_RATE, metadata=LATER)
    generator: Generator = field(default_factory=Extractive)
    documents: Count | None = None
    hide: Share = 0.9
    miners: tuple[Method, ...] = field(default_factory=lambda: (BM25(),))
    negatives: Count = 4

    trains = "cross_encoder"
    without_labels = 'cross_encoder(pairs="unlabelled")'
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=3, batch=2, max_length=48, evaluations=1, dev_queries=10, dev_pool=100),
        "small": small(
            epochs=3,
            tokens=2_400_000,  # each document is read with its query, once for each query
            batch=8,
            learning_rate=5e-5,
            max_length=320,
            evaluations=3,
            dev_queries=80,
        ),
        "full": Schedule(epochs=5, batch=32, learning_rate=3e-5, max_length=512, evaluations=10, dev_pool=100_000),
    }

    def schedule(self) -> Schedule:
        """See `Recipe.schedule`; `small` takes one epoch of generated pairs, which are many, at a higher learning rate,
        since a random scoring head needs a hundred steps of 5e-5 before it begins to learn.
        """
        schedule = super().schedule()
        if self.pairs != "unlabelled" or self.budget != "small":
            return schedule
        return replace(schedule, epochs=self.epochs or 1.0, learning_rate=self.learning_rate or 1e-4)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss == "margin" and self.teacher is None:
            raise SettingError('cross_encoder: loss="margin" learns from a teacher; name one, as teacher=dense')
        if self.teacher is not None and (self.loss == "pointwise" or self.pairs != "gold"):
            raise SettingError('cross_encoder: a teacher needs pairs="gold" and loss="listwise" or loss="margin"')

    def needed(self) -> frozenset[Need]:
        """See `Recipe.needed`."""
        if self.pairs == "unlabelled":
            return frozenset({"generator"})
        return frozenset({"train labels"}) if self.teacher is None else frozenset({"train labels", "teacher"})

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        assert isinstance(base, PairBase)
        groups = self._groups(base, view, context)
        queries, *documents = groups.columns.values()
        count = len(documents) - 1
        # ListNet's target is a softmax of the labels: a large one makes it the one-hot target of cross-entropy.
        labels: list[Any] = groups.labels or [[ONE_HOT, *[0.0] * count]] * len(queries)
        examples: dict[str, list[Any]] = dict(groups.columns)
        if self.loss == "listwise":
            examples = {QUERY: queries, "documents": list(map(list, zip(*documents, strict=True)))}
        elif self.loss == "pointwise":
            examples = {
                QUERY: [query for query in queries for _ in documents],
                "document": list(chain.from_iterable(zip(*documents, strict=True))),
            }
            labels = [1.0, *[0.0] * count] * len(queries)
        return Lesson(
            examples,
            self._loss,
            self.schedule(),
            labels=labels,
            learning_rates={HEAD: self.head_rate} if self.head_rate and not base.whole else {},
            facts=groups.facts,
            order="random",
            trained_queries=groups.trained_queries,
        )

    def _loss(self, model: Any) -> Any:
        import torch
        from sentence_transformers.cross_encoder import losses

        if self.loss == "listwise":
            return losses.ListNetLoss(model, mini_batch_size=-1)
        if self.loss == "margin":
            return losses.MarginMSELoss(model, activation_fn=torch.nn.Identity())
        return losses.BinaryCrossEntropyLoss(model, pos_weight=torch.tensor(float(self.negatives)))

    def _groups(self, base: Trainable, view: TrainView, context: Context) -> Groups:
        if self.pairs == "gold":
            mined = self.mined(base, view, context)
            facts, labels = mined.facts, None
            if self.teacher is not None:
                learnt = taught(self.teacher, mined, view, context, self.temperature)
                facts, labels = {**facts, "teacher": learnt.facts}, learnt.labels()
            return Groups(mined.triplets(view), facts, mined.gold.trained_queries(view), labels)
        generated = generated_pairs(self.generator, view, context, self.documents or DOCUMENTS[self.budget])
        mining = self._mining(base.untrained)
        negatives = mine(mining, generated.queries, generated.pairs, generated.known, view, context)
        columns = {QUERY: generated.queries.texts, POSITIVE: generated.documents(view, context, self.hide)}
        for place, rows in enumerate(negatives.rows.T, 1):
            columns[f"{NEGATIVE}_{place}"] = view.corpus.texts_of(rows)[:]
        return Groups(columns, {**generated.facts, "negatives": negatives.facts}, generated.trained_queries(view))


@dataclass(frozen=True)
class Groups:
    """Each query with its document and negatives.

    Args:
        columns: `query`, `positive`, `negative_1` …
        facts: for the record.
        trained_queries: the queries with their origin.
        labels: the teacher's scores of each group; None without a teacher.
    """

    columns: dict[str, list[str]]
    facts: dict[str, Any]
    trained_queries: list[TrainedQuery]
    labels: list[list[float]] | None = None
