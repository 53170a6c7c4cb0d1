"""Shards as one array: keys of texts, places, shares of the time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from tests.cache.vector_stores import keep, open_store


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    return open_store(tmp_path)


@given(st.lists(st.text(st.characters(codec=None))))
@example(["\ud800", "\ud801", "?", "\ufffd"])
def test_texts_have_one_key_each(texts: list[str]) -> None:
    keys = text_keys(texts).to_pylist()
    assert len(set(keys)) == len(set(texts))
    assert all(len(key) == 16 for key in keys)
    assert text_keys(iter(texts)).to_pylist() == keys


def test_a_key_is_the_start_of_sha256_on_every_machine() -> None:
    assert text_keys(["abc"]).to_pylist()[0].hex() == "ba7816bf8f01cfea414140de5dae2223"


def test_what_is_not_kept_has_no_place(store: VectorStore) -> None:
    assert store.read().locate(text_keys(["a"])).tolist() == [-1]
    keep(store, "a")
    assert store.read().locate(text_keys(["x", "a", "y"])).tolist() == [-1, 0, -1]
    assert store.read().locate(text_keys([])).tolist() == []


def test_the_time_that_vectors_took_is_shared_out(store: VectorStore) -> None:
    keep(store, "a", "b", "c", "d", seconds=8.0)
    keep(store, "e", seconds=3.0)
    held = store.read()
    assert held.seconds(held.locate(text_keys(["a"]))).sum() == 2.0
    assert held.seconds(held.locate(text_keys(["a", "e", "b"]))).sum() == 7.0
    assert held.seconds(np.zeros(0, np.int64)).sum() == 0.0
    assert store.read().seconds(np.zeros(0, np.int64)).sum() == 0.0
