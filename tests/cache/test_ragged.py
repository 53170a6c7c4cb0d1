"""Kept matrices: what is written comes back, in any order, from any number of shards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cache import shard_store as module
from harness.cache.ragged import Ragged, RaggedStore
from harness.cache.shards import text_keys
from harness.data.ranking import Floats
from harness.runtime.context import Context


def matrix(text: str, width: int = 3) -> Floats:
    """As many rows as the text has characters."""
    return np.random.default_rng(list(text.encode())).standard_normal((len(text), width)).astype(np.float32)


def of(texts: Sequence[str]) -> Ragged:
    return Ragged.of([matrix(t) for t in texts], 3)


@pytest.fixture
def store(context: Context) -> RaggedStore:
    return RaggedStore(context.cache, "sparse", "k", {})


def keep(store: RaggedStore, *texts: str) -> None:
    store.write(text_keys(texts), of(texts), 1.0)


@given(st.lists(st.text("ab", max_size=5), max_size=8), st.data())
def test_matrices_lie_end_to_end_and_are_taken_in_any_order(texts: list[str], data: st.DataObject) -> None:
    held = of(texts)
    assert len(held) == len(texts)
    assert held.lengths.tolist() == [len(t) for t in texts]
    assert held.width == 3
    for i, text in enumerate(texts):
        assert held[i].tolist() == matrix(text).tolist()
    order = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=6)) if texts else []
    taken = held.take(np.array(order, dtype=np.int64))
    assert [taken[i].tolist() for i in range(len(taken))] == [matrix(texts[i]).tolist() for i in order]


def test_what_is_kept_in_several_shards_is_read_by_block_and_by_row(store: RaggedStore) -> None:
    keep(store, "a", "bb", "")
    keep(store, "dddd", "eee")
    texts = ["eee", "", "dddd", "bb", "a", "eee", ""]
    held = store.read()
    stored = store.at(held, held.locate(text_keys(texts)))
    assert (len(stored), stored.width) == (7, 3)
    assert stored.lengths.tolist() == [len(t) for t in texts]
    for got, expected in (
        (stored.block(0, 7), texts),
        (stored.block(2, 5), texts[2:5]),
        (stored.block(3, 3), []),
        (stored.take(np.array([6, 0, 0, 3])), ["", "eee", "eee", "bb"]),
    ):
        assert len(got) == len(expected)
        assert [got[i].tolist() for i in range(len(got))] == [matrix(t).tolist() for t in expected]


def test_merged_shards_hold_the_same_and_the_seconds_of_all(
    store: RaggedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [chr(97 + i) + "x" * (i % 4) for i in range(12)]
    for text in texts:
        keep(store, text)
    store.merge()
    held = store.read()
    assert len(held.shards) == 1
    assert held.shards[0].seconds == 12
    stored = store.at(held, held.locate(text_keys(texts)))
    assert [stored.block(i, i + 1)[0].tolist() for i in range(12)] == [matrix(t).tolist() for t in texts]
    monkeypatch.setattr(module, "MERGED_BYTES", 1)
    for text in ("p", "q", "r"):
        keep(store, text)
    store.merge(most=1)
    assert len(store.read().shards) == 4, "large ones are left as they are"


def test_a_damaged_shard_is_set_aside(store: RaggedStore) -> None:
    keep(store, "abc")
    (shard,) = store.folder.glob("*.arrow")
    shard.write_bytes(shard.read_bytes()[:-20])
    held = store.read()
    assert held.locate(text_keys(["abc"])).tolist() == [-1]
    assert store.at(held, np.zeros(0, np.int64)).width == 0
    assert list(store.folder.glob("*.bad"))
