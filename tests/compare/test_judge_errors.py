"""What was measured of the judge's errors: the file, the bounds, and which pair gets which."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compare.judge_errors import Bounds, bounds, favours, measured, nearest, orders
from harness.statistics.judge_error import bound


def test_the_bounds_are_of_the_measured_collections() -> None:
    every = measured()["judges"]["panel"]
    found = bounds(["panel"])
    assert found.collections == len(every) >= 3
    assert found.shared == bound([own["largest_wrong"]["shared"] for own in every.values()])
    assert found.shared >= max(own["largest_wrong"]["shared"] for own in every.values())
    first = next(iter(every))
    assert bounds(["panel"], first).collections == len(every) - 1


def test_a_judge_that_was_not_measured_has_the_largest_bound_of_all() -> None:
    every = [bounds([judge]) for judge in measured()["judges"]]
    assert len(every) > 1
    found = bounds(["chat"])
    assert found.shared == max(own.shared for own in every) == bounds(["panel", "dense"]).shared
    assert found.of([False, False], ["chat"])[0, 1] == max(found.shared, found.apart)
    assert nearest(["dense"]) == "dense"
    assert nearest(["chat"]) == nearest(["panel", "dense"]) == "panel"


def test_no_measured_difference_had_the_wrong_sign() -> None:
    """The table leaves each collection's own judgements out of its widths."""
    for collections in measured()["judges"].values():
        assert sum(own["wrong"] for own in collections.values()) == 0


def test_pairs_without_the_judges_model_have_their_own_bound() -> None:
    own = Bounds(1.5, 0.5, "dense", 3)
    assert own.of([False, True, False], ["dense"]).tolist() == [[0, 1.5, 0.5], [1.5, 0, 1.5], [0.5, 1.5, 0]]


def test_a_judge_that_was_not_measured_has_the_larger_bound_and_a_small_share_a_small_one() -> None:
    own = Bounds(1.5, 0.5, "dense", 3)
    assert own.of([False, False], ["chat"])[0, 1] == 1.5
    assert own.of([False, False], ["chat", "dense"])[0, 1] == 1.5
    assert own.of([False, True], ["dense"], 0.1)[0, 1] == pytest.approx(0.15)
    assert np.diag(own.of([True, True], ["dense"])).tolist() == [0, 0]


def test_it_is_said_in_words() -> None:
    for judge, collections in measured()["judges"].items():
        assert f"Measured on {len(collections)} collections" in orders([judge])
        assert f"judged by {judge}" in orders([judge])
        assert "on the other collections, 0 of" in orders([judge])
        assert "rows with the judge's model" in favours([judge])
