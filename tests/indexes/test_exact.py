"""Exact search against a full sort of scores computed one by one."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.base.memory import LEAST, Memory
from harness.data.corpus import Corpus
from harness.data.ranking import Floats, select
from harness.indexes import _near, exact, inner
from harness.indexes.exact import Exact
from harness.runtime.context import Context


class OnDisk:
    """Vectors that may be read by blocks only; notes the largest."""

    def __init__(self, array: Floats) -> None:
        self._array = array
        self.largest = 0

    def __len__(self) -> int:
        return len(self._array)

    @property
    def dimension(self) -> int:
        return self._array.shape[1]

    def block(self, start: int, stop: int) -> Floats:
        self.largest = max(self.largest, stop - start)
        return self._array[start:stop].copy()

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        self.largest = max(self.largest, len(rows))
        return self._array[rows]


class Shuffled(OnDisk):
    """Vectors that lie in another order, in pieces of unequal size."""

    def pieces(self, size: int) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
        rng = np.random.default_rng(len(self))
        rows, start = rng.permutation(len(self)), 0
        while start < len(rows):
            some = rows[start : start + int(rng.integers(1, size + 1))]
            start += len(some)
            yield some, self.take(some)


@pytest.fixture(params=["in memory", "by FAISS", "by blocks"], autouse=True)
def _held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "by FAISS":
        pytest.importorskip("faiss")
        monkeypatch.setattr(exact, "WORTH_FAISS", 0)
        monkeypatch.setattr(exact, "PRODUCTS_OF_FAISS", 0)
    if request.param == "by blocks":
        monkeypatch.setattr(Memory, "reserve", lambda self, nbytes: None)


def corpus_of(n: int) -> Corpus:
    """Ids that are not in the order of the rows."""
    return Corpus.of([(f"d{(i * 7919) % 100_003:06}", "", "") for i in range(n)])


def by_full_sort(vectors: Floats, query: Floats, corpus: Corpus, k: int) -> list[tuple[int, float]]:
    """Each score exact and rounded once; all documents sorted by the documented order, then cut."""
    scores = []
    for vector in vectors.tolist():
        total = sum((Fraction(v) * Fraction(q) for v, q in zip(vector, query.tolist(), strict=True)), Fraction(0))
        scores.append(float(np.float32(float(total))))
    by_id = sorted(range(len(scores)), key=lambda row: corpus[row].id.encode(), reverse=True)
    return [(row, scores[row]) for row in sorted(by_id, key=lambda row: -scores[row])][:k]


def searched(vectors: Floats, queries: Floats, corpus: Corpus, k: int, block: int) -> list[list[tuple[int, float]]]:
    top, other = (Exact(block).build(kind(vectors), corpus.id_order).search(queries, k) for kind in (OnDisk, Shuffled))
    assert np.array_equal(top.indices, other.indices)
    assert np.array_equal(top.scores, other.scores)
    return [list(zip(rows.tolist(), scores.tolist(), strict=True)) for rows, scores in top.rows()]


NUMBER = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0, 3.0])
ANY = st.floats(-10, 10, width=32).filter(lambda number: number == 0 or abs(number) > 1e-6)


@settings(max_examples=60)
@given(
    data=st.data(),
    n=st.integers(1, 25),
    k=st.integers(1, 30),
    block=st.integers(1, 30),
    numbers=st.sampled_from([NUMBER, ANY]),
)
def test_what_is_found_is_the_full_sort_through_ties_within_and_across_blocks(
    data: st.DataObject, n: int, k: int, block: int, numbers: st.SearchStrategy[float]
) -> None:
    few = data.draw(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=n))
    chosen = data.draw(st.lists(st.sampled_from(few), min_size=n, max_size=n))  # the same vectors again and again
    vectors, queries = np.array(chosen, np.float32), np.array([few[0], few[-1]], np.float32)
    corpus = corpus_of(n)
    assert searched(vectors, queries, corpus, k, block) == [by_full_sort(vectors, q, corpus, k) for q in queries]


def test_equal_vectors_are_tied_wherever_they_stand() -> None:
    """A matrix product of this size gives many of these groups unequal scores, on some machines one in three."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((3000, 384), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    places = rng.permutation(3000)[:1000].reshape(50, 20)
    vectors[places] = vectors[places[:, :1]]
    queries = rng.standard_normal((100, 384), np.float32)
    corpus = corpus_of(3000)
    top = Exact(block=1024).build(OnDisk(vectors), corpus.id_order).search(queries, 3000)
    for rows, scores in itertools.islice(top.rows(), 0, None, 5):
        by_row = np.empty(3000, np.float32)
        by_row[rows] = scores
        assert (by_row[places] == by_row[places[:, :1]]).all()
        assert rows.tolist() == np.lexsort((corpus.id_order, -by_row)).tolist()


