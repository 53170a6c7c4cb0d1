"""Augmented SBERT: a cross-encoder trained on gold pairs labels sampled pairs; the bi-encoder learns from both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from harness.base.errors import SettingError, Unavailable
from harness.choices.bounds import Count
from harness.choices.value import Value
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Ints, own_rows
from harness.datasets import load_dataset
from harness.generators import Generator
from harness.generators.extractive import Extractive
from harness.methods import Method, fit, index, search
from harness.methods.bm25 import BM25
from harness.recipes import Need, Recipe
from harness.recipes._silver import Silver, sampled_by_density
from harness.recipes._teacher import local_recipes, local_teacher
from harness.runtime.context import Context
from harness.training.base import Trainable, by_cosine
from harness.training.candidates import candidate_scores, without_known
from harness.training.examples import NEGATIVE, POSITIVE, QUERY, sides
from harness.training.gold import Gold, gold
from harness.training.labels import try_teacher
from harness.training.lesson import Lesson
from harness.training.margins import margin_loss, spread_ratio
from harness.training.schedule import Budget, Schedule
from harness.training.unlabelled import generated_pairs

DEEP = 50
"""Documents of each method that pairs are sampled from."""


@dataclass(frozen=True)
class AugmentedSBERT(Recipe):
    """Trains on gold judgements and on silver ones: the teacher's scores of sampled (query, document) pairs.

    Source: Thakur et al. (2010.08240), section 3: the cross-encoder is trained on the gold pairs, labels pairs sampled
    by BM25, semantic search, both, kernel density or at random, and the bi-encoder learns gold and silver by regression
    of the cosine. The paper is about sentence pairs; for retrieval the pairs are of queries and documents, and
    `loss="margin"`, ours and not the paper's, learns differences of the teacher's scores of one query (Hofstätter et
    al., 2010.02666), since only the order counts.

    Args:
        queries: gold queries; None takes all. The teacher sees the same.
        others: also pair the training queries beyond `queries`, whose judgements are not used.
        sampling: `bm25`, `semantic` (the model before training), `both`, `kde` (of both, drawn so that the silver
            scores have the distribution of the gold scores) or `random`.
        per_query: sampled documents of each query.
        teacher: a cross-encoder row; None trains one from the student's weights, contrastively on the corpus and then
            on the same gold.
        source: name of a collection whose gold the teacher is trained on, as `beir/scifact`: domain transfer; then
            only silver is learnt, no label of this collection is used, and queries are made by `generator`.
        generator: makes the queries of domain transfer.
        documents: how many documents it makes queries of.
        loss: `margin` or `cosine`.
    """

    queries: Count | None = None
    others: bool = False
    sampling: Literal["bm25", "semantic", "both", "kde", "random"] = "both"
    per_query: Annotated[int, Ge(2)] = 4
    teacher: Method | None = None
    source: str | None = None
    generator: Generator = field(default_factory=Extractive)
    documents: Count = 700
    loss: Literal["margin", "cosine"] = "margin"

    needs: ClassVar[frozenset[Need]] = frozenset({"train labels", "teacher"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_queries=10, dev_pool=100),
        "small": Schedule(
            epochs=1, batch=24, learning_rate=3e-5, max_length=256, dropout=0.0, evaluations=4, dev_pool=1500
        ),
        "full": Schedule(epochs=1, batch=16, learning_rate=2e-5, max_length=256, evaluations=10, dev_pool=100_000),
    }

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
        sampled = self._sample(queries, known, student, view, context)
        scores = candidate_scores(teacher, queries.texts, sampled, view, context, teacher_view)
        if self.sampling == "kde":
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
        if self.loss == "cosine":
            return self._cosine(silver, view)
        return self._margin(silver, base, view, context)

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

    def _sample(
        self, queries: Queries, known: Gold | None, student: Method, view: TrainView, context: Context
    ) -> list[Ints]:
        """Per query: its relevant documents first, then sampled ones that are not judged relevant."""
        rng = context.rng("silver pairs")
        by_sampling: dict[str, list[Method]] = {"bm25": [BM25()], "semantic": [student], "random": []}
        methods = by_sampling.get(self.sampling, [BM25(), student])
        tops = []
        for method in methods:
            searcher = index(method, fit(method, view, context), view.corpus, context)
            tops.append(search(method, searcher, queries, DEEP, context).indices)
        wanted = self.per_query * (2 if self.sampling == "kde" else 1)
        themselves = view.train.drop_self if view.train is not None and known is not None else frozenset()
        own = own_rows(Labelled(queries, {}, themselves), view.corpus)
        sampled = []
        for number in range(len(queries)):
            relevant: Ints = np.zeros(0, np.int64)
            if known is not None and number < len(known):
                relevant = known.relevant[number]
            if methods:
                # Twice as many as wanted, since known documents and copies of them are left out.
                each = -(-wanted // len(methods))
                candidates = np.concatenate([top[number][top[number] >= 0][: 2 * each] for top in tops])
            else:
                candidates = rng.integers(len(view.corpus), size=2 * wanted)
            query = Queries(queries.ids[number : number + 1], queries.texts[number : number + 1])
            excluded = relevant if own[number] < 0 else np.union1d(relevant, own[number])
            candidates = np.unique(without_known(query, [candidates], [excluded], view)[0])
            chosen = rng.permutation(candidates)[:wanted]
            sampled.append(np.concatenate([relevant, chosen]).astype(np.int64))
        return sampled

    def _margin(self, silver: Silver, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """Triples (query, better, worse): a gold document against each sampled one; without gold, the teacher's best.

        A gold document's margin is the teacher's, but at least 0: gold outranks silver.
        """
        own = candidate_scores(base.untrained, silver.queries.texts, silver.rows, view, context)
        triples, differences = silver.triples(own)
        if not triples:
            advice = "raise per_query, or sample by both"
            raise SettingError(f"augmented_sbert: no query has two documents to compare; {advice}.")
        margins = np.array([t[3] for t in triples], dtype=np.float32)
        scale = spread_ratio(margins, np.array(differences, dtype=np.float32))
        texts = view.corpus.texts_of
        columns = {
            QUERY: [silver.queries.texts[t[0]] for t in triples],
            POSITIVE: texts(np.array([t[1] for t in triples], dtype=np.int64))[:],
            f"{NEGATIVE}_1": texts(np.array([t[2] for t in triples], dtype=np.int64))[:],
        }
        return Lesson(
            columns,
            margin_loss(scale, base),
            self.schedule(),
            labels=margins.tolist(),
            sides=sides(columns),
            order="random",
            facts={**silver.facts, "triples": len(triples), "margin_scale": round(scale, 4)},
            notes=silver.notes,
            trained_queries=silver.trained_queries(view),
        )

    def _cosine(self, silver: Silver, view: TrainView) -> Lesson:
        """Pairs with a label between 0 and 1: 1 for gold, the sigmoid of the teacher's score for silver."""
        numbers = np.concatenate([np.full(len(rows), i) for i, rows in enumerate(silver.rows)])
        labels = np.concatenate([1 / (1 + np.exp(-np.asarray(v, dtype=np.float64))) for v in silver.scores])
        start = 0
        for i, rows in enumerate(silver.rows):
            labels[start : start + silver.known(i)] = 1.0
            start += len(rows)
        documents = view.corpus.texts_of(np.concatenate(list(silver.rows)))[:]
        columns = {QUERY: [silver.queries.texts[i] for i in numbers], POSITIVE: documents}

        def loss(model: Any) -> Any:
            from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

            return CosineSimilarityLoss(model)

        return Lesson(
            columns,
            loss,
            self.schedule(),
            labels=labels.tolist(),
            sides=sides(columns),
            order="random",
            facts=silver.facts,
            notes=silver.notes,
            trained_queries=silver.trained_queries(view),
        )
