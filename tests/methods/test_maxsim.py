"""MaxSim over a corpus against three nested loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cache.ragged import Ragged
from harness.data.ranking import Floats, select
from harness.methods import _maxsim
from harness.methods._maxsim import MaxSimIndex, maxsim


def slow(document: Floats, query: Floats) -> float:
    total = 0.0
    for asked in query.tolist():
        best = -np.inf
        for said in document.tolist():
            best = max(best, sum(a * b for a, b in zip(asked, said, strict=True)))
        total += best
    return total


class Held:
    """Matrices that are read by block, as those on disk."""

    def __init__(self, matrices: list[Floats], width: int) -> None:
        self._held, self.width = Ragged.of(matrices, width), width

    def __len__(self) -> int:
        return len(self._held)

    @property
    def lengths(self) -> np.ndarray:
        return self._held.lengths

    def block(self, start: int, stop: int) -> Ragged:
        return self._held.take(np.arange(start, stop))

    def take(self, rows: np.ndarray) -> Ragged:
        return self._held.take(rows)


@pytest.mark.parametrize("block", [_maxsim.BLOCK_BYTES, 64, 1])
@pytest.mark.parametrize(("in_memory", "together"), [(True, _maxsim.QUERY_VECTORS), (False, 4), (False, 1)])
@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), documents=st.integers(0, 14), k=st.integers(1, 16))
def test_the_best_documents_are_those_of_the_loops(
    block: int, in_memory: bool, together: int, seed: int, documents: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    matrices = [rng.standard_normal((int(rng.integers(0, 6)), 4)).astype(np.float32) for _ in range(documents)]
    queries = [rng.standard_normal((n, 4)).astype(np.float32) for n in (3, 1, 0, 5)]
    order = rng.permutation(documents).astype(np.int32)
    rows = np.array([i for i, m in enumerate(matrices) if len(m)], dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_maxsim, "BLOCK_BYTES", block)
        patch.setattr(_maxsim, "QUERY_VECTORS", together)
        patch.setattr(_maxsim, "HELD_BYTES", 1 << 30 if in_memory else -1)
        top = MaxSimIndex(Held(matrices, 4), order).search(Ragged.of(queries, 4), k)
    for (found, scores), query in zip(top.rows(), queries, strict=True):
        expected = np.array([slow(matrices[i], query) for i in rows.tolist()], dtype=np.float64)
        best, values = select(rows, expected.astype(np.float32), order, k)
        assert found.tolist() == best.tolist()
        assert scores == pytest.approx(values, abs=1e-6)


def test_documents_of_the_same_vectors_tie_wherever_they_stand() -> None:
    rng = np.random.default_rng(0)
    own = rng.standard_normal((7, 48)).astype(np.float32)
    others = [rng.standard_normal((int(n), 48)).astype(np.float32) * 0.1 for n in rng.integers(1, 9, size=60)]
    matrices = [own if i % 11 == 3 else others[i] for i in range(60)]
    top = MaxSimIndex(Held(matrices, 48), np.arange(60, dtype=np.int32)).search(Ragged.of([own[:5]], 48), 8)
    same = [i for i in range(60) if i % 11 == 3]
    assert top.indices[0, : len(same)].tolist() == same
    assert len(set(top.scores[0, : len(same)].tolist())) == 1


def test_a_query_without_vectors_finds_everything_alike() -> None:
    assert maxsim(np.ones((2, 3), np.float32), np.zeros((0, 3), np.float32)) == 0
    index = MaxSimIndex(Held([np.ones((2, 3), np.float32)] * 3, 3), np.arange(3, dtype=np.int32))
    top = index.search(Ragged.of([np.zeros((0, 3), np.float32)], 3), 2)
    assert (top.indices.tolist(), top.scores.tolist()) == ([[0, 1]], [[0, 0]])
    assert index.search(Ragged.of([], 3), 2).indices.shape == (0, 2)


def test_the_size_is_that_of_the_vectors_and_of_where_they_begin() -> None:
    index = MaxSimIndex(
        Held([np.ones((2, 3), np.float32), np.ones((1, 3), np.float32)], 3), np.arange(2, dtype=np.int32)
    )
    assert index.nbytes == 3 * 3 * 4 + 3 * 8
