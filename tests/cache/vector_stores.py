"""A store of small vectors for the tests of shards, stores and vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.cache.folders import Cache
from harness.cache.shards import ShardSet, text_keys
from harness.cache.vectors import StoredVectors, VectorStore
from harness.data.ranking import Floats


def open_store(tmp_path: Path) -> VectorStore:
    return VectorStore(Cache(tmp_path / "cache"), "embeddings", "abc", {"model": "tiny"})


def vectors_of(texts: list[str], dimension: int = 4) -> Floats:
    """A vector per text that depends on the text alone."""
    rows = [
        np.random.default_rng(list(text.encode("utf-8", "surrogatepass"))).standard_normal(dimension) for text in texts
    ]
    return np.array(rows, np.float32).reshape(len(texts), dimension)


def keep(store: VectorStore, *texts: str, seconds: float = 1.0) -> None:
    store.write(text_keys(texts), vectors_of(list(texts)), seconds)


def got(held: ShardSet[Floats], texts: list[str]) -> Floats:
    places = held.locate(text_keys(texts))
    assert (places >= 0).all()
    return StoredVectors(held, places).gather(places)
