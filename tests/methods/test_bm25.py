from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from harness.analyzers.english import English
from harness.analyzers.standard import Standard
from harness.base.errors import SettingError
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.feedback import Feedback
from harness.feedback.rm3 import RM3
from harness.feedback.rocchio import Rocchio
from harness.methods import Searcher, fit
from harness.methods.bm25 import BM25
from harness.runtime.context import Context

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


def one(text: str) -> Queries:
    return Queries(["q"], [text])


def found(top: TopK, corpus: Corpus) -> list[str]:
    return corpus.ids(next(top.rows())[0])


def test_a_query_that_matches_no_document_has_an_empty_ranking(corpus: Corpus, rank: Rank) -> None:
    for text in ("qqq", "", "the of and", "?!"):
        top = rank(BM25(), corpus, one(text), 4)
        assert top.indices.tolist() == [[-1] * 4]
        assert np.isneginf(top.scores).all()


def test_only_documents_with_a_word_of_the_query_are_ranked(corpus: Corpus, rank: Rank) -> None:
    with_word = {d.id for batch in corpus.batches() for d in batch if "shock" in d.text}
    assert set(found(rank(BM25(), corpus, one("shock"), 100), corpus)) == with_word


def test_a_title_is_searched_as_the_text_is(rank: Rank) -> None:
    corpus = Corpus.of([("in-title", "shock waves", "air"), ("in-text", "", "shock waves air"), ("neither", "", "air")])
    top = rank(BM25(), corpus, one("shock"), 3)
    assert found(top, corpus) == ["in-title", "in-text"]
    assert top.scores[0, 0] == top.scores[0, 1]


def test_scores_are_lucenes_formula(rank: Rank) -> None:
    corpus = Corpus.of([("a", "", "wing wing drag"), ("b", "", "wing"), ("c", "", "heat flow jet shock")])
    top = rank(BM25(k1=1.2, b=0.75), corpus, one("wing"), 3)
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    average = 8 / 3
    expected = {
        "a": idf * 2 / (2 + 1.2 * (1 - 0.75 + 0.75 * 3 / average)),
        "b": idf * 1 / (1 + 1.2 * (1 - 0.75 + 0.75 * 1 / average)),
    }
    assert dict(zip(found(top, corpus), top.scores[0].tolist(), strict=False)) == pytest.approx(expected, rel=1e-6)


def test_the_defaults_are_anserinis() -> None:
    assert BM25() == BM25(k1=0.9, b=0.4, analyzer=English())
    assert BM25().full().startswith("bm25(k1=0.9, b=0.4, analyzer=english")


def test_its_settings_decide(corpus: Corpus, queries: Queries, rank: Rank) -> None:
    plain = rank(BM25(), corpus, queries, 40)
    for other in (BM25(k1=2.0), BM25(b=0.9)):
        assert not np.array_equal(rank(other, corpus, queries, 40).scores, plain.scores)


def test_the_analyser_decides_what_matches(corpus: Corpus, rank: Rank) -> None:
    assert found(rank(BM25(), corpus, one("wings"), 100), corpus)
    assert not found(rank(BM25(analyzer=Standard()), corpus, one("wings"), 100), corpus)


def test_nothing_is_learnt(small: Dataset, context: Context) -> None:
    fitted = fit(BM25(), small.train, context)
    assert (fitted.supervision, fitted.notes) == ("none", ())
    assert fitted.key == fit(BM25(), TrainView(small.corpus), context).key
    assert fitted.resolved == {"k1": 0.9, "b": 0.4, "analyzer": {"name": "english", **English().settings()}}


FEEDBACKS = [RM3(fb_docs=2, fb_terms=3), Rocchio(fb_docs=2, fb_terms=3)]


@pytest.mark.parametrize("feedback", FEEDBACKS, ids=str)
def test_feedback_searches_again_with_what_it_makes_of_the_best_documents(rank: Rank, feedback: Feedback) -> None:
    """A document with none of the query's words is found through those of the documents that have them."""
    fillers = [(f"f{i}", "", f"filler{i} text{i}") for i in range(40)]
    documents = [("a", "", "wing flutter"), ("b", "", "wing flutter jet"), ("c", "", "flutter"), ("d", "", "drag")]
    corpus = Corpus.of([*documents, *fillers])
    assert set(found(rank(BM25(), corpus, one("wing"), 9), corpus)) == {"a", "b"}
    assert set(found(rank(BM25(feedback=feedback), corpus, one("wing"), 9), corpus)) == {"a", "b", "c"}


