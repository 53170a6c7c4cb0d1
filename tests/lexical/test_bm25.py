"""BM25 against plain loops over the formula."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.memory import LEAST, Memory
from harness.data.corpus import Corpus
from harness.lexical import bm25 as bm25_module
from harness.lexical import postings as postings_module
from harness.lexical.bm25 import InvertedIndex
from harness.lexical.lengths import lucene_length
from harness.lexical.postings import Postings

TERM = st.sampled_from([*"abcdefgh", "rare", "1", "null", "é", '"', "", "漢字"])
DOCUMENT = st.lists(TERM, max_size=60)
DOCUMENTS = st.lists(DOCUMENT, min_size=1, max_size=12)


def corpus_of(n: int) -> Corpus:
    return Corpus.of([(f"d{(5 * i) % 997:03}", "", "") for i in range(n)])


def postings_of(documents: list[list[str]], memory: Memory | None = None, batch: int = 5) -> Postings:
    """Documents come analysed, the terms parted by U+0001."""
    postings = Postings(lambda text: text.split("\x01")[1:], memory)
    texts = ["".join(f"\x01{term}" for term in document) for document in documents]
    for start in range(0, len(texts), batch):
        postings.add(texts[start : start + batch])
    return postings


def index_of(documents: list[list[str]], k1: float = 0.9, b: float = 0.4, batch: int = 5) -> InvertedIndex:
    return InvertedIndex.build(postings_of(documents, batch=batch), k1=k1, b=b)


def by_definition(documents: list[list[str]], query: list[str], k1: float, b: float) -> dict[int, float]:
    """Row → score of every document that holds a term of the query."""
    lengths = [len(document) for document in documents]
    n = sum(length > 0 for length in lengths)
    average = sum(lengths) / n if n else 0.0
    scores: dict[int, float] = {}
    for term in query:  # a repeated term counts as often
        df = sum(term in document for document in documents)
        idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
        for row, document in enumerate(documents):
            tf = Counter(document)[term]
            if tf:
                length = int(lucene_length(np.array([len(document)]))[0])
                norm = k1 * (1 - b + b * length / average)
                scores[row] = scores.get(row, 0.0) + idf * tf / (tf + norm)
    return scores


def searched(index: InvertedIndex, query: list[str], n: int, k: int = 1000) -> dict[int, float]:
    rows, scores = index.search(query, corpus_of(n).id_order, k)
    return dict(zip(rows.tolist(), scores.tolist(), strict=True))


@settings(max_examples=60)
@given(
    documents=DOCUMENTS, query=st.lists(TERM | st.just("nowhere"), max_size=6), k1=st.floats(0, 5), b=st.floats(0, 1)
)
def test_scores_are_those_of_the_formula_for_all_that_match_and_no_other(
    documents: list[list[str]], query: list[str], k1: float, b: float
) -> None:
    expected = by_definition(documents, query, k1, b)
    found = searched(index_of(documents, k1, b), query, len(documents))
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, rel=1e-5)


def test_an_example_by_hand() -> None:
    """Three documents, the word in two of them, average length 2."""
    documents = [["a", "a", "b"], ["a"], ["b", "c"]]
    idf = math.log(1 + 1.5 / 2.5)
    found = searched(index_of(documents, k1=1.2, b=0.75), ["a"], 3)
    assert found == pytest.approx(
        {0: idf * 2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2)), 1: idf * 1 / (1 + 1.2 * (0.25 + 0.75 / 2))}
    )


def test_length_is_lucenes_and_the_average_exact() -> None:
    """100 words are held as 96, while the average of 100 and 41 stays 70.5."""
    documents = [["a", *["x"] * 99], ["a", *["y"] * 40]]
    idf = math.log(1 + 0.5 / 2.5)
    expected = {0: idf / (1 + 0.9 * (0.6 + 0.4 * 96 / 70.5)), 1: idf / (1 + 0.9 * (0.6 + 0.4 * 40 / 70.5))}
    assert searched(index_of(documents), ["a"], 2) == pytest.approx(expected, rel=1e-6)


def test_documents_without_a_term_count_for_nothing() -> None:
    """Lucene's statistics are of the documents that have the field."""
    documents = [["a", "b"], ["b"], ["a", "c", "c"]]
    plain = searched(index_of(documents), ["a", "b"], 3)
    padded = searched(index_of([[], *documents, [], []]), ["a", "b"], 6)
    assert {row - 1: score for row, score in padded.items()} == plain


