"""GPL: generated questions, negatives of two retrievers, margins of a teacher; MarginMSE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Len

from harness.choices.bounds import Count, Share
from harness.data.dataset import TrainView
from harness.generators import Generator
from harness.generators.extractive import Extractive
from harness.methods import Method
from harness.methods.bm25 import BM25
from harness.recipes import Need, Recipe
from harness.recipes._teacher import local_recipes, local_teacher
from harness.runtime.context import Context
from harness.training.base import Trainable
from harness.training.examples import NEGATIVE, POSITIVE, QUERY, sides
from harness.training.labels import try_teacher
from harness.training.lesson import Lesson
from harness.training.margins import margin_loss, margins
from harness.training.negatives import Mining, mine
from harness.training.schedule import Budget, Schedule
from harness.training.unlabelled import generated_pairs

DOCUMENTS: Mapping[Budget, int] = {"smoke": 20, "small": 700, "full": 83_000}


@dataclass(frozen=True)
class GPL(Recipe):
    """Generative pseudo-labelling: the student learns the teacher's margin between a question's document and a mined
    one.

    Source: Wang et al. (2112.07577), sections 3 and 4. The paper's settings are
    `gpl(budget="full", generator=seq2seq, teacher=cross_encoder)`, with two dense retrievers as miners; the defaults
    need no download: questions are extracted, BM25 and the untrained student mine, and the teacher is trained here.

    Args:
        generator: makes the questions.
        teacher: scores pairs: a cross-encoder. None trains one contrastively on the corpus (`ce-contrastive`), without
            labels.
        miners: methods that mine the negatives, their rankings taken in turn; None takes BM25 and the model before
            training.
        ranks: from and to which rank.
        negatives: how many (question, document, negative) triples each question gives.
        documents: how many documents questions are made of; None takes the budget's.
        hide: share of the pairs whose document loses, for the student, the question's own words.
    """

    generator: Generator = field(default_factory=Extractive)
    teacher: Method | None = None
    miners: tuple[Method, ...] = ()
    ranks: Annotated[tuple[Count, ...], Len(2, 2)] = (1, 50)
    negatives: Count = 1
    documents: Count | None = None
    hide: Share = 0.9

    needs: ClassVar[frozenset[Need]] = frozenset({"generator", "teacher"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_queries=10, dev_pool=100),
        "small": Schedule(
            epochs=1, batch=24, learning_rate=2e-5, max_length=192, dropout=0.0, evaluations=3, dev_pool=1500
        ),
        "full": Schedule(
            steps=140_000, batch=32, learning_rate=2e-5, warmup=1000 / 140_000, max_length=350, evaluations=14
        ),
    }

    def helpers(self) -> Iterator[Recipe]:
        """See `Recipe.helpers`; without a `teacher`, those that train one."""
        yield from super().helpers()
        if self.teacher is None:
            yield from local_recipes(self)

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        teacher = self.teacher or local_teacher(base, local_recipes(self))
        schedule = self.schedule()
        student = base.untrained
        tested = try_teacher(teacher, student, base.first_stages, view, schedule, context)
        generated = generated_pairs(self.generator, view, context, self.documents or DOCUMENTS[self.budget])
        miners = self.miners or (BM25(), student)
        mining = Mining(miners, (self.ranks[0], self.ranks[1]), self.negatives, student)
        mined = mine(mining, generated.queries, generated.pairs, generated.known, view, context)
        number = np.repeat(np.arange(len(generated.pairs)), self.negatives)
        pairs = [generated.pairs[i] for i in number]
        rows = mined.rows.reshape(-1, 1)
        teacher_margins = margins(teacher, student, generated.queries.texts, pairs, rows, view, context)
        positives = generated.documents(view, context, self.hide)
        columns = {
            QUERY: [generated.queries.texts[i] for i in number],
            POSITIVE: [positives[i] for i in number],
            f"{NEGATIVE}_1": view.corpus.texts_of(rows[:, 0])[:],
        }
        facts = {**generated.facts, "negatives": {**mined.facts, **teacher_margins.facts}, "teacher": tested.facts}
        return Lesson(
            columns,
            margin_loss(teacher_margins.scale, base),
            schedule,
            labels=teacher_margins.values.tolist(),
            sides=sides(columns),
            facts=facts,
            notes=tested.notes,
            trained_queries=generated.trained_queries(view),
        )
