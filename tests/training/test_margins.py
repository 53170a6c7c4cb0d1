from __future__ import annotations

import random
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.methods.bm25 import BM25
from harness.runtime.context import Context
from harness.training.margins import fitted_line, margin_loss, scores_of

Scored = Callable[..., Any]
RNG = random.Random(0)
TEXTS = ["one", "two", "three"]
PAIRS = [(0, 4), (0, 5), (2, 4), (1, 9), (2, 0)]
NEGATIVES = np.array([[7], [7], [1], [3], [59]], np.int64)


def test_scores_are_those_of_each_query_with_each_of_its_documents(
    view: TrainView, context: Context, scored: Scored
) -> None:
    teaches = {(t, r): RNG.uniform(-9, 9) for t in TEXTS for r in range(60)}
    asked: list[tuple[str, int]] = []
    teacher = scored("teacher", lambda t, r: (asked.append((t, r)), teaches[t, r])[1])
    queries = np.array([query for query, _ in PAIRS])
    documents = np.column_stack([[row for _, row in PAIRS], NEGATIVES])
    found = scores_of(teacher, TEXTS, queries, documents, view, context, view)
    for i, (query, row) in enumerate(PAIRS):
        assert found[i].tolist() == pytest.approx([teaches[TEXTS[query], r] for r in (row, int(NEGATIVES[i, 0]))])
    assert found.dtype == np.float32
    assert len(asked) == len(set(asked))


def test_a_teacher_that_cannot_score_pairs_is_named(view: TrainView, context: Context) -> None:
    with pytest.raises(ModelError, match="bm25 cannot score given pairs"):
        scores_of(BM25(), TEXTS, np.array([0]), np.array([[1, 2]]), view, context, view)


@given(st.integers(0, 1000), st.floats(0.125, 8), st.floats(-3, 3))
def test_the_line_predicts_the_students_margins_best(seed: int, slope: float, intercept: float) -> None:
    rng = np.random.default_rng(seed)
    teacher = rng.normal(3.9, 2, 200)
    student = slope * teacher + intercept + rng.normal(0, 0.5, 200)
    line = fitted_line(teacher.astype(np.float32), student.astype(np.float32))
    assert (line.slope, line.intercept) == pytest.approx(np.polyfit(teacher, student, 1), rel=1e-3, abs=1e-3)
    assert line.correlation == pytest.approx(np.corrcoef(teacher, student)[0, 1], abs=1e-4)
    labels = line(teacher.astype(np.float32))
    assert labels.mean() == pytest.approx(student.mean(), abs=1e-3)  # deviations alone left the means 2.8 apart


def test_margins_that_disagree_or_have_no_spread_give_no_negative_slope() -> None:
    rising, flat = np.arange(5, dtype=np.float32), np.ones(5, np.float32)
    opposite = fitted_line(rising, -rising)
    assert opposite.slope == 0
    assert opposite(rising).tolist() == [-2.0] * 5
    assert "do not agree" in opposite.notes("gpl")[0]
    assert fitted_line(flat, rising).slope == 1
    assert fitted_line(rising, flat).slope == 0
    assert fitted_line(rising, rising).notes("gpl") == ()


@pytest.mark.parametrize("cosine", [True, False])
def test_the_loss_is_the_mean_square_of_what_the_scaled_margin_lacks(
    fresh: Callable[[], Any], cosine: bool
) -> None:
    import torch

    base: Any = types.SimpleNamespace(cosine=cosine)
    scale = 20.0 if cosine else 1.0
    model = fresh()
    columns = [["bado kelo", "x"], ["mira tu", "longer text here"], ["ne", "pi lo"]]
    wanted = torch.tensor([2.0, -1.5])
    with torch.no_grad():
        value = float(margin_loss(base)(model)([model.preprocess(c) for c in columns], wanted))
    q, p, n = (model.encode(c, normalize_embeddings=cosine) for c in columns)
    slow = [(scale * float(q[i] @ p[i]) - scale * float(q[i] @ n[i]) - float(wanted[i])) ** 2 for i in range(2)]
    assert value == pytest.approx(sum(slow) / 2, rel=1e-4)
