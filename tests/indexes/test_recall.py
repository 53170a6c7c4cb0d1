"""Recall against a count by hand; a missing library against a broken one."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from harness.errors import Unavailable
from harness.indexes import INDEXES, recall
from harness.indexes._kept import BLOCK, fingerprint
from harness.ranking import TopK
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


def test_which_of_the_tied_is_found_does_not_matter_and_what_is_not_reached_counts() -> None:
    true = top([(1, 0.9), (2, 0.5)])
    assert recall(top([(1, 0.9), (7, 0.5)]), true, 2) == 1.0
    assert recall(top([(1, 0.9), END]), true, 2) == 0.5
    assert recall(top([END, END]), true, 2) == 0.0


def test_where_there_are_fewer_than_k_all_of_them_are_to_be_found() -> None:
    true = top([(1, 0.9), (2, 0.5), END])
    assert recall(true, true, 3) == 1.0
    assert recall(top([(2, 0.5), END, END]), true, 3) == 0.5


def test_a_library_that_is_absent_is_unavailable_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("faiss", "lancedb"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in INDEXES.names():
        if name not in ("exact", "int8", "binary"):
            with pytest.raises(
                Unavailable, match=r'is not installed\. `pip install "retrieval-harness\[(faiss|lancedb)\]"` installs it'
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
