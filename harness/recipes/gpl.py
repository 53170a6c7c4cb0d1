"""GPL: generated questions, negatives of two retrievers, margins of a teacher; MarginMSE."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Len

from harness.base.errors import DatasetError
from harness.choices.bounds import Count, Share
from harness.data.dataset import TrainView
from harness.generators import Generator
from harness.generators.extractive import Extractive
from harness.methods import Method
from harness.methods.bm25 import BM25
from harness.recipes import Need, Recipe
from harness.recipes._teacher import local_recipes, local_teacher
from harness.runtime.context import Context
from harness.training.asked import asked
from harness.training.base import Trainable
from harness.training.examples import NEGATIVE, POSITIVE, QUERY, Picked, sides
from harness.training.labels import TeacherTest, try_teacher
from harness.training.lesson import Lesson
from harness.training.margins import fitted_line, margin_loss, scale_of
from harness.training.negatives import Mining, mine
from harness.training.passes import passes
from harness.training.schedule import Budget, Schedule, small
from harness.training.tuples import Seen, Tuples, read_tuples

QUESTIONS: Mapping[Budget, int] = {"smoke": 60, "small": 2100, "full": 250_000}
FITTED = 2000
"""Tuples that the line of the labels is fitted to."""


@dataclass(frozen=True)
class GPL(Recipe):
    """Generative pseudo-labelling: the student learns the teacher's margin between a question's document and a mined
    one.

    Source: Wang et al. (2112.07577), sections 3 and 4. The paper's settings are
    `gpl(budget="full", generator=seq2seq, teacher=cross_encoder)`, with two dense retrievers as miners; the defaults
    need no download: questions are extracted, BM25 and the untrained student mine, and the teacher is trained here.
    Teacher and student read the same text: where a document loses its question's words, the margin is that of the
    shortened text. Each pass takes other negatives, as the authors' dataset does. The labels are the teacher's margins
    on a line that is fitted to the student's (`harness.training.margins`), since a cosine cannot be as large as a
    logit.

    Args:
        generator: makes the questions.
        teacher: scores pairs: a cross-encoder. None trains one contrastively on the corpus (`ce-contrastive`), without
            labels.
        miners: methods that mine the negatives, their rankings taken in turn; None takes BM25 and the model before
            training.
        ranks: from and to which rank; each pass draws others of them.
        negatives: how many (question, document, negative) tuples each question gives in a pass.
        documents: how many documents questions are made of; None takes about 2,100 questions (`small`) or 250,000
            (`full`), 3 to 50 of a document.
        hide: share of the pairs whose document loses the question's own words, for the student and the teacher.
        noise: share of the questions that get the document of another one, to see what bad questions do.
        tuples: a file of JSON lines with query, positive, negative and margin, in place of questions and teacher;
            `harness.training.export.export_tuples` writes one.
    """

    generator: Generator = field(default_factory=Extractive)
    teacher: Method | None = None
    miners: tuple[Method, ...] = ()
    ranks: Annotated[tuple[Count, ...], Len(2, 2)] = (1, 50)
    negatives: Count = 1
    documents: Count | None = None
    hide: Share = 0.9
    noise: Share = 0.0
    tuples: str | None = None

    needs: ClassVar[frozenset[Need]] = frozenset({"generator", "teacher"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(steps=4, batch=4, max_length=32, evaluations=1, dev_queries=10, dev_pool=100),
        "small": small(epochs=2, batch=24, learning_rate=2e-5),
        "full": Schedule(
            steps=140_000, batch=32, learning_rate=2e-5, warmup=1000 / 140_000, max_length=350, evaluations=14
        ),
    }

    def needed(self) -> frozenset[Need]:
        """See `Recipe.needed`."""
        return frozenset() if self.tuples else self.needs

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Recipe.inputs`; the content of `tuples` too."""
        own = super().inputs(context)
        if self.tuples:
            try:
                own[f"tuples {self.tuples}"] = hashlib.sha256(Path(self.tuples).read_bytes()).hexdigest()
            except OSError as error:
                raise DatasetError(f"the tuples {self.tuples} cannot be read: {error}") from error
        return own

    def helpers(self) -> Iterator[Recipe]:
        """See `Recipe.helpers`; without a `teacher`, those that train one."""
        yield from super().helpers()
        if self.teacher is None and not self.tuples:
            yield from local_recipes(self)

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        tested = None
        if self.tuples:
            made = read_tuples(Path(self.tuples))
        else:
            made, tested = self.labelled(base, view, context)
        line = fitted_line(made.margins[:FITTED], made.margins_of(base.untrained, view, context, FITTED))
        texts = made.seen.texts
        columns = {
            QUERY: Picked(made.queries, made.query),
            POSITIVE: Picked(texts, made.positive),
            f"{NEGATIVE}_1": Picked(texts, made.negative),
        }
        return Lesson(
            columns,
            margin_loss(base),
            self.schedule(),
            labels=(scale_of(base) * line(made.margins)).tolist(),
            sides=sides(columns),
            order="given" if made.per_pass else "random",
            per_pass=made.per_pass,
            after=None if tested is None else tested.after(base, context),
            facts={**made.facts, "tuples": len(made), "labels": line.facts},
            notes=(*made.notes, *line.notes(self.name())),
            trained_queries=made.trained_queries(view),
        )

    def labelled(self, base: Trainable, view: TrainView, context: Context) -> tuple[Tuples, TeacherTest]:
        """The tuples that the recipe makes, with the teacher's own margins, and the test of the teacher."""
        teacher = self.teacher or local_teacher(base, local_recipes(self))
        schedule, student = self.schedule(), base.untrained
        tested = try_teacher(teacher, student, base.first_stages, view, schedule, context)
        generated = asked(self.generator, view, context, QUESTIONS[self.budget], self.documents, self.noise)
        first, last = self.ranks
        width = last - first + 1
        mining = Mining(self.miners or (BM25(), student), (first, last), width, random=False)
        mined = mine(mining, generated.queries, generated.pairs, generated.known, view, context)
        drawn = passes(context.rng("passes"), len(generated.pairs), width, min(self.negatives, width), schedule)
        negatives = mined.rows[drawn.items, drawn.slots]
        seen = Seen()
        of_question = seen.add(
            generated.documents(view, context, self.hide),
            view.corpus.ids(np.array([row for _, row in generated.pairs], dtype=np.int64)),
        )
        rows = np.unique(negatives)
        of_row = seen.add(view.corpus.texts_of(rows)[:], view.corpus.ids(rows))
        positive, negative = of_question[drawn.items], of_row[np.searchsorted(rows, negatives)]
        made = Tuples(
            generated.queries.texts,
            seen.corpus(),
            seen.ids,
            drawn.items,
            positive,
            negative,
            np.zeros(len(drawn.items), np.float32),
            per_pass=drawn.per_pass,
            notes=tested.notes,
        )
        margins = made.margins_of(teacher, view, context)
        wrong = {"false_negative_rate_by_teacher": round(float((margins < 0).mean()), 4)}
        facts = {**generated.facts, "negatives": {**mined.facts, **wrong}, "teacher": tested.facts}
        return replace(made, margins=margins, facts=facts), tested
