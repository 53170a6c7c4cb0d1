"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.cache.folders import Cache
from harness.choices.expression import parse
from harness.data.corpus import Corpus
from harness.data.ranking import Floats, TopK, select
from harness.indexes import INDEXES, Index, inner, recall
from harness.indexes.exact import Exact
from harness.rows import ROOMS
from harness.runtime.context import Context
from tests.indexes.conftest import Held

N, D = 500, 16
CORPUS = Corpus.of([(f"d{(7 * i) % N:03}", "", "") for i in range(N)])
RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((N, D), np.float32)
VECTORS[250:] = VECTORS[:250]  # every vector twice
QUERIES = RNG.standard_normal((20, D), np.float32)
LEAST = 0.9
"""Recall of the ten nearest that every index reaches by default on clustered vectors."""

Found = Callable[[Index, int], TopK]


@pytest.fixture(params=INDEXES.names())
def index(request: pytest.FixtureRequest, index_of: Callable[..., Index]) -> Index:
    return index_of(request.param)


@pytest.fixture
def found(context: Context) -> Found:
    return lambda index, k: index.build(Held(VECTORS), CORPUS.id_order, context).search(QUERIES, k)


def test_an_index_is_a_frozen_value_with_defaults_that_says_whether_it_is_exact(index: Index) -> None:
    assert parse(str(index), INDEXES, ROOMS) == index
    assert parse(index.full(), INDEXES, ROOMS) == index
    assert type(index).exact in (True, False)
    assert type(index).__dataclass_params__.frozen  # type: ignore[attr-defined]
    for field in dataclasses.fields(index):  # type: ignore[arg-type]
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(index, field.name, 1)


def test_it_says_which_versions_decide(index: Index) -> None:
    assert all(isinstance(version, str) and version for version in index.versions().values())


@pytest.mark.parametrize("k", [1, 10, N, N + 5])
def test_what_is_found_is_in_the_documented_order_each_once_with_true_scores(
    index: Index, k: int, found: Found
) -> None:
    top = found(index, k)
    assert top.indices.shape == (len(QUERIES), k)
    for query, (rows, scores) in zip(QUERIES, top.rows(), strict=True):
        assert len(set(rows.tolist())) == len(rows) <= min(k, N)
        assert len(rows) == min(k, N) or not type(index).exact
        assert scores.tolist() == inner(VECTORS[rows], query).tolist()
        assert rows.tolist() == select(rows, scores, CORPUS.id_order, k)[0].tolist()


def test_it_finds_most_of_the_ten_nearest(index: Index, found: Found) -> None:
    """Also where nothing clusters."""
    true = Exact().build(Held(VECTORS), CORPUS.id_order).search(QUERIES, 10)
    assert recall(found(index, 10), true, 10) >= 0.5
    assert all(len(rows) == 10 for rows, _ in found(index, 10).rows())


def test_on_clustered_vectors_it_finds_nearly_all(
    index: Index, topics: tuple[Floats, Floats], corpus_of: Callable[[int], Corpus], context: Context
) -> None:
    vectors, queries = topics
    order = corpus_of(len(vectors)).id_order
    true = Exact().build(Held(vectors), order).search(queries, 10)
    assert recall(index.build(Held(vectors), order, context).search(queries, 10), true, 10) >= LEAST


def test_equal_vectors_get_equal_scores(index: Index, found: Found) -> None:
    for rows, scores in found(index, N).rows():
        by_row = dict(zip(rows.tolist(), scores.tolist(), strict=True))
        pairs = [(row, row + 250) for row in range(250) if row in by_row and row + 250 in by_row]
        assert pairs
        assert all(by_row[row] == by_row[twin] for row, twin in pairs)


def test_an_exact_index_ranks_as_a_full_sort_does(index: Index, found: Found) -> None:
    if not type(index).exact:
        pytest.skip("it is approximate")
    for query, (rows, scores) in zip(QUERIES, found(index, 10).rows(), strict=True):
        true = inner(VECTORS, query)
        best = np.lexsort((CORPUS.id_order, -true))[:10]
        assert rows.tolist() == best.tolist()
        assert scores.tolist() == true[best].tolist()