def test_a_word_in_every_document_still_matches() -> None:
    found = searched(index_of([["a"]] * 50), ["a"], 50)
    assert len(found) == 50
    assert min(found.values()) > 0


def test_k1_of_0_counts_presence_alone() -> None:
    found = searched(index_of([["a"] * 9, ["a"], ["b"]], k1=0.0), ["a"], 3)
    assert found[0] == found[1] == pytest.approx(math.log(1 + 1.5 / 2.5))


def test_b_of_0_ignores_length() -> None:
    found = searched(index_of([["a", *["x"] * 500], ["a"]], b=0.0), ["a"], 2)
    assert found[0] == found[1]


def test_a_repeated_query_term_counts_as_often_as_it_occurs() -> None:
    index = index_of([["a", "b"], ["b", "b"], ["a"]])
    once, twice = searched(index, ["a"], 3), searched(index, ["a", "a"], 3)
    assert twice == pytest.approx({row: 2 * score for row, score in once.items()})


@given(documents=DOCUMENTS, weights=st.dictionaries(TERM | st.just("nowhere"), st.floats(0.01, 5), max_size=6))
def test_a_weighted_search_adds_up_weighted_scores(documents: list[list[str]], weights: dict[str, float]) -> None:
    index = index_of(documents)
    expected: dict[int, float] = {}
    for term, weight in weights.items():
        for row, score in by_definition(documents, [term], 0.9, 0.4).items():
            expected[row] = expected.get(row, 0.0) + weight * score
    rows, scores = index.search_weighted(weights, corpus_of(len(documents)).id_order, 1000)
    assert dict(zip(rows.tolist(), scores.tolist(), strict=True)) == pytest.approx(expected, rel=1e-5)
    assert (rows.dtype, scores.dtype) == (np.int64, np.float32)


@given(documents=DOCUMENTS, term=TERM | st.just("nowhere"))
def test_the_share_of_a_term_is_of_the_documents_that_hold_any(documents: list[list[str]], term: str) -> None:
    held = [document for document in documents if document]
    expected = sum(term in document for document in held) / len(held) if held else 0.0
    assert index_of(documents).share(term) == expected


@given(documents=DOCUMENTS, query=st.lists(TERM, min_size=1, max_size=4), k=st.integers(1, 14))
def test_the_k_best_are_the_start_of_the_documented_order(documents: list[list[str]], query: list[str], k: int) -> None:
    documents = [*documents, *documents]  # every document twice: ties
    corpus, index = corpus_of(len(documents)), index_of(documents)
    rows, scores = index.search(query, corpus.id_order, 1000)
    order = sorted(range(len(rows)), key=lambda i: corpus[int(rows[i])].id, reverse=True)
    order.sort(key=lambda i: -float(scores[i]))
    assert order == list(range(len(rows)))
    assert index.search(query, corpus.id_order, k)[0].tolist() == rows.tolist()[:k]


def test_equal_documents_have_equal_scores() -> None:
    rng = np.random.default_rng(0)
    document = rng.choice(list("abcdefgh"), 40).tolist()
    others = [rng.choice(list("abcdefghij"), 30).tolist() for _ in range(20)]
    found = searched(index_of([document, *others, document]), list("abcdefghgfedcba"), 22)
    assert found[0] == found[21]


