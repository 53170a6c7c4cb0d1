"""Bits against sentence-transformers' own, distances against a loop, and what they find."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes import _codes, inner
from harness.indexes.binary import Binary, bits
from harness.runtime.context import Context
from tests.indexes.conftest import Held, clustered

Topics = tuple[Floats, Floats]


def test_the_bits_are_those_of_sentence_transformers() -> None:
    from sentence_transformers.util import quantize_embeddings

    vectors = clustered(200, 40)
    vectors[:5, :3] = 0.0
    assert np.array_equal(bits(vectors), quantize_embeddings(vectors, precision="ubinary"))


@pytest.mark.parametrize("dimension", [1, 7, 64, 100])
def test_the_nearest_by_hamming_distance_are_rescored_and_no_others(
    dimension: int, context: Context, corpus_of: Callable[[int], Corpus]
) -> None:
    rng = np.random.default_rng(dimension)
    vectors, queries = (rng.standard_normal((n, dimension)).astype(np.float32) for n in (300, 6))
    order = corpus_of(300).id_order
    top = Binary(rescore=3).build(Held(vectors), order, context).search(queries, 5)
    for query, (rows, _) in zip(queries, top.rows(), strict=True):
        distance = [sum((v > 0) != (q > 0) for v, q in zip(vector, query, strict=True)) for vector in vectors]
        near = sorted(range(300), key=lambda row: (distance[row], order[row]))[:15]
        scores = dict(zip(near, inner(vectors[near], query).tolist(), strict=True))
        assert rows.tolist() == sorted(near, key=lambda row: (-scores[row], order[row]))[:5]


def test_with_everything_rescored_it_ranks_as_exact_does(topics: Topics, ranks_as_exact: Callable[..., bool]) -> None:
    assert ranks_as_exact(Binary(rescore=150), *topics, 10)


def test_rescoring_more_finds_more(topics: Topics, recalled: Callable[..., float]) -> None:
    found = [recalled(Binary(rescore=n), *topics, 10) for n in (1, 4, 16)]
    assert found[0] < found[1] < found[2]


def test_queries_are_cut_to_bound_the_distances_held(
    topics: Topics, ranks_as_exact: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_codes, "SCORES_BYTES", 4 * 1500 * 3)  # three queries at a time
    assert ranks_as_exact(Binary(rescore=150), *topics, 10)


def test_its_size_is_a_bit_a_value_and_it_is_read_by_blocks(
    context: Context, corpus_of: Callable[[int], Corpus]
) -> None:
    vectors = Held(clustered(10_000, 128))
    assert Binary().build(vectors, corpus_of(10_000).id_order, context).nbytes == 10_000 * 128 // 8
    assert vectors.largest <= 8192


def test_rescoring_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="binary: rescore must be 1 or more, not 0"):
        Binary(rescore=0)
