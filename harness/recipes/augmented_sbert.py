"""Augmented SBERT: a cross-encoder trained on gold pairs labels sampled pairs; the bi-encoder learns from both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Len

from harness.base.errors import SettingError, Unavailable
from harness.choices.bounds import Count, NonNegative, Positive
from harness.choices.value import Value
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.datasets import load_dataset
from harness.generators import Generator
from harness.generators.extractive import Extractive
from harness.methods import Method
from harness.methods.bm25 import BM25
from harness.recipes import Need, Recipe
from harness.recipes._silver import Sampling, Silver, sampled_by_density
from harness.recipes._silver_lesson import RankingAndMargins, cosine_lesson
from harness.recipes._teacher import local_recipes, local_teacher
from harness.runtime.context import Context
from harness.training.base import Trainable, by_cosine
from harness.training.candidates import candidate_scores
from harness.training.from_gold import FromGold
from harness.training.gold import Gold, gold
from harness.training.labels import try_teacher
from harness.training.lesson import Lesson
from harness.training.schedule import Budget, Schedule, small
from harness.training.unlabelled import generated_pairs


@dataclass(frozen=True)
class AugmentedSBERT(FromGold):
    """Trains on gold judgements and on silver ones: the teacher's scores of sampled (query, document) pairs.

    Source: Thakur et al. (2010.08240), section 3: the cross-encoder is trained on the gold pairs, labels pairs sampled
    by BM25, semantic search, both, kernel density or at random, and the bi-encoder learns gold and silver by regression
    of the cosine (`loss="cosine"`). The paper is about sentence pairs. For retrieval, where only the order counts,
    `loss="margin"`, ours and not the paper's, ranks the gold documents as `supervised` does, and next to it learns the
    teacher's margins (Hofstätter et al., 2010.02666) between the documents of a query, on a line fitted to the
    student's own margins; each pass takes another silver document. Where the teacher puts a document above a gold one,
    that margin is left out: gold is right.

    Args:
        queries: gold queries; None takes all. The teacher sees the same.
        others: also pair the training queries beyond `queries`, whose judgements are not used.
        sampling: `bm25`, `semantic` (the model before training), `both`, `kde` (of both, drawn so that the silver
            scores have the distribution of the gold scores) or `random`.
        silver_ranks: from and to which rank silver documents are drawn.
        per_query: sampled documents of each query.
        teacher: a cross-encoder row; None trains one from the student's weights, contrastively on the corpus and then
            on the same gold.
        source: name of a collection whose gold the teacher is trained on, as `beir/scifact`: domain transfer; then
            only silver is learnt, no label of this collection is used, and queries are made by `generator`.
        generator: makes the queries of domain transfer.
        documents: how many documents it makes queries of.
        loss: `margin` or `cosine`.
        weight: of the squared errors of the margins (of cosines times `scale`), next to the ranking loss of gold.
        scale: factor of the cosine in both.
    """

    others: bool = False
    sampling: Literal["bm25", "semantic", "both", "kde", "random"] = "both"
    silver_ranks: Annotated[tuple[Count, ...], Len(2, 2)] = (1, 50)
    per_query: Annotated[int, Ge(2)] = 8
    teacher: Method | None = None
    source: str | None = None
    generator: Generator = field(default_factory=Extractive)
    documents: Count = 700
    loss: Literal["margin", "cosine"] = "margin"
    weight: NonNegative = 0.02
    scale: Positive = 20.0

    needs: ClassVar[frozenset[Need]] = frozenset({"train labels", "teacher"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_queries=10, dev_pool=100),
        "small": small(epochs=6, batch=24, learning_rate=6e-5),
        "full": Schedule(epochs=10, batch=64, learning_rate=3e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.silver_ranks[0] <= self.silver_ranks[1]:
            raise SettingError(f"augmented_sbert: silver_ranks must be (from, to), not {self.silver_ranks}")

    def needed(self) -> frozenset[Need]:
        """See `Recipe.needed`."""
        return frozenset({"teacher", "generator"}) if self.source else self.needs

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Recipe.inputs`; of domain transfer, the data of the source too."""
        own = super().inputs(context)
        if self.source:
            own[f"source {self.source}"] = load_dataset(self.source, context).train.revision
        return own

    def helpers(self) -> Iterator[Recipe]:
        """See `Recipe.helpers`; the teacher that is trained if none is named is one."""
        yield from super().helpers()
        if self.teacher is None:
            yield from self._teacher()

    def _teacher(self) -> tuple[Recipe, ...]:
        # Sigmoids and densities of scores need a teacher that scores each pair independently of the others.
        is_absolute = self.loss == "cosine" or self.sampling == "kde"
        return local_recipes(self, gold=True, queries=self.queries, loss="pointwise" if is_absolute else "listwise")

    def fitted_here(self) -> Iterator[Value]:
        """See `Recipe.fitted_here`; the teacher of domain transfer is fitted on its source."""
        return (part for part in self.parts() if self.source is None or part is not self.teacher)

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        student = base.untrained
        if self.loss == "cosine":
            by_cosine(base, 'augmented_sbert(loss="cosine")')
        teacher = self.teacher or local_teacher(base, self._teacher())
        teacher_view = self._source_view(view, context)
        schedule = self.schedule()
        trial = try_teacher(teacher, student, base.first_stages, view, schedule, context, teacher_view)
        queries, known = self._queries(view, context)
        sampled = self._sampling(student).documents(queries, known, view, context)
        scores = None
        if self.loss == "cosine" or self.sampling == "kde" or known is None or len(queries) > len(known):
            scores = candidate_scores(teacher, queries.texts, sampled, view, context, teacher_view)
        if self.sampling == "kde" and scores is not None:
            sampled, scores = sampled_by_density(sampled, scores, known, context)
        gold_pairs = sum(map(len, known.relevant)) if known else 0
        facts = {
            "teacher": trial.facts,
            "gold_queries": len(known) if known else 0,
            "queries": len(queries),
            "silver_pairs": int(sum(map(len, sampled))) - gold_pairs,
            "sampling": self.sampling,
        }
        silver = Silver(queries, sampled, scores, known, facts, trial.notes)
        after = trial.after(base, context)
        if self.loss == "cosine":
            return cosine_lesson(silver, self.schedule(), view, after)
        mined = None if known is None else self.mined(base, view, context)
        settings = RankingAndMargins(self.scale, self.weight, self.negatives)
        return settings.lesson(silver, mined, teacher, base, self.schedule(), view, teacher_view, context, after)

    def _source_view(self, view: TrainView, context: Context) -> TrainView:
        if self.source is None:
            return view
        source = load_dataset(self.source, context).train
        if source.corpus.revision == view.corpus.revision:
            raise SettingError(
                f"augmented_sbert: {self.source} is the collection of this run, whose queries may be the reported "
                "ones; name another source, or leave it out."
            )
        if source.train is None:
            raise Unavailable(f"{self.source} has no training judgements for the teacher.", "Name another source.")
        return source

    def _queries(self, view: TrainView, context: Context) -> tuple[Queries, Gold | None]:
        """The queries to pair, those with gold first, and their gold."""
        if self.source is not None:
            return generated_pairs(self.generator, view, context, self.documents).queries, None
        known = gold(view, context, self.queries)
        if not self.others:
            return known.queries, known
        rest = gold(view, context).queries
        both = dict(zip([*known.queries.ids, *rest.ids], [*known.queries.texts, *rest.texts], strict=True))
        return Queries(list(both), list(both.values())), known

    def _sampling(self, student: Method) -> Sampling:
        by_sampling: dict[str, tuple[Method, ...]] = {"bm25": (BM25(),), "semantic": (student,), "random": ()}
        methods = by_sampling.get(self.sampling, (BM25(), student))
        count = self.per_query * (2 if self.sampling == "kde" else 1)
        return Sampling(methods, (self.silver_ranks[0], self.silver_ranks[1]), count)
