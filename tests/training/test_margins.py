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
from harness.methods.dense import Dense
from harness.runtime.context import Context
from harness.training.margins import margin_loss, margins, spread_ratio

Scored = Callable[..., Any]
RNG = random.Random(0)
TEXTS = ["one", "two", "three"]
PAIRS = [(0, 4), (0, 5), (2, 4), (1, 9), (2, 0)]
NEGATIVES = np.array([[7], [7], [1], [3], [59]], np.int64)


def test_margins_are_the_teachers_differences(view: TrainView, context: Context, scored: Scored) -> None:
    teaches = {(t, r): RNG.uniform(-9, 9) for t in TEXTS for r in range(60)}
    knows = {(t, r): RNG.uniform(-1, 1) for t in TEXTS for r in range(60)}
    teacher, student = scored("teacher", lambda t, r: teaches[t, r]), scored("student", lambda t, r: knows[t, r])
    found = margins(teacher, student, TEXTS, PAIRS, NEGATIVES, view, context)
    expected, own = (
        [table[TEXTS[q], row] - table[TEXTS[q], int(NEGATIVES[i, 0])] for i, (q, row) in enumerate(PAIRS)]
        for table in (teaches, knows)
    )
    assert found.values.tolist() == pytest.approx(expected, abs=1e-5)
    assert found.values.dtype == np.float32
    assert found.scale == pytest.approx(np.std(expected) / np.std(own), rel=1e-5)
    assert found.facts["false_negative_rate_by_teacher"] == round(sum(m < 0 for m in expected) / 5, 4)
    assert found.facts["margin_scale"] == round(found.scale, 4)


def test_a_real_student_and_a_teacher_that_is_itself_spread_alike(
    view: TrainView, context: Context, tiny_encoder: Any
) -> None:
    dense = Dense(model=str(tiny_encoder))
    assert margins(dense, dense, TEXTS, PAIRS, NEGATIVES, view, context).scale == 1.0


def test_a_teacher_that_cannot_score_pairs_is_named(view: TrainView, context: Context, scored: Scored) -> None:
    with pytest.raises(ModelError, match="bm25 cannot score given pairs"):
        margins(BM25(), scored("x", lambda t, r: 0.0), TEXTS, PAIRS, NEGATIVES, view, context)


@given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=20), st.floats(0.125, 8, width=32))
def test_the_ratio_of_a_thing_to_its_multiple_is_the_factor(values: list[float], factor: float) -> None:
    one = np.array(values, np.float32)
    if one.std() > 1e-3:
        assert spread_ratio(one * np.float32(factor), one) == pytest.approx(factor, rel=1e-3)
        assert spread_ratio(one + 3, one) == pytest.approx(1, rel=1e-2)


def test_no_spread_on_either_side_scales_by_one() -> None:
    flat, wide = np.ones(4, np.float32), np.arange(4, dtype=np.float32)
    assert spread_ratio(flat, wide) == spread_ratio(wide, flat) == spread_ratio(flat, flat) == 1.0


@pytest.mark.parametrize("cosine", [True, False])
@pytest.mark.parametrize("scale", [1.0, 7.5])
def test_the_loss_is_the_mean_square_of_what_the_scaled_margin_lacks(
    fresh: Callable[[], Any], scale: float, cosine: bool
) -> None:
    import torch

    base = types.SimpleNamespace(cosine=cosine)
    model = fresh()
    columns = [["bado kelo", "x"], ["mira tu", "longer text here"], ["ne", "pi lo"]]
    wanted = torch.tensor([2.0, -1.5])
    with torch.no_grad():
        value = float(margin_loss(scale, base)(model)([model.preprocess(c) for c in columns], wanted))
    q, p, n = (model.encode(c, normalize_embeddings=cosine) for c in columns)
    slow = [(scale * float(q[i] @ p[i]) - scale * float(q[i] @ n[i]) - float(wanted[i])) ** 2 for i in range(2)]
    assert value == pytest.approx(sum(slow) / 2, rel=1e-4)
