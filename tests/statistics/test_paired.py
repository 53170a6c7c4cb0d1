"""Pairing by query id, and what describes the differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import ComparisonError
from harness.statistics.paired import paired

VALUES = st.dictionaries(st.text(max_size=3), st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


def test_values_are_paired_by_id_whatever_their_order() -> None:
    found = paired({"b": 0.5, "a": 1.0, "c": 0.0}, {"c": 0.25, "b": 0.5, "a": 0.0})
    assert found.ids == ("a", "b", "c")
    assert found.differences.tolist() == [1.0, 0.0, -0.25]
    assert found.mean == pytest.approx(0.25)
    assert found.wins_ties_losses == (1, 1, 1)
    assert found.deviation == pytest.approx(np.std([1.0, 0.0, -0.25], ddof=1))
    assert found.effect == pytest.approx(0.25 / np.std([1.0, 0.0, -0.25], ddof=1))


@given(VALUES)
def test_the_other_way_round_all_is_reversed(values: dict[str, tuple[float, float]]) -> None:
    one, other = ({q: v[side] for q, v in values.items()} for side in (0, 1))
    here, back = paired(one, other), paired(other, one)
    assert back.mean == pytest.approx(-here.mean)
    assert back.deviation == pytest.approx(here.deviation)
    assert back.wins_ties_losses == here.wins_ties_losses[::-1]
    assert back.effect == pytest.approx(-here.effect)


def test_other_queries_are_an_error_that_names_them() -> None:
    with pytest.raises(
        ComparisonError, match=r"bm25 and dense are not of the same queries: 2 only of bm25 \(as q1, q3\) and 1 only"
    ):
        paired({"q1": 1, "q2": 1, "q3": 1}, {"q2": 1, "q9": 1}, ("bm25", "dense"))


def test_no_queries_are_an_error() -> None:
    with pytest.raises(ComparisonError, match="nothing to compare"):
        paired({}, {})


def test_differences_that_do_not_vary() -> None:
    assert paired({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}).effect == 0
    assert paired({"a": 0.5, "b": 0.5}, {"a": 0.25, "b": 0.25}).effect == math.inf
    assert paired({"a": 0.25}, {"a": 0.5}).effect == -math.inf
    assert paired({"a": 0.25}, {"a": 0.5}).deviation == 0


def test_rounding_is_no_difference() -> None:
    assert paired({"a": 0.1 + 0.2}, {"a": 0.3}).wins_ties_losses == (0, 1, 0)
