"""OpenSearch, by its official client: BM25, vectors, or both by its rank fusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from harness.base.optional import library
from harness.methods._elastic import TIMEOUT, Elastic, key
from harness.methods._engine_content import Asked
from harness.methods._search_engine import EXTRA

KEY: Final = "OPENSEARCH_PASSWORD"
USER: Final = "OPENSEARCH_USER"


@dataclass(frozen=True)
class OpenSearch(Elastic):
    """A server of OpenSearch 2.19 or later with its k-NN plug-in; vectors by Lucene's HNSW.

    User and password come from `OPENSEARCH_USER` and `OPENSEARCH_PASSWORD`.

    Args: those of `harness.methods._elastic.Elastic`.
    """

    def client(self) -> Any:
        """See `Elastic.client`."""
        password = key(KEY)
        login = {} if password is None else {"http_auth": (key(USER) or "admin", password)}
        return library("opensearchpy", EXTRA).OpenSearch(self.url, timeout=TIMEOUT, **login)

    def faults(self) -> tuple[type[Exception], ...]:
        """See `SearchEngine.faults`."""
        return (library("opensearchpy", EXTRA).OpenSearchException,)

    def settings_of_index(self) -> dict[str, Any]:
        """See `Elastic.settings_of_index`."""
        return {"knn": True} if self.search != "full_text" and self.index == "hnsw" else {}

    def vector_field(self, dimension: int) -> dict[str, Any]:
        """See `Elastic.vector_field`."""
        if self.index == "exact":
            return {"type": "knn_vector", "dimension": dimension}
        params = {"m": self.m, "ef_construction": self.ef_construction}
        method = {"name": "hnsw", "engine": "lucene", "space_type": "innerproduct", "parameters": params}
        return {"type": "knn_vector", "dimension": dimension, "method": method}

    def body(self, query: Asked, k: int) -> dict[str, Any]:
        """See `Elastic.body`."""
        if query.vector is None:
            return {"query": self.match(query)}
        near = self._near(query, k if self.search == "dense" else self.depth)
        if self.search == "dense":
            return {"query": near}
        fusion = {"score-ranker-processor": {"combination": {"technique": "rrf", "rank_constant": self.rrf}}}
        hybrid = {"queries": [self.match(query), near], "pagination_depth": self.depth}
        return {"query": {"hybrid": hybrid}, "search_pipeline": {"phase_results_processors": [fusion]}}

    def _near(self, query: Asked, k: int) -> dict[str, Any]:
        assert query.vector is not None
        vector = query.vector.tolist()
        if self.index == "hnsw":
            return {"knn": {"vector": {"vector": vector, "k": max(self.ef_search, k)}}}
        params = {"field": "vector", "query_value": vector, "space_type": "innerproduct"}
        script = {"source": "knn_score", "lang": "knn", "params": params}
        return {"script_score": {"query": {"match_all": {}}, "script": script}}
