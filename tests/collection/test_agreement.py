"""Agreement of judges, against the formula by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.collection.agreement import FEW, agreement, agreements, disagreement
from harness.collection.labels import Label


def kappa(one: list[int], other: list[int]) -> float:
    """Cohen (1968): 1 − Σ w o / Σ w e, weights (i − j)²."""
    table = np.zeros((4, 4))
    for a, b in zip(one, other, strict=True):
        table[a, b] += 1 / len(one)
    weights = np.subtract.outer(np.arange(4), np.arange(4)) ** 2
    return 1 - (weights * table).sum() / (weights * np.outer(table.sum(1), table.sum(0))).sum()


def test_the_coefficient_is_that_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 4, 60).tolist(), rng.integers(0, 4, 60).tolist()
    other[:30] = one[:30]
    found = agreement("a", "b", one, other)
    assert found.kappa == pytest.approx(kappa(one, other))
    assert found.same == pytest.approx(np.mean(np.array(one) == np.array(other)))


def test_two_who_disagree_on_everything_and_two_who_never_differ() -> None:
    opposite = agreement("a", "b", [0, 3, 0, 3], [3, 0, 3, 0])
    assert (opposite.same, opposite.kappa) == (0, pytest.approx(-1))
    same = agreement("a", "b", [1, 1], [1, 1])
    assert math.isnan(same.kappa)
    assert "undefined" in str(same)


def test_only_common_pairs_count_and_the_last_label_of_a_judge() -> None:
    labels = [
        Label("q", "d", 0, "ann", "person"),
        Label("q", "d", 2, "ann", "person"),
        Label("q", "e", 2, "ann", "person"),
        Label("q", "d", 2, "dense", "machine"),
        Label("q", "x", 2, "bob", "person"),
    ]
    [found] = agreements(labels)
    assert (found.first, found.second, found.pairs, found.same) == ("ann", "dense", 1, 1.0)


def grades(judge: str, kind: str, *given: int) -> list[Label]:
    return [Label("q", f"d{place}", grade, judge, kind) for place, grade in enumerate(given)]  # type: ignore[arg-type]


def test_people_who_hardly_agree_are_named() -> None:
    ann = grades("ann", "person", *(0, 3) * FEW)
    said = disagreement(ann + grades("bob", "person", *(3, 0) * FEW))
    assert "ann and bob, kappa -1.00 on 20 pairs" in said
    assert "lower median" in said
    assert disagreement(ann + grades("bob", "person", *(0, 2) * FEW)) == ""
    assert disagreement(ann + grades("dense", "machine", *(3, 0) * FEW)) == ""
    assert disagreement(ann[:4] + grades("bob", "person", 3, 0, 3, 0)) == ""