@pytest.mark.parametrize("query", [[], ["nowhere"], ["nowhere", "nor here"]])
def test_a_query_none_of_whose_terms_are_there_finds_nothing(query: list[str]) -> None:
    rows, scores = index_of([["a"], ["b"]]).search(query, corpus_of(2).id_order, 10)
    assert (rows.tolist(), scores.tolist()) == ([], [])
    assert (rows.dtype, scores.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize("documents", [[[]], [[], []]])
def test_a_corpus_without_a_word_can_be_built_kept_and_searched(documents: list[list[str]], tmp_path: Path) -> None:
    index_of(documents).save(tmp_path)
    index = InvertedIndex.open(tmp_path)
    assert searched(index, ["a"], len(documents)) == {}
    assert index.size == (len(documents), 0)


@settings(max_examples=30)
@given(documents=DOCUMENTS, query=st.lists(TERM, max_size=6))
def test_what_is_kept_searches_as_what_was_built(documents: list[list[str]], query: list[str]) -> None:
    built = index_of(documents, k1=1.2, b=0.75)
    with tempfile.TemporaryDirectory() as folder:
        built.save(Path(folder))
        opened = InvertedIndex.open(Path(folder))
        assert searched(opened, query, len(documents)) == searched(built, query, len(documents))
        assert (opened.size, opened.nbytes) == (built.size, built.nbytes)
        assert opened.size == (len(documents), len({term for document in documents for term in document}))


def test_a_kept_index_is_mapped_not_read(tmp_path: Path) -> None:
    index_of([["a", "b"], ["b"]]).save(tmp_path)
    scores = InvertedIndex.open(tmp_path)._model.scores
    assert all(isinstance(scores[name], np.memmap) for name in ("data", "indices", "indptr"))


def test_saving_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    index_of([["a"], ["b"]]).save(tmp_path)
    InvertedIndex.open(tmp_path).search(["a"], corpus_of(2).id_order, 2)
    assert capfd.readouterr() == ("", "")


@given(documents=DOCUMENTS, batch=st.integers(1, 13))
def test_how_documents_are_batched_does_not_matter(documents: list[list[str]], batch: int) -> None:
    one, other = index_of(documents, batch=batch), index_of(documents, batch=len(documents))
    for name in ("data", "indices", "indptr"):
        assert one._model.scores[name].tolist() == other._model.scores[name].tolist()


@settings(max_examples=30)
@given(documents=DOCUMENTS, k1=st.floats(0, 5), b=st.floats(0, 1))
def test_what_is_written_block_by_block_is_what_is_saved_whole(documents: list[list[str]], k1: float, b: float) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        whole, blocks = Path(folder, "whole"), Path(folder, "blocks")
        blocks.mkdir()
        index_of(documents, k1, b).save(whole)
        patch.setattr(postings_module, "BYTES_OF_A_POSTING", LEAST // 4 // 5)  # five postings at once
        InvertedIndex.write(blocks, postings_of(documents, Memory(LEAST)), k1=k1, b=b)
        assert sorted(path.name for path in whole.iterdir()) == sorted(path.name for path in blocks.iterdir())
        for path in whole.iterdir():
            assert path.read_bytes() == blocks.joinpath(path.name).read_bytes()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 400),
    sample=st.sampled_from([8, 64, 4096]),
    sparse=st.sampled_from([1, 16, 10**9]),
)
def test_the_k_best_are_those_of_a_full_sort_whatever_is_sampled(seed: int, k: int, sample: int, sparse: int) -> None:
    rng = np.random.default_rng(seed)
    documents = [
        [str(word) for word in np.minimum(rng.zipf(1.3, 8), 40)] for _ in range(300)
    ]  # hardly two scores differ
    corpus, index = corpus_of(300), index_of(documents, batch=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bm25_module, "SAMPLE", sample)
        patch.setattr(bm25_module, "SPARSE", sparse)
        for query in (["1"], ["7", "1", "40"], ["30"], ["1", "1", "2", "3"]):
            scores = np.zeros(300, np.float32)
            for term in query:  # in float32, in the order of the query
                rows, weights = index.search([term], corpus.id_order, 300)
                scores[rows] += weights
            matched = np.flatnonzero(scores)
            order = np.lexsort((corpus.id_order[matched], -scores[matched]))[:k]
            rows, found = index.search(query, corpus.id_order, k)
            assert rows.tolist() == matched[order].tolist()
            assert found.tolist() == scores[matched[order]].tolist()
