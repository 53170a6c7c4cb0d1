"""FAISS's exact search against ours, which a full sort in fractions is held against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes import Index
from harness.runtime.context import Context
from tests.indexes.conftest import Held

Same = Callable[..., bool]


@pytest.fixture
def flat(index_of: Callable[..., Index]) -> Index:
    return index_of("flat")


@pytest.mark.parametrize("k", [1, 10, 700, 2000])
def test_it_ranks_as_exact_does_to_the_bit(
    flat: Index, topics: tuple[Floats, Floats], ranks_as_exact: Same, k: int
) -> None:
    assert ranks_as_exact(flat, *topics, k)


def test_more_vectors_that_tie_at_the_cut_than_are_asked_for_at_first(flat: Index, ranks_as_exact: Same) -> None:
    rng = np.random.default_rng(0)
    few = rng.standard_normal((4, 24)).astype(np.float32)
    vectors = few[rng.integers(4, size=900)]  # the ten best are ten of some 225 that tie
    assert ranks_as_exact(flat, vectors, rng.standard_normal((9, 24)).astype(np.float32), 10)
    assert ranks_as_exact(flat, np.zeros((300, 24), np.float32), vectors[:3], 10)


def test_vectors_that_its_rounding_cannot_tell_apart_are_ranked_by_the_true_products(
    flat: Index, ranks_as_exact: Same
) -> None:
    rng = np.random.default_rng(2)
    base = rng.standard_normal(384)
    vectors = np.tile((base / np.linalg.norm(base)).astype(np.float32), (400, 1))
    vectors[np.arange(400), rng.integers(0, 384, 400)] += (rng.integers(-3, 4, 400) * 2.0**-24).astype(np.float32)
    assert ranks_as_exact(flat, vectors, rng.standard_normal((20, 384)).astype(np.float32), 10)


def test_lengths_count_where_they_differ(flat: Index, ranks_as_exact: Same) -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((500, 8)).astype(np.float32) * rng.gamma(1.0, 50.0, (500, 1)).astype(np.float32)
    assert ranks_as_exact(flat, vectors, rng.standard_normal((9, 8)).astype(np.float32), 20)


def test_its_size_is_that_of_the_vectors_and_nothing_is_kept(
    flat: Index, context: Context, corpus_of: Callable[[int], Corpus], kept: Callable[[], set[str]]
) -> None:
    built = flat.build(Held(np.ones((10, 6), np.float32)), corpus_of(10).id_order, context)
    assert built.nbytes == 240
    assert kept() == set()
