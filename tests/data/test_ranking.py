"""One order: score descending, then document id descending in UTF-8 bytes, which is trec_eval's."""

from __future__ import annotations

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from harness.data.corpus import Corpus
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Floats, Ints, Run, TopK, _order, own_rows, select, stack, without_own

ID = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=3)
IDS = st.lists(ID, min_size=1, unique=True, max_size=30)
TIED = st.sampled_from([-2.0, -0.0, 0.0, 0.1, 1.0, 1e30])
ANY = st.floats(width=32, allow_nan=False, allow_infinity=False)


def corpus_of(ids: list[str]) -> Corpus:
    return Corpus.of([(i, "", "") for i in ids])


def by_definition(corpus: Corpus, candidates: list[int], scores: list[float], k: int) -> list[int]:
    """All candidates sorted by the documented order, then cut."""
    by_id = sorted(range(len(candidates)), key=lambda i: corpus[candidates[i]].id.encode(), reverse=True)
    return [candidates[i] for i in sorted(by_id, key=lambda i: -scores[i])][:k]  # Python's sort is stable


@given(data=st.data(), ids=IDS, k=st.integers(1, 35), values=st.sampled_from([TIED, ANY]))
def test_select_is_the_full_sort_cut_at_k(
    data: st.DataObject, ids: list[str], k: int, values: st.SearchStrategy[float]
) -> None:
    corpus = corpus_of(ids)
    candidates = data.draw(st.lists(st.integers(0, len(ids) - 1), unique=True))
    scores = np.array(data.draw(st.lists(values, min_size=len(candidates), max_size=len(candidates))), np.float32)
    rows, kept = select(np.array(candidates, np.int64), scores, corpus.id_order, k)
    assert rows.tolist() == by_definition(corpus, candidates, scores.tolist(), k)
    assert kept.tolist() == [scores[candidates.index(row)] for row in rows]
    assert (rows.dtype, kept.dtype) == (np.int64, np.float32)


@given(data=st.data(), ids=IDS)
def test_a_shallower_cut_is_the_start_of_a_deeper_one_through_ties(data: st.DataObject, ids: list[str]) -> None:
    corpus = corpus_of(ids)
    scores = np.array(data.draw(st.lists(TIED, min_size=len(ids), max_size=len(ids))), np.float32)
    rows = np.arange(len(ids), dtype=np.int64)
    deepest = select(rows, scores, corpus.id_order, len(ids))[0].tolist()
    for k in range(1, len(ids) + 3):
        assert select(rows, scores, corpus.id_order, k)[0].tolist() == deepest[:k]


@given(data=st.data(), ids=IDS)
def test_the_order_is_the_one_trec_eval_gives_tied_scores(data: st.DataObject, ids: list[str]) -> None:
    """The reciprocal rank of a document that alone is relevant tells its place in trec_eval's order."""
    corpus = corpus_of(ids)
    scores = data.draw(st.lists(TIED, min_size=len(ids), max_size=len(ids)))
    qrels = {f"q{i}": {document: 1} for i, document in enumerate(ids)}
    run = {query: dict(zip(ids, scores, strict=True)) for query in qrels}
    figures = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(run)
    theirs = [round(1 / figures[f"q{i}"]["recip_rank"]) for i in range(len(ids))]
    rows, _ = select(np.arange(len(ids), dtype=np.int64), np.array(scores, np.float32), corpus.id_order, len(ids))
    assert [theirs[row] for row in rows] == list(range(1, len(ids) + 1))


def test_scores_that_differ_beyond_32_bits_are_tied_as_in_trec_eval() -> None:
    scores = {"a": 1.0 + 1e-12, "b": 1.0}
    figures = pytrec_eval.RelevanceEvaluator({"q": {"b": 1}}, {"recip_rank"}).evaluate({"q": scores})
    rows, _ = select(np.arange(2), np.fromiter(scores.values(), np.float32), corpus_of(["a", "b"]).id_order, 2)
    assert (figures["q"]["recip_rank"], rows.tolist()) == (1.0, [1, 0])


@given(data=st.data(), ids=IDS, k=st.integers(1, 10))
def test_merging_the_best_of_blocks_gives_the_best_of_all(data: st.DataObject, ids: list[str], k: int) -> None:
    corpus = corpus_of(ids)
    scores = np.array(data.draw(st.lists(TIED, min_size=len(ids), max_size=len(ids))), np.float32)
    rows = np.arange(len(ids), dtype=np.int64)
    size = data.draw(st.integers(1, len(ids)))
    best: tuple[Ints, Floats] = (np.zeros(0, np.int64), np.zeros(0, np.float32))
    for start in range(0, len(ids), size):
        block = select(rows[start : start + size], scores[start : start + size], corpus.id_order, k)
        merged = [np.concatenate([held, new]) for held, new in zip(best, block, strict=True)]
        best = select(merged[0], merged[1], corpus.id_order, k)
    assert best[0].tolist() == select(rows, scores, corpus.id_order, k)[0].tolist()


def ranking(*rows: int, scores: list[float] | None = None) -> tuple[Ints, Floats]:
    return np.array(rows, np.int64), np.array(scores or range(len(rows), 0, -1), np.float32)[: len(rows)]


