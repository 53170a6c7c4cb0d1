"""The inverted index against a loop over all documents and terms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cache.ragged import Ragged
from harness.data.ranking import Floats
from harness.lexical.impacts import ImpactIndex, product, pruned, unit

Weights = dict[int, float]
vectors = st.dictionaries(st.integers(0, 30), st.floats(0.03125, 8, width=32), max_size=10)


def packed(weights: Weights) -> Floats:
    return np.array(sorted(weights.items()), dtype=np.float32).reshape(-1, 2)


def slow(document: Weights, query: Weights) -> float:
    total = 0.0
    for term in sorted(query):
        if term in document:
            total += query[term] * document[term]
    return float(np.float32(total))


@given(st.lists(vectors, max_size=12), vectors, st.integers(1, 5))
def test_scores_are_inner_products_of_the_documents_that_share_a_term(
    documents: list[Weights], query: Weights, block: int
) -> None:
    blocks = [documents[i : i + block] for i in range(0, len(documents), block)]
    index = ImpactIndex(Ragged.of([packed(d) for d in some], 2) for some in blocks)
    rows, scores = index.scores(packed(query))
    assert rows.tolist() == [i for i, d in enumerate(documents) if d.keys() & query.keys()]
    for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
        assert score == slow(documents[row], query)
        assert score == product(packed(documents[row]), packed(query))


def test_the_size_is_that_of_the_postings() -> None:
    index = ImpactIndex([Ragged.of([packed({3: 1.0, 9: 2.0}), packed({}), packed({3: 0.5})], 2)])
    assert index.nbytes == 3 * 4 + 3 * 4 + 11 * 4  # weights, rows, where each of the ten terms begins


def test_a_term_that_no_document_holds_is_passed_over() -> None:
    index = ImpactIndex([Ragged.of([packed({3: 1.0})], 2)])
    rows, scores = index.scores(packed({3: 2.0, 4: 1.0, 250_001: 7.0}))
    assert (rows.tolist(), scores.tolist()) == ([0], [2.0])
    assert product(packed({3: 1.0}), packed({4: 1.0})) == 0


@given(vectors, st.one_of(st.none(), st.integers(1, 12)))
def test_pruning_keeps_the_terms_that_weigh_most(weights: Weights, terms: int | None) -> None:
    kept = sorted(sorted(weights, key=lambda t: (-weights[t], t))[:terms])
    assert pruned(packed(weights), terms).tolist() == packed({t: weights[t] for t in kept}).tolist()


@given(vectors)
def test_a_unit_vector_has_the_same_terms_and_the_length_one(weights: Weights) -> None:
    found = unit(packed(weights))
    assert found[:, 0].tolist() == sorted(weights)
    assert np.linalg.norm(found[:, 1]) == pytest.approx(1.0 if weights else 0.0, abs=1e-6)