def test_neither_blocks_nor_company_move_a_ranking_by_a_bit() -> None:
    rng = np.random.default_rng(1)
    vectors, queries = rng.standard_normal((700, 100), np.float32), rng.standard_normal((9, 100), np.float32)
    corpus = corpus_of(700)
    expected = searched(vectors, queries, corpus, 50, 700)
    for block in (1, 13, 512, 10_000):
        assert searched(vectors, queries, corpus, 50, block) == expected
    assert [searched(vectors, query[None], corpus, 50, 64)[0] for query in queries] == expected
    assert [ranking[:5] for ranking in expected] == searched(vectors, queries, corpus, 5, 64)


def test_scores_that_differ_by_less_than_a_matrix_products_error_are_told_apart_at_the_cut() -> None:
    """Cut at what the matrix product says, about half of these rankings would miss one of their ten best."""
    rng = np.random.default_rng(2)
    base = rng.standard_normal(384)
    vectors = np.tile((base / np.linalg.norm(base)).astype(np.float32), (400, 1))
    vectors[np.arange(400), rng.integers(0, 384, 400)] += (rng.integers(-3, 4, 400) * 2.0**-24).astype(np.float32)
    queries = rng.standard_normal((20, 384)).astype(np.float32)
    true = np.array([inner(vectors, query) for query in queries])
    assert all(len(set(scores.tolist())) > 5 for scores in true)
    found = searched(vectors, queries, corpus_of(400), 10, 400)
    for ranking, scores in zip(found, true, strict=True):
        assert [score for _, score in ranking] == np.sort(scores)[::-1][:10].tolist()


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 12), block=st.integers(1, 60), room=st.integers(1, 20))
def test_many_that_are_as_near_are_told_apart_within_bounded_places(seed: int, k: int, block: int, room: int) -> None:
    """More vectors within the error of each other than there are places: equal ones and ones off by a last bit."""
    rng = np.random.default_rng(seed)
    few = rng.standard_normal((3, 24)).astype(np.float32)
    vectors = few[rng.integers(0, 3, 200)]
    vectors[rng.integers(0, 200, 40), rng.integers(0, 24, 40)] *= np.float32(1 + 2.0**-22)
    queries, corpus = rng.standard_normal((3, 24)).astype(np.float32), corpus_of(200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_near, "ROOM", room)
        found = searched(vectors, queries, corpus, k, block)
    for ranking, query in zip(found, queries, strict=True):
        rows, scores = select(np.arange(200), inner(vectors, query), corpus.id_order, k)
        assert ranking == list(zip(rows.tolist(), scores.tolist(), strict=True))


def test_a_budget_cuts_blocks_and_queries_and_moves_no_ranking() -> None:
    rng = np.random.default_rng(4)
    vectors, queries = rng.standard_normal((3000, 500), np.float32), rng.standard_normal((70, 500), np.float32)
    corpus, kept = corpus_of(3000), OnDisk(vectors)
    small = Context(memory=Memory(LEAST))
    found = Exact().build(kept, corpus.id_order, small).search(queries, 30)
    assert kept.largest == (LEAST // 32) // (4 * 500)
    assert kept.largest < 300
    expected = Exact().build(OnDisk(vectors), corpus.id_order).search(queries, 30)
    assert (found.indices == expected.indices).all()
    assert (found.scores == expected.scores).all()


def test_a_budget_that_does_not_hold_one_query_says_what_does() -> None:
    vectors = np.ones((200_000, 1), np.float32)
    index = Exact().build(OnDisk(vectors), np.arange(200_000, dtype=np.int32), Context(memory=Memory(LEAST)))
    with pytest.raises(
        SettingError, match=r"exact search of 200,000 vectors, 200,000 deep, takes .* Set --memory 56MiB or more"
    ):
        index.search(np.ones((1, 1), np.float32), 1_000_000)


def test_vectors_are_held_only_while_all_that_is_held_has_a_place(
    context: Context, request: pytest.FixtureRequest
) -> None:
    memory = Memory(64 << 20)
    context = Context(cache=context.cache, memory=memory)
    request.getfixturevalue("monkeypatch").undo()  # the place is what is tested
    order = corpus_of(3000).id_order
    vectors = OnDisk(np.ones((3000, 900), np.float32))  # 10.8 MB: 16 MiB may be held
    first, second = Exact().build(vectors, order, context), Exact().build(vectors, order, context)
    vectors.largest = 0
    first.search(np.ones((1, 900), np.float32), 5)
    assert vectors.largest == 0
    second.search(np.ones((1, 900), np.float32), 5)
    assert vectors.largest > 0
    del first, second
    gc.collect()
    assert memory.reserved == 0


def test_memory_does_not_grow_with_the_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "reserve", lambda self, nbytes: None)
    rng = np.random.default_rng(3)
    vectors = OnDisk(rng.standard_normal((5000, 8), np.float32))
    Exact(block=100).build(vectors, corpus_of(5000).id_order).search(rng.standard_normal((5, 8), np.float32), 10)
    assert vectors.largest == 100


