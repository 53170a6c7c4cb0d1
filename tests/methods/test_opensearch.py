"""OpenSearch by its own client: what it is asked where it differs from Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods.opensearch import KEY, USER, OpenSearch
from tests.methods.conftest import Make
from tests.methods.elastic_server import ElasticServer

pytest.importorskip("opensearchpy", reason="opensearch-py is not installed")
Rank = Callable[..., TopK]
ONE = Queries(["q"], ["wing drag"])


def test_vectors_are_lucenes_hnsw(corpus: Corpus, rank: Rank, engine: Make, elastic: ElasticServer) -> None:
    rank(engine("opensearch", "dense", index="hnsw", m=8, ef_search=30), corpus, ONE, 5)
    (held,) = elastic.indexes.values()
    assert held["settings"]["index"]["knn"] is True
    method = held["fields"]["vector"]["method"]
    assert (method["engine"], method["space_type"], method["parameters"]["m"]) == ("lucene", "innerproduct", 8)
    assert elastic.searched[0]["query"]["knn"]["vector"]["k"] == 30


def test_exact_search_is_a_script(corpus: Corpus, rank: Rank, engine: Make, elastic: ElasticServer) -> None:
    rank(engine("opensearch", "dense"), corpus, ONE, 5)
    (held,) = elastic.indexes.values()
    assert "knn" not in held["settings"]["index"]
    assert held["fields"]["vector"] == {"type": "knn_vector", "dimension": 32}
    script = elastic.searched[0]["query"]["script_score"]["script"]
    assert (script["source"], script["params"]["space_type"]) == ("knn_score", "innerproduct")


def test_a_hybrid_search_brings_its_pipeline(corpus: Corpus, rank: Rank, engine: Make, elastic: ElasticServer) -> None:
    rank(engine("opensearch", "hybrid", depth=20, rrf=10), corpus, ONE, 5)
    asked = elastic.searched[0]
    assert asked["query"]["hybrid"]["pagination_depth"] == 20
    (processor,) = asked["search_pipeline"]["phase_results_processors"]
    assert processor["score-ranker-processor"]["combination"] == {"technique": "rrf", "rank_constant": 10}


def test_user_and_password_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "secret")
    monkeypatch.setenv(USER, "me")
    client = OpenSearch(url="http://localhost:9200").client()
    assert client.transport.kwargs["http_auth"] == ("me", "secret")
    client.close()
