from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.methods.bm25 import BM25
from harness.runtime.context import Context
from harness.training.labels import CANDIDATES, try_teacher
from harness.training.schedule import Schedule

Scored = Callable[..., Any]
CORPUS = Corpus.of([(f"{i:02}", "", f"text {i}") for i in range(30)])
VIEW = TrainView(CORPUS, dev=Labelled(Queries(["a", "b"], ["one", "two"]), {"a": {"05": 1, "06": 2}, "b": {"09": 1}}))


def good(text: str, row: int) -> float:
    return {("one", 6): 3.0, ("one", 5): 2.0, ("two", 9): 2.0}.get((text, row), -row)


def bad(text: str, row: int) -> float:
    return float(row)


@pytest.fixture
def first(scored: Scored) -> Any:
    """Finds the documents in their order."""
    return scored("first", lambda text, row: -row, reranks=False)


def slow(order: Callable[[str, int], float]) -> float:
    """nDCG@10 of the first 20 rows in the given order."""
    values = []
    for query, text in zip(["a", "b"], ["one", "two"], strict=True):
        assert VIEW.dev is not None
        ranking = sorted(range(CANDIDATES), key=lambda row: -order(text, row))
        grades = [VIEW.dev.qrels[query].get(f"{row:02}", 0) for row in ranking]
        best = sorted(grades, reverse=True)
        values.append(
            sum(g / np.log2(i + 2) for i, g in enumerate(grades[:10]))
            / sum(g / np.log2(i + 2) for i, g in enumerate(best))
        )
    return float(np.mean(values))


def test_a_better_teacher_gets_no_note(
    scored: Scored, first: Any, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    teacher, student = scored("good", good), scored("bad", bad)
    with caplog.at_level(logging.WARNING, "harness.training"):
        tested = try_teacher(teacher, student, [first], VIEW, Schedule(), context)
    assert tested.teacher == pytest.approx(slow(good), abs=1e-6) == 1.0
    assert tested.student == pytest.approx(slow(bad), abs=1e-6)
    assert tested.notes == ()
    assert not caplog.records
    assert tested.facts == {
        "teacher": str(teacher),
        "teacher_dev": tested.teacher,
        "student_dev": tested.student,
        "tested_on": 20,
    }


@pytest.mark.parametrize("student", [good, bad])
def test_a_teacher_that_is_no_better_is_noted_and_warned_of(
    scored: Scored, first: Any, context: Context, caplog: pytest.LogCaptureFixture, student: Callable[[str, int], float]
) -> None:
    teacher = scored("weak", bad)
    with caplog.at_level(logging.WARNING, "harness.training"):
        tested = try_teacher(teacher, scored("student", student), [first], VIEW, Schedule(), context)
    (note,) = tested.notes
    assert f"the teacher {teacher} orders the dev candidates no better than the student does before training" in note
    assert f"(nDCG@10 {slow(bad):.4f} against {slow(student):.4f}): expect its labels to harm" in note
    assert [record.getMessage() for record in caplog.records] == [note]
    assert tested.teacher is not None
    assert tested.teacher <= (tested.student or 0)


def test_without_dev_queries_the_teacher_is_not_tested_and_that_is_noted(
    scored: Scored, first: Any, context: Context
) -> None:
    teacher = scored("good", good)
    tested = try_teacher(teacher, scored("bad", bad), [first], TrainView(CORPUS), Schedule(), context)
    assert (tested.teacher, tested.student) == (None, None)
    assert tested.notes == (f"the teacher {teacher} could not be tested: the collection has no dev queries",)
    assert tested.facts == {"teacher": str(teacher), "teacher_dev": None, "student_dev": None}


def test_a_teacher_may_be_fitted_on_another_view(
    scored: Scored, first: Any, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher, student = scored("good", good), scored("bad", bad)
    seen = {}
    fit = type(teacher).fit
    monkeypatch.setattr(
        type(teacher), "fit", lambda self, view, context: (seen.update({str(self): view}), fit(self, view, context))[1]
    )
    other = TrainView(CORPUS, VIEW.dev)
    tested = try_teacher(teacher, student, [first], VIEW, Schedule(), context, other)
    assert seen[str(teacher)] is other
    assert seen[str(student)] is VIEW
    assert tested.notes == ()


def test_a_teacher_that_cannot_score_pairs_is_named(scored: Scored, first: Any, context: Context) -> None:
    with pytest.raises(ModelError, match="bm25 cannot score given pairs"):
        try_teacher(BM25(), scored("bad", bad), [first], VIEW, Schedule(), context)


def test_a_teacher_is_tested_without_the_documents_that_are_the_queries(scored: Scored, context: Context) -> None:
    dev = Labelled(Queries(["03"], ["three"]), {"03": {"04": 1}}, frozenset({"03"}))
    first = scored("first", lambda text, row: -abs(row - 3), reranks=False)
    teacher = scored("near", lambda text, row: -abs(row - 3.1))
    tested = try_teacher(teacher, scored("bad", bad), [first], TrainView(CORPUS, dev=dev), Schedule(), context)
    assert tested.teacher == 1.0
