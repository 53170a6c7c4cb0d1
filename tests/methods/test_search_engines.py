"""What holds for every search engine: it ranks what it was given, takes a query as plain text, and no fault becomes a
score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from harness.base.errors import EngineError, SettingError, Unavailable
from harness.cache.kinds import is_key
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.fusions.rrf import RRF
from harness.methods import Method, Searcher, fit, index
from harness.methods._engine_content import Content, plain, ranking_of
from harness.methods.dense import Dense
from harness.methods.hybrid import Hybrid
from harness.runtime.context import Context
from tests.methods.conftest import ENGINES, WITH_VECTORS, Make

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]
DEEP = 100  # deeper than the corpus
ODD = ["a b", "'\"", "%s", "-1", "ö\u0301", "d\\x", "0", "NULL", "AND", "x" * 300]


def names(corpus: Corpus, top: TopK) -> list[list[str]]:
    return [corpus.ids(rows) for rows, _ in top.rows()]


@pytest.fixture
def odd() -> Corpus:
    """Ids that some engine would read as something else; a text that is empty, and one with a NUL."""
    texts = ["wing", "drag of a wing", "", "heat\0shock", "wing wing", "plate", "jet", "flow", "layer", "drag"]
    return Corpus.of([(name, "", text) for name, text in zip(ODD, texts, strict=True)])


# Rankings


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_an_exact_search_of_vectors_ranks_as_ours(
    name: str, engine: Make, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    method = engine(name, "dense")
    found, ours = rank(method, corpus, queries, DEEP), rank(method.encoder, corpus, queries, DEEP)  # type: ignore[attr-defined]
    for (rows, _), (true, scores) in zip(found.rows(), ours.rows(), strict=True):
        assert sorted(rows) == sorted(true)
        score_of = dict(zip(true.tolist(), scores.tolist(), strict=True))
        assert [score_of[row] for row in rows.tolist()] == pytest.approx(scores.tolist(), abs=1e-5)


@pytest.mark.parametrize("name", [each for each in WITH_VECTORS if not each.endswith("search")])  # those are Lucene's
def test_the_scores_of_an_exact_search_are_inner_products(
    name: str, engine: Make, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    method = engine(name, "dense")
    found, ours = rank(method, corpus, queries, 7), rank(method.encoder, corpus, queries, 7)  # type: ignore[attr-defined]
    assert found.scores == pytest.approx(ours.scores, abs=1e-5)


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_a_hybrid_search_is_reciprocal_rank_fusion_of_the_engines_own_two(
    name: str, engine: Make, odd: Corpus, rank: Rank
) -> None:
    queries = Queries(["q"], ["drag shock"])  # neither ranking of it has ties
    both = engine(name, "hybrid")
    parts = Hybrid((engine(name), engine(name, "dense")), fusion=RRF(k=60))
    found, expected = rank(both, odd, queries, DEEP), rank(parts, odd, queries, DEEP)
    assert np.sort(found.scores[found.scores > 0]) == pytest.approx(
        np.sort(expected.scores[expected.scores > 0]), abs=1e-6
    )
    assert names(odd, found)[0][0] == names(odd, expected)[0][0]


@pytest.mark.parametrize("name", ENGINES)
def test_ids_may_have_any_form_and_documents_may_be_empty(name: str, engine: Make, odd: Corpus, rank: Rank) -> None:
    found = names(odd, rank(engine(name), odd, Queries(["q", "r"], ["plate", "shock"]), 5))
    assert found == [[ODD[5]], [ODD[3]]]


@pytest.mark.parametrize("name", ENGINES)
def test_equal_scores_are_in_the_documented_order_also_at_the_cut(name: str, engine: Make, rank: Rank) -> None:
    same = Corpus.of(
        [(f"d{i:02}", "", "wing") for i in range(30)] + [(f"e{i:02}", "", "heat of it") for i in range(40)]
    )
    found = names(same, rank(engine(name), same, Queries(["q"], ["wing"]), 4))
    assert found == [["d29", "d28", "d27", "d26"]]


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_equal_vectors_are_in_the_documented_order_also_at_the_cut(name: str, engine: Make, rank: Rank) -> None:
    same = Corpus.of([(f"d{i:02}", "", "wing") for i in range(30)])
    assert names(same, rank(engine(name, "dense"), same, Queries(["q"], ["wing"]), 3)) == [["d29", "d28", "d27"]]


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_vectors_need_not_have_length_one(
    name: str, engine: Make, corpus: Corpus, queries: Queries, rank: Rank, tiny_encoder: Any
) -> None:
    encoder = Dense(str(tiny_encoder), precision="fp32", similarity="dot")
    settings = {key: value for key, value in engine(name, "dense").__dict__.items() if key != "encoder"}
    method = type(engine(name))(**{**settings, "encoder": encoder})
    ours = rank(encoder, corpus, queries, 5)
    assert names(corpus, rank(method, corpus, queries, 5)) == names(corpus, ours)


@pytest.mark.parametrize("name", ENGINES)
def test_no_ranking_is_longer_than_what_is_found(name: str, engine: Make, odd: Corpus, rank: Rank) -> None:
    found = rank(engine(name), odd, Queries(["q"], ["wing"]), 50)
    assert sorted(names(odd, found)[0]) == sorted([ODD[0], ODD[1], ODD[4]])


# Queries are plain text

PLAIN = "wing drag heat"
SYNTAX = [
    '"wing" -drag* (heat)',
    "wing: drag^ ~heat~",
    "+wing | drag & !heat",
    "wing' drag\\ heat;--",
    "[wing] {drag} < heat >",
    "wing\0drag\0heat",
    "wing\ndrag\theat\r",
    "%wing% $drag @heat",
    '"wing drag heat',
    "wing / drag / heat ?*",
]


@pytest.mark.parametrize("name", ENGINES)
def test_nothing_in_a_query_is_syntax(name: str, engine: Make, corpus: Corpus, rank: Rank) -> None:
    searched = Queries([str(i) for i in range(len(SYNTAX) + 1)], [PLAIN, *SYNTAX])
    top = rank(engine(name), corpus, searched, 10)
    for i, text in enumerate(SYNTAX, start=1):
        assert top.indices[i].tolist() == top.indices[0].tolist(), text
        assert top.scores[i] == pytest.approx(top.scores[0], abs=1e-6), text


@pytest.mark.parametrize("name", ENGINES)
def test_operators_in_words_are_words(name: str, engine: Make, rank: Rank) -> None:
    some = Corpus.of([("w", "", "wing"), ("h", "", "heat"), ("o", "", "jet"), ("p", "", "plate")])
    found = rank(engine(name), some, Queries(["q", "r"], ["wing AND NOT heat", "body:wing OR NEAR(heat, 2) TO"]), 10)
    assert [sorted(each) for each in names(some, found)] == [["h", "w"], ["h", "w"]]


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("search", ["full_text", "hybrid"])
def test_a_query_may_be_empty_or_long_or_no_unicode(
    name: str, search: str, engine: Make, odd: Corpus, rank: Rank
) -> None:
    if name == "tantivy" and search == "hybrid":
        search = "full_text"
    texts = [
        "",
        " \t",
        '"',
        "?!",
        "\0",
        "\ud800 plate",
        "wing " * 3000,
        " ".join(f"w{i}" for i in range(900)) + " plate",
    ]
    top = rank(engine(name, search), odd, Queries([str(i) for i in range(len(texts))], texts), 3)
    found = names(odd, top)
    if search == "full_text":
        assert found[:5] == [[]] * 5
        assert found[5] == found[7] == [ODD[5]]
    assert ODD[4] in found[6] or ODD[0] in found[6]


def test_what_no_engine_stores_is_replaced() -> None:
    assert plain("a\0b\ud800") == "a b�"
    assert plain("ö'\"") == "ö'\""


# Faults


def test_an_answer_that_is_no_ranking_is_refused() -> None:
    rows = np.array([2, 0, 1])
    assert [each.tolist() for each in ranking_of([("1", 2.0), (0, 1)], "it", rows)] == [[0, 2], [2.0, 1.0]]
    for answer, told in [
        ([(0, 1.0), (1, 0.5), (0, 0.2)], "document 0 twice"),
        ([(0, 1.0), (1, float("nan"))], "score nan at rank 2, which is no finite number"),
        ([(0, float("inf"))], "score inf at rank 1"),
        ([(0, 1e300)], "no finite number"),
        ([(3, 1.0)], "a document 3 of 3: something else wrote to the index"),
        ([(-1, 1.0)], "a document -1 of 3"),
        ([("d1", 1.0)], "no list of documents and scores"),
        ([(0, None)], "the score None at rank 1"),
    ]:
        with pytest.raises(EngineError, match=told):
            ranking_of(answer, "it", rows)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ([(1, 2.0), (1, 2.0)], "the answer to query 'q' has document 1 twice"),
        ([(1, float("nan"))], "the answer to query 'q' has the score nan"),
        ([(999, 1.0)], "has a document 999 of 40"),
    ],
)
@pytest.mark.parametrize("name", ENGINES)
def test_a_false_answer_ends_the_row(
    name: str, answer: list[Any], told: str, engine: Make, corpus: Corpus, searcher_of: Search
) -> None:
    searcher = searcher_of(engine(name), corpus)
    searcher._running.ask = lambda query, k: answer  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match=told):
        searcher.search(Queries(["q"], ["wing"]), 5)


@pytest.mark.parametrize("name", ENGINES)
def test_fewer_than_requested_are_a_short_ranking(name: str, engine: Make, corpus: Corpus, searcher_of: Search) -> None:
    searcher = searcher_of(engine(name), corpus)
    searcher._running.ask = lambda query, k: [(7, 1.5)]  # type: ignore[attr-defined]
    top = searcher.search(Queries(["q"], ["wing"]), 5)
    assert (top.indices[0] >= 0).tolist() == [True, False, False, False, False]


SERVERS = ("qdrant-server", "elasticsearch", "opensearch")


def server_of(name: str, request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("qdrant_server" if name.startswith("qdrant") else "elastic")


def is_write(path: str) -> bool:
    return path.endswith(("/points", "/_bulk"))


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_goes_away_while_it_indexes_leaves_nothing_that_is_used(
    name: str,
    engine: Make,
    corpus: Corpus,
    queries: Queries,
    searcher_of: Search,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.methods._engine_content.DOCUMENTS", 10)
    server, method, writes = server_of(name, request), engine(name), 0
    calm = server.fault

    def gone(verb: str, path: str, n: int) -> None:
        nonlocal writes
        writes += is_write(path)
        if writes > 2:
            raise ConnectionError

    server.fault = gone
    with pytest.raises(EngineError, match=rf"{method.name()}: indexing failed: .*run again"):
        searcher_of(method, corpus, within=Context())
    server.fault = calm
    top = searcher_of(method, corpus, within=Context()).search(queries, 5)
    assert top.indices[0, 0] >= 0
    assert len(names(corpus, top)[3]) == 5, "all documents with the word are found: it was built again"


def test_a_postgres_that_goes_away_while_it_indexes_leaves_nothing(
    engine: Make,
    corpus: Corpus,
    queries: Queries,
    searcher_of: Search,
    postgres_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import psycopg

    method, whole = engine("postgres"), Content.batches

    def gone(self: Content, name: str) -> Iterable[Any]:
        yield from whole(self, name)
        with psycopg.connect(postgres_server, autocommit=True) as other:
            ended = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() AND datname = %s"
            )
            other.execute(ended, ("postgres",))

    monkeypatch.setattr(Content, "batches", gone)
    with pytest.raises(EngineError, match=r"postgres: indexing failed: .*run again"):
        searcher_of(method, corpus, within=Context())
    monkeypatch.setattr(Content, "batches", whole)
    with psycopg.connect(postgres_server) as base:
        assert base.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'harness'").fetchone() == (0,)
    assert searcher_of(method, corpus, within=Context()).search(queries, 5).indices[0, 0] >= 0


@pytest.mark.parametrize("name", ["tantivy", "sqlite", "milvus"])
def test_an_engine_that_fails_while_it_indexes_leaves_nothing_that_is_used(
    name: str,
    engine: Make,
    corpus: Corpus,
    queries: Queries,
    searcher_of: Search,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    method, whole = engine(name), Content.batches
    fault = method.faults()[0]  # type: ignore[attr-defined]

    def full(self: Content, named: str) -> Iterable[Any]:
        yield from whole(self, named)
        raise fault("torn")

    monkeypatch.setattr(Content, "batches", full)
    with pytest.raises(EngineError, match=rf"{name}: indexing failed: .*torn.* run again"):
        searcher_of(method, corpus, within=Context(cache=context.cache))
    kept = context.cache.root / "search-engines"
    assert not [entry for entry in kept.iterdir() if is_key(entry.name)]
    monkeypatch.setattr(Content, "batches", whole)
    top = searcher_of(method, corpus, within=Context(cache=context.cache)).search(queries, 5)
    assert top.indices[0, 0] >= 0
    assert [is_key(entry.name) for entry in kept.iterdir()] == [True]


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_goes_away_later_ends_the_row_and_names_the_query(
    name: str, engine: Make, corpus: Corpus, searcher_of: Search, request: pytest.FixtureRequest
) -> None:
    searcher = searcher_of(engine(name), corpus)
    refused = (503, {"error": {"type": "unavailable", "reason": "shutting down"}, "status": {"error": "shutting down"}})
    server_of(name, request).fault = lambda verb, path, n: refused
    with pytest.raises(EngineError, match=r"the search of query 'mine' failed: .*503"):
        searcher.search(Queries(["mine"], ["wing"]), 5)


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_not_there_is_a_skipped_row(
    name: str, engine: Make, corpus: Corpus, context: Context, request: pytest.FixtureRequest
) -> None:
    method = engine(name)
    server_of(name, request).close()
    with pytest.raises(Unavailable, match=r"no server answers at http://127\.0\.0\.1"):
        fit(method, TrainView(corpus), context)


@pytest.mark.parametrize("name", ["qdrant-server", "postgres", "elasticsearch", "opensearch"])
def test_an_index_on_a_server_is_built_once(
    name: str, engine: Make, corpus: Corpus, queries: Queries, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = engine(name)
    first = rank(method, corpus, queries, 9)
    monkeypatch.setattr("harness.methods._engine_content.Content.batches", lambda *given: pytest.fail("built again"))
    again = rank(method, corpus, queries, 9, within=Context())
    assert again.indices.tolist() == first.indices.tolist()


@pytest.mark.parametrize("name", ["sqlite", "tantivy"])
def test_an_index_in_the_cache_is_built_once(
    name: str,
    engine: Make,
    corpus: Corpus,
    queries: Queries,
    rank: Rank,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = rank(engine(name), corpus, queries, 9)
    monkeypatch.setattr("harness.methods._engine_content.Content.batches", lambda *given: pytest.fail("built again"))
    later = Context(cache=context.cache)
    assert rank(engine(name), corpus, queries, 9, within=later).indices.tolist() == first.indices.tolist()


@pytest.mark.parametrize("name", ENGINES)
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    name: str, engine: Make, corpus: Corpus, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = engine(name)
    monkeypatch.setattr("harness.base.optional.import_module", _absent)
    with pytest.raises(Unavailable, match=r'is not installed. `pip install "retrieval-harness\[engines\]"`'):
        fit(method, TrainView(corpus), context)


def _absent(name: str) -> Any:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])


# Settings


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_an_encoder_without_vectors_is_refused(name: str, engine: Make, corpus: Corpus, context: Context) -> None:
    from harness.methods.bm25 import BM25

    settings = {key: value for key, value in engine(name, "dense").__dict__.items() if key != "encoder"}
    with pytest.raises(SettingError, match="encoder must be a row with one vector a text, as dense, not bm25"):
        fit(type(engine(name))(**{**settings, "encoder": BM25()}), TrainView(corpus), context)


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_full_text_opens_no_encoder(name: str, engine: Make, corpus: Corpus, context: Context) -> None:
    settings = {key: value for key, value in engine(name).__dict__.items() if key != "encoder"}
    method: Method = type(engine(name))(**{**settings, "encoder": Dense("no-such-model")})
    assert list(method.nested()) == []
    assert index(method, fit(method, TrainView(corpus), context), corpus, context).size.parameters == 0


@pytest.mark.parametrize("name", ["sqlite", "postgres", "elasticsearch"])
def test_the_record_has_versions_encoder_and_size(name: str, engine: Make, corpus: Corpus, context: Context) -> None:
    method = engine(name, "hybrid")
    fitted = fit(method, TrainView(corpus), context)
    searcher = index(method, fitted, corpus, context)
    assert all(fitted.resolved["versions"].values())
    assert fitted.resolved["encoder"]["similarity"] == "cosine"
    assert searcher.size.index_bytes > 1000
    assert searcher.size.dimensions == 32


def test_an_approximate_index_has_its_recall_in_the_notes(
    engine: Make, corpus: Corpus, queries: Queries, searcher_of: Search
) -> None:
    notes = searcher_of(engine("postgres", "dense", index="hnsw", ef_search=1), corpus).notes(queries)
    assert any("is approximate: it finds" in note and "(6 of the queries)" in note for note in notes)
    assert searcher_of(engine("postgres", "dense"), corpus).notes(queries) == ()
