from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from harness.base.errors import CacheError
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.data.ranking import Ints
from harness.models.read_or_fill import read_or_fill
from harness.runtime.context import Context

TEXTS = ["one", "two", "three"]


@pytest.fixture
def store(context: Context) -> VectorStore:
    return VectorStore(context.cache, "embeddings", "k", {})


def test_what_is_missing_is_filled_once_and_read_back_in_order(store: VectorStore, context: Context) -> None:
    missing: list[int] = []

    def fill(keys: pa.Array, places: Ints) -> int:
        rows = np.flatnonzero(places < 0)
        missing.append(len(rows))
        store.write(keys.take(pa.array(rows)), np.array([[len(TEXTS[i])] for i in rows], np.float32), 0.1)
        return len(rows)

    for texts in (TEXTS[:2], TEXTS, TEXTS):
        found = read_or_fill(texts, text_keys, fill, store, context)
        assert found.block(0, len(found))[:, 0].tolist() == [len(text) for text in texts]
    assert missing == [2, 1]


def test_no_items_are_no_vectors(store: VectorStore, context: Context) -> None:
    assert len(read_or_fill([], text_keys, lambda keys, places: pytest.fail("filled"), store, context)) == 0


def test_shards_that_vanish_while_they_are_read_are_a_cache_error(store: VectorStore, context: Context) -> None:
    with pytest.raises(CacheError, match="vanished"):
        read_or_fill(TEXTS, text_keys, lambda keys, places: 3, store, context)
