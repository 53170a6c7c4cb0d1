"""Chunks: what a document is cut into, aggregates against a slow loop, enough documents from few passages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Ints, TopK
from harness.methods import Reranks, Searcher, fit
from harness.methods._passages import passages_of, pieces
from harness.methods.bm25 import BM25
from harness.methods.chunked import Chunked
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.rerank import Rerank
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
LONG = Corpus.of(
    [
        ("a", "first title", "one two three four five six seven"),
        ("b", "", "one\n  two,  three"),
        ("c", "only a title", ""),
        ("a!", "", "seven eight nine ten seven"),
        ("d", "", "seven"),
    ]
)


@pytest.mark.parametrize(
    ("text", "words", "overlap", "expected"),
    [
        ("a b c d e f g", 3, 1, ["a b c", "c d e", "e f g"]),
        ("a b c d e f g h", 3, 1, ["a b c", "c d e", "e f g", "g h"]),
        ("a b c d", 2, 0, ["a b", "c d"]),
        ("a  b\nc d\t", 2, 1, ["a  b", "b\nc", "c d"]),
        ("a b", 2, 1, ["a b"]),
        ("", 2, 1, [""]),
        (" a ", 2, 1, [" a "]),
    ],
)
def test_a_text_is_cut_at_words_and_left_as_it_is(text: str, words: int, overlap: int, expected: list[str]) -> None:
    assert pieces(text, words, overlap) == expected


def test_passages_have_the_title_and_know_their_document(context: Context) -> None:
    passages = passages_of(LONG, 3, 1, context)
    assert passages.documents.tolist() == [0, 0, 0, 1, 2, 3, 3, 4]
    assert passages.corpus.texts[0] == "first title one two three"
    assert passages.corpus.texts[4] == "only a title"
    assert passages.cut == 2
    ascending = sorted(range(8), key=lambda row: passages.corpus[row].id)
    assert [LONG[int(passages.documents[row])].id for row in ascending] == ["a"] * 3 + ["a!"] * 2 + ["b", "c", "d"]
    rows, owners = passages.of(np.array([3, 2, 0]))
    assert rows.tolist() == [5, 6, 4, 0, 1, 2]
    assert owners.tolist() == [0, 0, 1, 2, 2, 2]
    assert passages_of(LONG, 3, 1, context).corpus.revision == passages.corpus.revision


def slow(top: TopK, documents: Ints, aggregate: str, ids: Sequence[str], k: int) -> list[list[str]]:
    """From a ranking of all passages: the scores of each document's passages in a list."""
    rankings = []
    for rows, scores in top.rows():
        by_document = defaultdict(list)
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
            by_document[ids[int(documents[row])]].append(score)
        combine = {"max": max, "sum": sum, "mean": lambda each: sum(each) / len(each)}[aggregate]
        values = {name: combine(each) for name, each in by_document.items()}
        rankings.append(sorted(values, key=lambda name: (values[name], name.encode()), reverse=True)[:k])
    return rankings


@pytest.mark.parametrize("aggregate", ["max", "sum", "mean"])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_documents_are_ranked_as_by_a_slow_loop_over_all_passages(
    aggregate: str, k: int, context: Context, searcher_of: Callable[..., Searcher]
) -> None:
    rng = np.random.default_rng(1)
    words = ["wing", "drag", "flow", "heat", "jet"]
    corpus = Corpus.of([(str(i), "", " ".join(rng.choice(words, rng.integers(1, 30)))) for i in range(40)])
    queries = Queries(["q", "r", "s"], ["wing", "drag jet", "nothing"])
    method = Chunked(BM25(), words=4, overlap=1, aggregate=aggregate)  # type: ignore[arg-type]
    found = searcher_of(method, corpus).search(queries, k)
    passages = passages_of(corpus, 4, 1, context)
    every = searcher_of(BM25(), passages.corpus).search(queries, len(passages.corpus))
    expected = slow(every, passages.documents, aggregate, corpus.ids(np.arange(40)), k)
    assert [corpus.ids(rows) for rows, _ in found.rows()] == expected


def test_enough_documents_come_out_if_one_has_most_passages(rank: Rank) -> None:
    documents = [("long", "", "wing " * 400), *((f"d{i}", "", f"wing and {'much ' * i} else") for i in range(9))]
    top = rank(Chunked(BM25(), words=2, overlap=0), Corpus.of(documents), Queries(["q"], ["wing"]), 8)
    assert (top.indices[0] >= 0).sum() == 8
    assert top.indices[0, 0] == 0


def test_words_beyond_the_length_of_the_encoder_are_found(tiny_encoder: Path, rank: Rank, language: object) -> None:
    filler = [text for _, _, text in language.documents[:30]]  # type: ignore[attr-defined]
    wanted = language.documents[50][2]  # type: ignore[attr-defined]
    others = ((str(i), "", text) for i, text in enumerate(filler))
    corpus = Corpus.of([("late", "", " ".join([*filler[:10], wanted])), *others])
    dense = Dense(model=str(tiny_encoder), precision="fp32")
    queries = Queries(["q"], [wanted])
    cut = [corpus.ids(rank(method, corpus, queries, 1).indices[0]) for method in (dense, Chunked(dense, 8, 4))]
    assert cut[1] == ["late"]
    assert cut[0] != ["late"]


def test_a_scorer_scores_all_passages_of_a_candidate(
    tiny_cross_encoder: Path, context: Context, rank: Rank
) -> None:
    model = CrossEncoder(model=str(tiny_cross_encoder), precision="fp32")
    fitted = fit(Chunked(model, words=3, overlap=1), TrainView(LONG), context)
    assert isinstance(fitted, Reranks)
    (found,) = fitted.candidate_scorer(LONG, context).scores(["one seven"], [np.array([3, 0, 2])])
    passages = passages_of(LONG, 3, 1, context)
    plain = fit(model, TrainView(LONG), context)
    assert isinstance(plain, Reranks)
    (each,) = plain.candidate_scorer(passages.corpus, context).scores(["one seven"], [np.array([5, 6, 0, 1, 2, 4])])
    assert found == pytest.approx([each[:2].max(), each[2:5].max(), each[5]], abs=1e-5)
    top = rank(Rerank(BM25(), Chunked(model, words=3, overlap=1)), LONG, Queries(["q"], ["seven"]), 3)
    assert (top.indices >= 0).all()


@pytest.mark.parametrize("row", ["memory(bm25)", "hybrid(methods=(bm25, memory))"])
def test_a_memory_of_documents_is_refused_inside(row: str) -> None:
    with pytest.raises(SettingError, match=r"memory.* remembers queries of whole documents, .* memory\(chunked"):
        parse_method(f"chunked({row})")
    assert str(parse_method("memory(chunked(bm25))"))


def test_an_overlap_of_all_words_is_refused() -> None:
    with pytest.raises(SettingError, match="overlap must be below words, 50, not 50"):
        parse_method("chunked(bm25, words=50)")
    assert str(parse_method("chunked(bm25, words=50, overlap=10)")) == "chunked(row=bm25, words=50, overlap=10)"


def test_the_record_counts_passages(searcher_of: Callable[..., Searcher]) -> None:
    queries = Queries(["q"], ["seven"])
    searcher = searcher_of(Chunked(BM25(), words=3, overlap=1), LONG)
    searcher.search(queries, 2)
    assert searcher.report(queries).resolved == {"passages": 8, "documents_cut": 2}
