"""The test of a teacher on dev, before its scores are used as labels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.methods import Method
from harness.models.batching import batch_tokens
from harness.models.library import vectors_by_library
from harness.models.limits import length_of
from harness.models.tokens import InputFormat
from harness.runtime.context import Context
from harness.training.base import EncoderBase, Trainable
from harness.training.candidates import candidate_scores
from harness.training.dev import Pool, pool
from harness.training.schedule import Schedule

CANDIDATES = 20
"""Candidates of a dev query that teacher and student re-rank."""
log = logging.getLogger("harness.training")


@dataclass(frozen=True)
class TeacherTest:
    """How well teacher and student order the same dev candidates.

    Args:
        teacher: nDCG@10 of the candidates in the teacher's order; None without dev queries.
        student: the same in the student's.
        facts: JSON-safe, for the record.
        notes: for readers of the results; empty if the teacher is better.
        pool: the dev queries; None without.
        candidates: of each dev query, the rows that were re-ranked.
    """

    teacher: float | None
    student: float | None
    facts: dict[str, Any]
    notes: tuple[str, ...]
    pool: Pool | None = None
    candidates: Sequence[Ints] = ()

    def after(self, base: Trainable, context: Context) -> Callable[[Any, Any, Any], Mapping[str, Any]] | None:
        """For `Lesson.after`: adds to the facts how the trained student orders the same candidates, so that a record
        shows whether it has passed its teacher. None without dev queries.
        """
        dev_pool = self.pool
        if dev_pool is None or not isinstance(base, EncoderBase):
            return None

        def measured(model: Any, loss: Any, probe: Any) -> Mapping[str, Any]:
            value = _encoder_on(model, base, dev_pool, self.candidates, context)
            return {"teacher": {**self.facts, "trained_student_dev": round(value, 6)}}

        return measured


def try_teacher(
    teacher: Method,
    student: Method,
    first_stages: Sequence[Method],
    view: TrainView,
    schedule: Schedule,
    context: Context,
    learnt_on: TrainView | None = None,
    score: Callable[..., list[Floats]] = candidate_scores,
) -> TeacherTest:
    """Lets both re-rank the same candidates of the dev queries; adds a note and a warning if the teacher is not better.
    `score` is `candidate_scores`, or a function like it.

    A weak teacher is the usual reason why pseudo-labelling makes a model worse (Wang et al., GPL, 2112.07577, section
    5).
    """
    dev_pool = pool(view, first_stages, schedule, context)
    if dev_pool is None:
        note = f"the teacher {teacher} could not be tested: the collection has no dev queries"
        return TeacherTest(None, None, {"teacher": str(teacher), "teacher_dev": None, "student_dev": None}, (note,))
    candidates = [rows[:CANDIDATES] for rows in dev_pool.candidates]
    texts = dev_pool.split.queries.texts
    values = []
    for method, learnt in ((teacher, learnt_on), (student, None)):
        scores = score(method, texts, candidates, view, context, learnt)
        values.append(round(dev_pool.measure(zip(candidates, scores, strict=True)), 6))
    facts = {"teacher": str(teacher), "teacher_dev": values[0], "student_dev": values[1], "tested_on": CANDIDATES}
    if values[0] > values[1]:
        return TeacherTest(values[0], values[1], facts, (), dev_pool, candidates)
    note = (
        f"the teacher {teacher} orders the dev candidates no better than the student does before training "
        f"(nDCG@10 {values[0]:.4f} against {values[1]:.4f}): expect its labels to harm"
    )
    log.warning("%s", note)
    return TeacherTest(values[0], values[1], facts, (note,), dev_pool, candidates)


def _encoder_on(
    model: Any, base: EncoderBase, dev_pool: Pool, candidates: Sequence[Ints], context: Context
) -> float:
    """nDCG@10 of candidates in an encoder's order; texts are read at the length that the row reads them at."""
    shortened, model.max_seq_length = model.max_seq_length, base.encoder.resolved["max_length"]
    try:
        rows = np.unique(np.concatenate(list(candidates)))
        batch = max(1, batch_tokens(context, model.device.type) // length_of(model, "document"))
        encode = partial(vectors_by_library, normalise=base.cosine, batch=batch)
        texts = dev_pool.view.corpus.texts_of(rows)[:]
        documents = encode(model, texts, InputFormat(base.prompts["document"], "document"))
        queries = encode(model, dev_pool.split.queries.texts, InputFormat(base.prompts["query"], "query"))
    finally:
        model.max_seq_length = shortened
    scores = [documents[np.searchsorted(rows, own)] @ query for own, query in zip(candidates, queries, strict=True)]
    return dev_pool.measure(zip(candidates, scores, strict=True))