@pytest.mark.parametrize("feedback", FEEDBACKS, ids=str)
def test_the_second_search_is_a_loop_over_the_weights(small: Dataset, rank: Rank, feedback: Feedback) -> None:
    """Every score is Σ weight · the score of the term searched alone; weights come of the analysed best documents."""
    corpus, queries = small.corpus, small.test.queries
    analyze, n = English(), len(corpus)
    vectors = [Counter(analyze(text)) for text in corpus.texts[:]]
    first, second = rank(BM25(), corpus, queries, 2), rank(BM25(feedback=feedback), corpus, queries, n)
    for text, (rows, scores), (again, sums) in zip(queries.texts, first.rows(), second.rows(), strict=True):
        fed = [vectors[row] for row in rows.tolist()]
        weights = feedback.weights(analyze(text), fed, scores, lambda term: sum(term in v for v in vectors) / n)
        expected: dict[int, float] = {}
        for term, weight in weights.items():
            for row, score in zip(*next(rank(BM25(), corpus, one(term), n).rows()), strict=True):
                expected[int(row)] = expected.get(int(row), 0.0) + weight * float(score)
        assert dict(zip(again.tolist(), sums.tolist(), strict=True)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("feedback", FEEDBACKS, ids=str)
def test_feedback_keeps_to_the_documented_order_at_every_depth(
    corpus: Corpus, queries: Queries, rank: Rank, feedback: Feedback
) -> None:
    deep = rank(BM25(feedback=feedback), corpus, queries, 100)
    for rows, scores in deep.rows():
        pairs = list(zip(scores.tolist(), [i.encode() for i in corpus.ids(rows)], strict=True))
        assert pairs == sorted(pairs, reverse=True)
    for k in (1, 3, 7):
        shallow = rank(BM25(feedback=feedback), corpus, queries, k)
        assert np.array_equal(shallow.indices, deep.indices[:, :k])
        assert np.array_equal(shallow.scores, deep.scores[:, :k])


@pytest.mark.parametrize("feedback", FEEDBACKS, ids=str)
def test_a_query_that_matches_nothing_feeds_nothing_back(corpus: Corpus, rank: Rank, feedback: Feedback) -> None:
    for text in ("qqq", "", "the of"):
        assert rank(BM25(feedback=feedback), corpus, one(text), 4).indices.tolist() == [[-1] * 4]


def test_feedback_shares_the_index_and_keeps_the_keys_of_rows_without(
    corpus: Corpus, searcher_of: Search, context: Context, analysed: list[str]
) -> None:
    searcher_of(BM25(), corpus)
    analysed.clear()
    searcher_of(BM25(feedback=RM3()), corpus)
    assert analysed == []
    assert len(list((context.cache.root / "bm25").glob("*/meta.json"))) == 1
    assert BM25(feedback=RM3()).fingerprint() != BM25().fingerprint()
    assert BM25().full() == "bm25(k1=0.9, b=0.4, analyzer=english(stop=True, stem=True))"


def test_a_document_that_several_queries_feed_back_is_analysed_once(
    corpus: Corpus, searcher_of: Search, analysed: list[str]
) -> None:
    searcher = searcher_of(BM25(feedback=RM3(fb_docs=1)), corpus)
    analysed.clear()
    searcher.search(Queries(["a", "b"], ["wing", "wing"]), 5)
    assert len(analysed) == 3  # two queries and a document


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text, or piece of one, that went through the analyser."""
    texts: list[str] = []
    analyze = English.__call__
    monkeypatch.setattr(English, "__call__", lambda self, text: (texts.append(text), analyze(self, text))[1])
    return texts


def test_an_index_is_built_once_for_each_corpus_and_setting(
    corpus: Corpus, searcher_of: Search, context: Context, analysed: list[str]
) -> None:
    searcher_of(BM25(), corpus)
    words = sorted(set(" ".join(corpus.texts[:]).split()))
    assert sorted(analysed) == words
    analysed.clear()
    later = Context(cache=context.cache)
    searcher_of(BM25(), corpus, within=later)
    assert analysed == []
    step = next(s for s in later.ledger.steps.values() if s.kind == "index")
    place = next((context.cache.root / "bm25").glob("*"))
    assert step.cached_seconds == context.cache.meta(place)["seconds"]
    for other in (BM25(k1=1.0), BM25(b=0.5)):
        searcher_of(other, corpus)
        assert sorted(analysed) == words
        analysed.clear()
    searcher_of(BM25(), Corpus.of([corpus[0]]))
    assert sorted(analysed) == sorted(set(corpus.texts[0].split()))


def test_an_index_that_was_damaged_is_built_again(
    corpus: Corpus,
    queries: Queries,
    rank: Rank,
    context: Context,
    analysed: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = rank(BM25(), corpus, queries, 9)
    cut_short = max(next((context.cache.root / "bm25").glob("*")).iterdir(), key=lambda f: f.stat().st_size)
    cut_short.write_bytes(cut_short.read_bytes()[:-8])
    analysed.clear()
    after = rank(BM25(), corpus, queries, 9, within=Context(cache=Cache(context.cache.root)))
    assert analysed
    assert np.array_equal(before.indices, after.indices)
    assert "is damaged" in caplog.text


def test_its_size_is_that_of_the_weights(corpus: Corpus, searcher_of: Search, context: Context) -> None:
    size = searcher_of(BM25(), corpus).size
    kept = sum(f.stat().st_size for f in (context.cache.root / "bm25").rglob("*.npy"))
    assert 0 < size.index_bytes <= kept
    assert (size.model_bytes, size.parameters, size.dimensions) == (0, 0, 0)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"k1": -0.1}, "k1 must be 0 or more"),
        ({"b": 1.1}, "b must be between 0 and 1"),
        ({"b": -0.1}, "b must be between 0 and 1"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        BM25(**settings)  # type: ignore[arg-type]
