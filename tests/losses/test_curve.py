from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.losses._curve import POINTS, curve


@pytest.mark.parametrize("batches", [0, 1, POINTS, POINTS + 1, 5 * POINTS + 3])
def test_a_point_is_the_mean_of_a_span_and_the_spans_cover_all_batches(batches: int) -> None:
    values = np.random.default_rng(0).random(batches).astype(np.float32)
    found = curve()
    for value in values:
        found.add(float(value))
    start = 0
    for end, mean in found.points():
        assert mean == pytest.approx(values[start : int(end)].mean(), abs=1e-3)
        start = int(end)
    assert start == batches
    assert len(found.points()) <= POINTS


def test_it_goes_on_from_a_checkpoint() -> None:
    one, two = curve(), curve()
    for _ in range(100):
        one.add(1.0)
    two.load_state_dict(one.state_dict())
    two.add(1.0)
    assert two.points()[-1] == [101, 1.0]


def test_a_batch_without_a_gradient_is_not_counted() -> None:
    found = curve()
    with torch.no_grad():
        found.add(0.5)
    assert found.points() == []
