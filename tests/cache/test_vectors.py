"""Kept vectors are the ones that were made, whatever happens to the files between."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cache.shards import text_keys
from harness.cache.vectors import StoredVectors, VectorStore
from tests.cache.vector_stores import got, keep, open_store, vectors_of


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    return open_store(tmp_path)


def test_vectors_come_back_bit_for_bit_in_the_order_asked(store: VectorStore, tmp_path: Path) -> None:
    keep(store, "a", "b", "c")
    keep(store, "d", "e")
    for held in (store.read(), open_store(tmp_path).read()):
        assert len(held) == 5
        for texts in (["a", "b", "c", "d", "e"], ["e", "a", "e", "c"], ["d"], []):
            assert got(held, texts).tobytes() == vectors_of(texts).tobytes()


def test_special_numbers_survive(store: VectorStore) -> None:
    values = np.array([[0.0, -0.0, 1e-45, 3.4e38]], np.float32)
    store.write(text_keys(["a"]), values, 0.0)
    assert got(store.read(), ["a"]).tobytes() == values.tobytes()


def test_vectors_need_not_lie_in_one_piece(store: VectorStore) -> None:
    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    store.write(text_keys("abc"), whole.T[:3], 0.0)
    assert got(store.read(), ["a", "b", "c"]).tolist() == whole.T[:3].tolist()


def test_stored_vectors_are_read_by_block_and_by_row(store: VectorStore) -> None:
    keep(store, "a", "b", "c")
    keep(store, "d", "e")
    texts = ["e", "d", "c", "b", "a", "e"]
    held = store.read()
    stored = store.at(held, held.locate(text_keys(texts)))
    expected = vectors_of(texts)
    assert (len(stored), stored.dimension) == (6, 4)
    assert stored.block(0, 6).tolist() == expected.tolist()
    assert stored.block(2, 5).tolist() == expected[2:5].tolist()
    assert stored.take(np.array([5, 0, 0, 3])).tolist() == expected[[5, 0, 0, 3]].tolist()
    assert stored.block(3, 3).shape == (0, 4)


def test_no_vector_has_no_dimension(store: VectorStore) -> None:
    stored = store.at(store.read(), np.zeros(0, np.int64))
    assert (len(stored), stored.dimension, stored.block(0, 0).shape) == (0, 0, (0, 0))


@given(
    parts=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True), min_size=1, max_size=4),
    wanted=st.lists(st.integers(0, 30), min_size=1, max_size=40),
    size=st.integers(1, 9),
)
def test_pieces_are_all_vectors_once_in_the_order_of_the_disk(
    parts: list[list[int]], wanted: list[int], size: int
) -> None:
    """Whatever else the shards hold, wherever texts stand twice."""
    here = {number for part in parts for number in part}
    texts = [str(number) for number in wanted if number in here]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        for part in parts:
            keep(store, *map(str, part))
        held = store.read()
        stored = StoredVectors(held, held.locate(text_keys(texts)))
        whole = stored.block(0, len(texts))
        pieces = list(stored.pieces(size))
    assert sorted(row for rows, _ in pieces for row in rows.tolist()) == list(range(len(texts)))
    for rows, vectors in pieces:
        assert 0 < len(rows) <= size
        assert np.array_equal(vectors, whole[rows])


def test_a_piece_that_lies_end_to_end_is_not_copied(store: VectorStore) -> None:
    keep(store, "a", "b", "c", "d")
    held = store.read()
    stored = StoredVectors(held, held.locate(text_keys(["d", "c", "b"])))
    ((rows, vectors),) = stored.pieces(8)
    assert rows.tolist() == [2, 1, 0]
    assert np.shares_memory(vectors, held.shards[0].vectors)
    assert not any(
        np.shares_memory(piece, held.shards[0].vectors) for _, piece in StoredVectors(held, np.array([0, 2])).pieces(8)
    )
