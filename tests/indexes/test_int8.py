"""8-bit codes against sentence-transformers' own, and what they find."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes.int8 import Int8, coded, ranges
from harness.runtime.context import Context
from tests.indexes.conftest import Held, clustered

Topics = tuple[Floats, Floats]


def test_the_codes_are_those_of_sentence_transformers() -> None:
    from sentence_transformers.util import quantize_embeddings

    vectors = clustered(9000, 24)  # more than a block
    low, step = ranges(Held(vectors))
    theirs = quantize_embeddings(vectors, precision="int8", calibration_embeddings=vectors)
    ours = coded(vectors, low, step)
    assert ours.dtype == theirs.dtype == np.int8
    assert np.array_equal(ours, theirs)


def test_a_value_is_off_by_less_than_a_step_and_a_dimension_without_a_range_is_no_error() -> None:
    vectors = clustered(500, 8)
    vectors[:, 3] = 0.25
    low, step = ranges(Held(vectors))
    assert step[3] == 0
    value = low + (coded(vectors, low, step).astype(np.float64) + 128) * step
    assert (np.abs(value - vectors) <= step * 1.001 + 1e-7).all()


def test_codes_alone_find_nearly_all_and_rescored_they_rank_as_exact_does(
    topics: Topics, recalled: Callable[..., float], ranks_as_exact: Callable[..., bool]
) -> None:
    assert recalled(Int8(rescore=1), *topics, 10) >= 0.97
    assert ranks_as_exact(Int8(), *topics, 10)


def test_lengths_count_where_they_differ(recalled: Callable[..., float]) -> None:
    rng = np.random.default_rng(3)
    vectors = clustered(1000, 32) * rng.gamma(2.0, 1.0, (1000, 1)).astype(np.float32)
    assert recalled(Int8(), vectors, clustered(30, 32, seed=1), 10) >= 0.99


def test_its_size_is_a_byte_a_value_and_the_ranges_and_it_is_read_by_blocks(
    context: Context, corpus_of: Callable[[int], Corpus]
) -> None:
    vectors = Held(clustered(10_000, 16))
    assert Int8().build(vectors, corpus_of(10_000).id_order, context).nbytes == 10_000 * 16 + 2 * 4 * 16
    assert vectors.largest <= 8192


def test_rescoring_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="int8: rescore must be 1 or more, not 0"):
        Int8(rescore=0)