def test_stack_pads_short_rankings_and_rows_takes_the_padding_off() -> None:
    top = stack([ranking(4, 2), ranking(), ranking(1, 0, 3)], 3)
    assert top.indices.tolist() == [[4, 2, -1], [-1, -1, -1], [1, 0, 3]]
    assert top.scores.tolist() == [[2, 1, -np.inf], [-np.inf] * 3, [3, 2, 1]]
    assert [(i.tolist(), s.tolist()) for i, s in top.rows()] == [([4, 2], [2, 1]), ([], []), ([1, 0, 3], [3, 2, 1])]


def test_stack_of_no_query_has_a_depth() -> None:
    top = stack([], 5)
    assert (top.indices.shape, top.depth, list(top.rows())) == ((0, 5), 5, [])


@pytest.mark.parametrize(("k", "depth"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_cut_keeps_the_best_and_never_pads(k: int, depth: int) -> None:
    top = stack([ranking(4, 2, 1)], 3).cut(k)
    assert top.depth == depth
    assert top.indices.tolist() == [[4, 2, 1][:k]]
    assert top.scores.tolist() == [[3, 2, 1][:k]]


@pytest.mark.parametrize(
    ("indices", "scores"), [((2, 3), (2, 2)), ((2, 3), (3, 2)), ((6,), (6,)), ((1, 2, 3), (1, 2, 3))]
)
def test_indices_and_scores_must_be_one_table(indices: tuple[int, ...], scores: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"must both be \(Q, k\)"):
        TopK(np.zeros(indices, np.int64), np.zeros(scores, np.float32))


CORPUS = corpus_of(["d0", "d1", "q1", "d3", "q2"])


def test_a_run_holds_ids_and_scores_best_first_and_empty_rankings_too() -> None:
    run = Run.of(Queries(["a", "b"], ["", ""]), stack([ranking(3, 0, scores=[0.5, 0.1]), ranking()], 3), CORPUS)
    assert list(run) == [("a", ["d3", "d0"], [0.5, float(np.float32(0.1))]), ("b", [], [])]
    assert run.scores() == {"a": {"d3": 0.5, "d0": float(np.float32(0.1))}, "b": {}}
    assert list(run.scores()["a"]) == ["d3", "d0"]


def test_a_query_that_is_a_document_is_left_out_of_its_own_ranking_and_the_list_stays_full() -> None:
    queries = Queries(["q1", "q2", "x"], ["", "", ""])
    top = stack([ranking(2, 0, 4, 1), ranking(0, 1, 3, 2), ranking(2, 4, 0, 1)], 4)
    run = Run.of(queries, top, CORPUS, frozenset({"q1", "q2"}), 3)
    assert [(query, ids) for query, ids, _ in run] == [
        ("q1", ["d0", "q2", "d1"]),  # itself was first
        ("q2", ["d0", "d1", "d3"]),  # itself was beyond the cut
        ("x", ["q1", "q2", "d0"]),  # no document
    ]
    assert run.scores()["q1"] == {"d0": 3, "q2": 2, "d1": 1}


def test_only_the_queries_named_lose_their_document() -> None:
    queries = Queries(["q1", "q2"], ["", ""])
    top = stack([ranking(2, 0, 1), ranking(4, 0, 1)], 3)
    run = Run.of(queries, top, CORPUS, frozenset({"q1"}), 2)
    assert [ids for _, ids, _ in run] == [["d0", "d1"], ["q2", "d0"]]


def test_a_named_query_whose_document_is_not_there_keeps_its_ranking() -> None:
    run = Run.of(Queries(["gone"], [""]), stack([ranking(2, 0)], 2), CORPUS, frozenset({"gone"}))
    assert [ids for _, ids, _ in run] == [["q1", "d0"]]


def test_a_run_is_cut_at_its_depth() -> None:
    run = Run.of(Queries(["a"], [""]), stack([ranking(2, 0, 1)], 3), CORPUS, k=2)
    assert [ids for _, ids, _ in run] == [["q1", "d0"]]


def test_a_run_needs_one_ranking_per_query() -> None:
    run = Run.of(Queries(["a"], [""]), stack([ranking(2), ranking(1)], 1), CORPUS)
    with pytest.raises(ValueError, match="zip"):
        list(run)


FLOATS = st.floats(width=32, allow_nan=True) | st.sampled_from([0.0, -0.0, 1.0, float("inf"), float("-inf")])


@given(
    scores=st.lists(FLOATS, min_size=1, max_size=30),
    seed=st.integers(0, 1000),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_one_integer_for_score_and_place_orders_as_both_do(scores: list[float], seed: int, kind: type) -> None:
    array = np.array(scores, kind)
    places = np.random.default_rng(seed).permutation(len(scores)).astype(np.int32)
    assert _order(array, places).tolist() == np.lexsort((places, -array)).tolist()


def test_a_split_is_ranked_without_the_documents_that_are_its_queries() -> None:
    corpus = corpus_of(["a", "b", "c", "q"])
    split = Labelled(Queries(["q", "b"], ["", ""]), {"q": {"c": 1}, "b": {"c": 1}}, frozenset({"b"}))
    top = TopK(np.array([[3, 0, 1], [1, 2, 0]]), np.array([[3.0, 2.0, 1.0]] * 2, np.float32))
    assert own_rows(split, corpus).tolist() == [-1, 1]
    assert without_own(split, top, corpus, 2).indices.tolist() == [[3, 0], [2, 0]]
    run = Run.of_split(split, top, corpus, split.search_depth(2) - 1)
    assert [(query, ids) for query, ids, _ in run] == [("q", ["q", "a"]), ("b", ["c", "a"])]
    assert run.top.scores.tolist() == [[3.0, 2.0], [2.0, 1.0]]