def test_many_queries_are_cut_to_bound_the_scores_held(monkeypatch: pytest.MonkeyPatch) -> None:
    block = 1 << 23
    vectors = np.array([[1.0], [2.0]], np.float32)
    queries = np.array([[1.0], [-1.0], [0.5], [2.0], [-3.0]], np.float32)
    found = searched(vectors, queries, corpus_of(2), 1, block)  # two queries at a time
    assert found == [[(1, 2.0)], [(0, -1.0)], [(1, 1.0)], [(1, 4.0)], [(0, -3.0)]]


@given(st.integers(1, 40), st.integers(1, 70))
def test_an_inner_product_does_not_depend_on_its_neighbours(n: int, dimension: int) -> None:
    rng = np.random.default_rng(n * 100 + dimension)
    vectors, query = rng.standard_normal((n, dimension), np.float32), rng.standard_normal(dimension).astype(np.float32)
    scores = inner(vectors, query)
    assert scores.dtype == np.float32
    assert scores.tolist() == [inner(vectors[i : i + 1], query)[0] for i in range(n)]
    assert inner(vectors[::-1], query).tolist() == scores[::-1].tolist()
    assert inner(np.asfortranarray(vectors), query).tolist() == scores.tolist()


def test_vectors_of_length_0_are_tied_at_0() -> None:
    corpus = corpus_of(4)
    ((*found,),) = searched(np.zeros((4, 3), np.float32), np.ones((1, 3), np.float32), corpus, 2, 2)
    assert found == [(row, 0.0) for row in np.argsort(corpus.id_order)[:2].tolist()]


def test_its_size_is_that_of_the_vectors() -> None:
    assert Exact().build(OnDisk(np.zeros((10, 6), np.float32)), corpus_of(10).id_order).nbytes == 240


def test_a_block_of_none_is_refused() -> None:
    with pytest.raises(SettingError, match="exact: block must be 1 or more, not 0"):
        Exact(0)


def test_many_queries_of_vectors_in_memory_are_searched_by_faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the choice is what is tested
    faiss = pytest.importorskip("faiss")
    asked: list[int] = []
    knn = faiss.knn

    def counted(queries: Floats, *rest: object, **named: object) -> object:
        asked.append(len(queries))
        return knn(queries, *rest, **named)

    monkeypatch.setattr(faiss, "knn", counted)
    rng = np.random.default_rng(5)
    vectors, queries = rng.standard_normal((300, 16), np.float32), rng.standard_normal((40, 16), np.float32)
    order = corpus_of(300).id_order
    monkeypatch.setattr(exact, "WORTH_FAISS", 300 * 40)
    Exact().build(OnDisk(vectors), order).search(queries, 7)
    assert asked == [], "FAISS compares the pairs of so few queries one by one"
    monkeypatch.setattr(exact, "PRODUCTS_OF_FAISS", 40 * 16)
    by_library = Exact().build(OnDisk(vectors), order).search(queries, 7)
    monkeypatch.setattr(exact, "PRODUCTS_OF_FAISS", 39 * 16)
    Exact().build(OnDisk(vectors), order).search(queries[1:], 7)  # a query fewer: not worth it
    monkeypatch.setattr(Memory, "reserve", lambda self, nbytes: None)
    own = Exact().build(OnDisk(vectors), order).search(queries, 7)
    assert asked[0] == 40
    assert 39 not in asked
    assert np.array_equal(by_library.indices, own.indices)
    assert np.array_equal(by_library.scores, own.scores)
