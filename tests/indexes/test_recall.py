"""Recall against a count by hand; a missing library against a broken one."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import Unavailable
from harness.data.corpus import Corpus
from harness.data.ranking import TopK
from harness.indexes import INDEXES, nearness, recall, share
from harness.indexes._stored import BLOCK, fingerprint
from harness.indexes.exact import Exact
from harness.runtime.context import Context
from tests.indexes.conftest import Held


def top(*rankings: list[tuple[int, float]]) -> TopK:
    return TopK(
        np.array([[row for row, _ in ranking] for ranking in rankings]),
        np.array([[score for _, score in ranking] for ranking in rankings], np.float32),
    )


END = (-1, -np.inf)


def test_recall_is_the_share_of_the_nearest_that_was_found() -> None:
    true = top([(1, 0.9), (2, 0.8), (3, 0.7)], [(4, 0.5), (5, 0.4), (6, 0.3)])
    found = top([(1, 0.9), (3, 0.7), (9, 0.1)], [(4, 0.5), (5, 0.4), (6, 0.3)])
    assert recall(found, true, 3) == pytest.approx((2 / 3 + 1) / 2)
    assert recall(found, true, 1) == 1.0
    assert recall(found, true, 2) == pytest.approx((1 / 2 + 1) / 2)


def test_a_tied_document_that_the_ranking_does_not_have_counts_as_near_and_not_as_found() -> None:
    true = top([(1, 0.9), (2, 0.5)])
    assert recall(top([(1, 0.9), (7, 0.5)]), true, 2) == 0.5
    assert nearness(top([(1, 0.9), (7, 0.5)]), true, 2) == 1.0
    for measure in (recall, nearness):
        assert measure(top([(1, 0.9), END]), true, 2) == 0.5
        assert measure(top([END, END]), true, 2) == 0.0
        assert measure(true, true, 2) == 1.0


def test_a_graph_that_reaches_few_of_seven_hundred_copies_does_not_find_all(
    corpus_of: Callable[[int], Corpus], context: Context
) -> None:
    """One page 700 times over: the documented order wants the ten highest ids among the copies."""
    pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((1000, 16)).astype(np.float32)
    vectors[rng.permutation(1000)[:700]] = vectors[0]
    query, order = vectors[:1].copy(), corpus_of(1000).id_order
    true = Exact().build(Held(vectors), order).search(query, 10)
    found = INDEXES.get("hnsw")().build(Held(vectors), order, context).search(query, 10)
    assert nearness(found, true, 10) == 1.0
    missed = set(true.indices[0].tolist()) - set(found.indices[0].tolist())
    assert missed
    assert recall(found, true, 10) == pytest.approx(1 - len(missed) / 10)


def test_a_share_is_one_only_where_nothing_is_lost() -> None:
    assert [share(value) for value in (1.0, 0.99999, 0.9999, 0.5, 2 / 3, 0.0)] == [
        1.0,
        0.9999,
        0.9999,
        0.5,
        0.6666,
        0.0,
    ]


def test_where_there_are_fewer_than_k_all_of_them_are_to_be_found() -> None:
    true = top([(1, 0.9), (2, 0.5), END])
    for measure in (recall, nearness):
        assert measure(true, true, 3) == 1.0
        assert measure(top([(2, 0.5), END, END]), true, 3) == 0.5


def test_a_library_that_is_absent_is_unavailable_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("faiss", "lancedb"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in INDEXES.names():
        if name not in ("exact", "int8", "binary"):
            with pytest.raises(
                Unavailable,
                match=r'is not installed\. `pip install "retrieval-harness\[(faiss|lancedb)\]"` installs it',
            ):
                INDEXES.get(name)().versions()
        else:
            assert INDEXES.get(name)().versions() == {}


def test_a_fingerprint_is_of_values_and_shape() -> None:
    vectors = np.arange(24, dtype=np.float32).reshape(6, 4)
    own = fingerprint(Held(vectors))
    assert len(own) == 32
    assert fingerprint(Held(np.asfortranarray(vectors))) == own
    assert fingerprint(Held(vectors.reshape(4, 6))) != own
    assert fingerprint(Held(vectors[::-1])) != own
    long = np.zeros((BLOCK + 5, 2), np.float32)
    last = long.copy()
    last[-1, -1] = 1e-30
    assert fingerprint(Held(long)) != fingerprint(Held(last))
