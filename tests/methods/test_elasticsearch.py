"""Elasticsearch by its own client: what it is asked, and refusals of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.base.errors import EngineError, SettingError
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher
from harness.methods.elasticsearch import KEY, Elasticsearch
from tests.methods.conftest import Make
from tests.methods.elastic_server import ElasticServer, refusal

pytest.importorskip("elasticsearch", reason="elasticsearch is not installed")
Rank = Callable[..., TopK]
Search = Callable[..., Searcher]
ONE = Queries(["q"], ["wing drag"])


def test_full_text_is_a_match_by_bm25_with_the_settings(
    corpus: Corpus, rank: Rank, engine: Make, elastic: ElasticServer
) -> None:
    rank(engine("elasticsearch", k1=0.9, b=0.4, analyzer="standard"), corpus, ONE, 5)
    (index,) = elastic.indexes.values()
    assert index["settings"]["similarity"] == {"ours": {"type": "BM25", "k1": 0.9, "b": 0.4}}
    assert index["fields"] == {"body": {"type": "text", "analyzer": "standard", "similarity": "ours"}}
    asked = elastic.searched[0]
    assert asked["query"] == {"match": {"body": {"query": "wing drag"}}}
    assert asked["size"] == 6, "one more, to see a tie at the cut"


@pytest.mark.parametrize(
    ("index", "options"), [("exact", {"type": "flat"}), ("hnsw", {"type": "hnsw", "m": 8, "ef_construction": 50})]
)
def test_vectors_are_searched_by_knn(
    index: str, options: dict[str, Any], corpus: Corpus, rank: Rank, engine: Make, elastic: ElasticServer
) -> None:
    rank(engine("elasticsearch", "dense", index=index, m=8, ef_construction=50, ef_search=30), corpus, ONE, 5)
    (held,) = elastic.indexes.values()
    assert held["fields"]["vector"]["index_options"] == options
    assert held["fields"]["vector"]["similarity"] == "max_inner_product"
    knn = elastic.searched[0]["knn"]
    assert (knn["k"], knn["num_candidates"], len(knn["query_vector"])) == (6, 30, 32)


def test_a_hybrid_search_is_its_rrf_retriever(corpus: Corpus, rank: Rank, engine: Make, elastic: ElasticServer) -> None:
    rank(engine("elasticsearch", "hybrid", depth=20, rrf=10), corpus, ONE, 5)
    rrf = elastic.searched[0]["retriever"]["rrf"]
    assert (rrf["rank_constant"], rrf["rank_window_size"]) == (10, 20)
    words, near = rrf["retrievers"]
    assert words == {"standard": {"query": {"match": {"body": {"query": "wing drag"}}}}}
    assert near["knn"]["k"] == 20


def test_without_a_licence_the_servers_words_are_shown(
    corpus: Corpus, searcher_of: Search, engine: Make, elastic: ElasticServer
) -> None:
    searcher = searcher_of(engine("elasticsearch", "hybrid"), corpus)
    reason = "current license is non-compliant for [Reciprocal Rank Fusion (RRF)]"
    elastic.fault = lambda verb, path, n: refusal(403, "security_exception", reason)
    with pytest.raises(EngineError, match="non-compliant for"):
        searcher.search(ONE, 5)


def test_a_document_that_is_refused_ends_the_row_and_leaves_no_index(
    corpus: Corpus, searcher_of: Search, engine: Make, elastic: ElasticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"type": "dense_vector", "dims": 7}
    monkeypatch.setattr(Elasticsearch, "vector_field", lambda self, dimension: wrong)
    with pytest.raises(EngineError, match=r"refused a document: document_parsing_exception: .*7 dimensions"):
        searcher_of(engine("elasticsearch", "dense"), corpus)
    assert elastic.indexes == {}
    assert elastic.aliases == {}


def test_an_index_of_another_mapping_under_its_name_ends_the_row(
    corpus: Corpus, searcher_of: Search, engine: Make, elastic: ElasticServer
) -> None:
    searcher = searcher_of(engine("elasticsearch"), corpus)
    (held,) = elastic.indexes.values()
    held["fields"] = {"content": {"type": "text"}}
    with pytest.raises(EngineError, match=r"the search of query 'q' failed: .*failed to find field"):
        searcher.search(ONE, 5)


def test_an_answer_of_some_shards_is_no_answer(
    corpus: Corpus, searcher_of: Search, engine: Make, elastic: ElasticServer
) -> None:
    searcher = searcher_of(engine("elasticsearch"), corpus)
    for partial in ({"_shards": {"failed": 1}}, {"timed_out": True}):
        told = {"hits": {"hits": []}, **partial}
        elastic.fault = lambda verb, path, n, told=told: (200, told)  # type: ignore[misc]
        with pytest.raises(EngineError, match="the answer is not whole"):
            searcher.search(ONE, 5)


def test_an_index_that_lost_documents_is_not_used(
    corpus: Corpus, searcher_of: Search, engine: Make, elastic: ElasticServer
) -> None:
    elastic.fault = lambda verb, path, n: (200, {"count": 39}) if path.endswith("/_count") else None
    with pytest.raises(EngineError, match="the index has 39 of 40 documents"):
        searcher_of(engine("elasticsearch"), corpus)
    assert elastic.indexes == {}


def test_the_address_has_no_key_and_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="name the server, as elasticsearch"):
        Elasticsearch()
    with pytest.raises(SettingError, match="without a key"):
        Elasticsearch(url="http://elastic:secret@localhost:9200")
    monkeypatch.setenv(KEY, "secret")
    client = Elasticsearch(url="http://localhost:9200").client()
    assert client._headers["authorization"] == "ApiKey secret"
    client.close()