def test_built_twice_it_finds_the_same(index: Index, tmp_path: Path) -> None:
    names = ("one", "other") if type(index).repeatable else ("one", "one")
    built = [index.build(Held(VECTORS), CORPUS.id_order, Context(cache=Cache(tmp_path / name))) for name in names]
    one, other = (searcher.search(QUERIES, 20) for searcher in built)
    assert one.indices.tolist() == other.indices.tolist()
    assert one.scores.tolist() == other.scores.tolist()


def test_what_is_taken_from_the_cache_finds_what_was_built(index: Index, context: Context, found: Found) -> None:
    before = found(index, 20)
    entries = sorted(p.name for p in context.cache.root.glob("indexes/*"))
    after = found(index, 20)
    assert before.indices.tolist() == after.indices.tolist()
    assert sorted(p.name for p in context.cache.root.glob("indexes/*")) == entries


def test_a_search_changes_nothing(index: Index, context: Context) -> None:
    built = index.build(Held(VECTORS), CORPUS.id_order, context)
    first = built.search(QUERIES, 5)
    built.search(QUERIES[:3] * 2, 7)
    again = built.search(QUERIES, 5)
    assert first.indices.tolist() == again.indices.tolist()
    assert first.scores.tolist() == again.scores.tolist()


def test_a_query_asked_alone_finds_what_it_finds_among_others(index: Index, context: Context) -> None:
    built = index.build(Held(VECTORS), CORPUS.id_order, context)
    together = built.search(QUERIES, 5)
    alone = [built.search(query[None], 5).indices[0].tolist() for query in QUERIES]
    assert alone == together.indices.tolist()


def test_no_query_has_no_ranking(index: Index, context: Context) -> None:
    assert index.build(Held(VECTORS), CORPUS.id_order, context).search(QUERIES[:0], 5).indices.shape == (0, 5)


@pytest.mark.parametrize("width", [5, D + 1])
def test_a_query_of_another_dimension_is_a_defect(index: Index, width: int, context: Context) -> None:
    queries = np.ones((2, width), np.float32)
    with pytest.raises(ValueError, match=f"queries have {width} dimensions, the index {D}"):
        index.build(Held(VECTORS), CORPUS.id_order, context).search(queries, 3)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_few_vectors_are_all_found(index: Index, n: int, context: Context) -> None:
    corpus = Corpus.of([(f"d{i}", "", "") for i in range(n)])
    top = index.build(Held(VECTORS[:n]), corpus.id_order, context).search(QUERIES[:2], n + 3)
    for query, (rows, scores) in zip(QUERIES, top.rows(), strict=False):
        true = inner(VECTORS[:n], query)
        assert rows.tolist() == np.argsort(-true).tolist()
        assert scores.tolist() == np.sort(true)[::-1].tolist()


def test_vectors_of_zeros_are_tied_at_0_and_the_higher_id_goes_first(index: Index, context: Context) -> None:
    top = index.build(Held(np.zeros((40, D), np.float32)), CORPUS.id_order[:40], context).search(QUERIES[:2], 10)
    for rows, scores in top.rows():
        assert scores.tolist() == [0.0] * 10
        assert CORPUS.id_order[rows].tolist() == sorted(CORPUS.id_order[rows].tolist())
    if type(index).exact:
        assert top.indices[0].tolist() == np.argsort(CORPUS.id_order[:40])[:10].tolist()


def test_a_query_of_zeros_is_no_error(index: Index, context: Context) -> None:
    top = index.build(Held(VECTORS), CORPUS.id_order, context).search(np.zeros((1, D), np.float32), 10)
    assert top.scores[0].tolist() == [0.0] * 10


def test_its_size_is_told(index: Index, context: Context) -> None:
    assert index.build(Held(VECTORS), CORPUS.id_order, context).nbytes > 0
