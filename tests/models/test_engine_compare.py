from __future__ import annotations

import numpy as np
import pytest

from harness.data.ranking import Floats
from harness.models.engine_compare import SampleOutputs, compare
from harness.models.engine_settings import REFERENCE

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((60, 16)).astype(np.float32)
QUERIES = 10


def of(vectors: Floats, *, lengths: bool = False) -> SampleOutputs:
    return SampleOutputs(vectors[:QUERIES] @ vectors[QUERIES:].T, vectors, lengths)


def test_the_same_answers_change_nothing() -> None:
    trial = compare(REFERENCE, of(VECTORS), of(VECTORS), 1e-12)
    assert (trial.verdict, trial.overlap) == ("taken", 1.0)
    assert trial.change is not None
    assert trial.change < 1e-12


def test_the_change_is_the_largest_of_a_cosine_from_one() -> None:
    turned = VECTORS.copy()
    turned[3] = np.roll(turned[3], 1)
    one, other = VECTORS[3].astype(float), turned[3].astype(float)
    trial = compare(REFERENCE, of(turned), of(VECTORS), 0.5)
    assert trial.change == pytest.approx(1 - one @ other / np.linalg.norm(one) / np.linalg.norm(other), rel=1e-2)
    assert trial.verdict == "refused"


def test_lengths_count_where_dot_products_rank_and_not_where_cosines_do() -> None:
    longer = VECTORS.copy()
    longer[20] *= 1.001
    assert compare(REFERENCE, of(longer, lengths=True), of(VECTORS, lengths=True), 1e-2).change == pytest.approx(
        1e-3, rel=0.01
    )
    change = compare(REFERENCE, of(longer), of(VECTORS), 1e-2).change
    assert change is not None
    assert change < 1e-9


def test_scores_of_pairs_are_compared_in_standard_deviations() -> None:
    scores = RNG.standard_normal((6, 10)).astype(np.float32)
    moved = scores.copy()
    moved[2, 3] += 0.5
    assert compare(REFERENCE, SampleOutputs(moved), SampleOutputs(scores), 1.0).change == pytest.approx(
        0.5 / scores.std(), rel=0.01
    )


def test_the_overlap_is_the_share_of_the_ten_best_that_stays() -> None:
    scores = np.tile(np.arange(40, dtype=np.float32), (2, 1))
    other = scores.copy()
    other[0, :3] += 100  # three of the worst documents of one query come first
    trial = compare(REFERENCE, SampleOutputs(other), SampleOutputs(scores), 1e9)
    assert trial.overlap == pytest.approx((7 + 10) / 20)
    assert trial.verdict == "refused"


def test_documents_that_tie_with_the_last_of_the_best_do_not_count_as_lost() -> None:
    scores = np.ones((1, 40), np.float32)
    assert (
        compare(
            REFERENCE, SampleOutputs(scores[:, ::-1] + np.linspace(0, 1e-7, 40)), SampleOutputs(scores), 1.0
        ).overlap
        == 1.0
    )


def test_what_is_no_number_is_refused() -> None:
    broken = VECTORS.copy()
    broken[5, 5] = np.nan
    assert compare(REFERENCE, of(broken), of(VECTORS), 1.0).verdict == "refused"
