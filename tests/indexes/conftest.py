"""Vectors for the indexes of the room, and the way to one whose library may be absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from harness.base.errors import Unavailable
from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes import INDEXES, Index, recall
from harness.indexes.exact import Exact
from harness.runtime.context import Context


class Held:
    """Vectors in memory that note the largest piece that is read."""

    def __init__(self, array: Floats) -> None:
        self.array = array
        self.largest = 0

    def __len__(self) -> int:
        return len(self.array)

    @property
    def dimension(self) -> int:
        return self.array.shape[1]

    def block(self, start: int, stop: int) -> Floats:
        self.largest = max(self.largest, stop - start)
        return self.array[start:stop].copy()

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        self.largest = max(self.largest, len(rows))
        return self.array[rows]


@pytest.fixture
def index_of() -> Callable[..., Index]:
    """`index_of("hnsw", m=8)`; skips by name where the library is absent."""

    def one(name: str, **settings: Any) -> Index:
        index = INDEXES.get(name)(**settings)
        try:
            index.versions()
        except Unavailable as error:
            pytest.skip(f"{name}: {error}")
        return index

    return one


def clustered(n: int, dimension: int, seed: int = 0, clusters: int = 0) -> Floats:
    """(n, D) vectors of length 1 around √n centres: as texts lie, by topic."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((clusters or round(n**0.5), dimension))
    vectors = centres[rng.integers(len(centres), size=n)] + 0.7 * rng.standard_normal((n, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def topics() -> tuple[Floats, Floats]:
    """(1500, 64) vectors and (50, 64) queries around the same centres."""
    return clustered(1500, 64, clusters=40), clustered(50, 64, seed=1, clusters=40)


@pytest.fixture
def corpus_of() -> Callable[[int], Corpus]:
    """A corpus of so many documents, ids not in the order of the rows."""
    return lambda n: Corpus.of([(f"d{(i * 7919) % 100_003:06}", "", "") for i in range(n)])


@pytest.fixture
def ranks_as_exact(corpus_of: Callable[[int], Corpus], context: Context) -> Callable[..., bool]:
    """`ranks_as_exact(index, vectors, queries, k)`: the same rows and scores, to the bit."""

    def one(index: Index, vectors: Floats, queries: Floats, k: int) -> bool:
        order = corpus_of(len(vectors)).id_order
        found = index.build(Held(vectors), order, context).search(queries, k)
        true = Exact().build(Held(vectors), order).search(queries, k)
        return found.indices.tolist() == true.indices.tolist() and found.scores.tolist() == true.scores.tolist()

    return one


@pytest.fixture
def recalled(corpus_of: Callable[[int], Corpus], context: Context) -> Callable[..., float]:
    """`recalled(index, vectors, queries, k)`: the share of the k nearest that it finds."""

    def one(index: Index, vectors: Floats, queries: Floats, k: int) -> float:
        order = corpus_of(len(vectors)).id_order
        true = Exact().build(Held(vectors), order).search(queries, k)
        return recall(index.build(Held(vectors), order, context).search(queries, k), true, k)

    return one


@pytest.fixture
def kept(context: Context) -> Callable[[], set[str]]:
    """The indexes in the cache."""
    return lambda: {path.name for path in context.cache.root.glob("indexes/*")}
