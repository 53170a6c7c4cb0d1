"""Elasticsearch, by its official client: BM25, vectors, or both by its rrf retriever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from harness.base.optional import library
from harness.methods._elastic import MOST, TIMEOUT, Elastic, key
from harness.methods._engine_content import Asked
from harness.methods._search_engine import EXTRA

KEY: Final = "ELASTIC_API_KEY"


@dataclass(frozen=True)
class Elasticsearch(Elastic):
    """A server of Elasticsearch 8.14 or later; `hybrid` needs a licence for its rrf retriever, as a trial is.

    A key comes from `ELASTIC_API_KEY`. Vectors are compared by `max_inner_product`, with 32 bits: the server's own
    default, 8 bits, is another index.

    Args: those of `harness.methods._elastic.Elastic`.
    """

    def client(self) -> Any:
        """See `Elastic.client`."""
        return library("elasticsearch", EXTRA).Elasticsearch(self.url, api_key=key(KEY), request_timeout=TIMEOUT)

    def faults(self) -> tuple[type[Exception], ...]:
        """See `SearchEngine.faults`."""
        made = library("elasticsearch", EXTRA)
        return (made.ApiError, made.TransportError)

    def vector_field(self, dimension: int) -> dict[str, Any]:
        """See `Elastic.vector_field`."""
        options: dict[str, Any] = {"type": "flat"}
        if self.index == "hnsw":
            options = {"type": "hnsw", "m": self.m, "ef_construction": self.ef_construction}
        field = {"type": "dense_vector", "dims": dimension, "index": True, "similarity": "max_inner_product"}
        return {**field, "index_options": options}

    def body(self, query: Asked, k: int) -> dict[str, Any]:
        """See `Elastic.body`."""
        if query.vector is None:
            return {"query": self.match(query)}
        deep = k if self.search == "dense" else self.depth
        near = {"field": "vector", "query_vector": query.vector.tolist(), "k": deep}
        near["num_candidates"] = min(max(self.ef_search, deep), MOST)
        if self.search == "dense":
            return {"knn": near}
        both = [{"standard": {"query": self.match(query)}}, {"knn": near}]
        window = max(self.depth, k)
        return {"retriever": {"rrf": {"retrievers": both, "rank_constant": self.rrf, "rank_window_size": window}}}
