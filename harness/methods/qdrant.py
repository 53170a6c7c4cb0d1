"""Qdrant: its BM25, its vectors, or both; in this process or on a server."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import secrets
import time
import warnings
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from harness.base.errors import EngineError, SettingError
from harness.base.optional import library
from harness.choices.bounds import Count, NonNegative, Share
from harness.endpoints.address import is_local
from harness.methods._engine_content import Asked, Content
from harness.methods._search_engine import EXTRA, TextAndVectors, VectorIndex

KEY: Final = "QDRANT_API_KEY"
PATIENCE: Final = 1800.0
"""Seconds that a server has to index what it was given."""
LOCAL: Final = (
    "qdrant without url is its local mode, in Python: it compares every vector and reads every text for each query, so "
    "its latency is not the server's; its size is that of the vectors and texts"
)
UNSIZED: Final = "Qdrant's server does not say how large its index is"


@dataclass(frozen=True)
class Qdrant(TextAndVectors):
    """BM25 of a text index, vectors by inner product, both fused by Qdrant itself (its own default of `rrf` is 2).

    Without `url` the client's local mode searches, in memory. With it the index is a collection of the server, named
    by the content, that is used again. A key comes from `QDRANT_API_KEY`. BM25 over a text index needs Qdrant 1.19.

    Args: those of `TextAndVectors` and
        url: of a server; empty for local mode.
        language: of the stop words and the stemmer, as `english`, which local mode lacks; empty for neither.
        k1: saturation of term frequency.
        b: strength of length normalisation.
        index: `hnsw` is approximate once a segment has more than 10 MB of vectors; `exact` compares every vector.
        m: neighbours of a vector in a layer.
        ef_construct: candidates while neighbours are searched.
        ef_search: candidates of a query, at least k.
    """

    of_a_search: ClassVar[frozenset[str]] = TextAndVectors.of_a_search | {"url", "k1", "b", "ef_search"}
    url: str = ""
    language: str = ""
    k1: NonNegative = 1.2
    b: Share = 0.75
    index: VectorIndex = "hnsw"
    m: Count = 16
    ef_construct: Count = 100
    ef_search: Count = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.url:
            is_local(self.url, "qdrant")
        elif self.language:
            raise SettingError("qdrant: local mode has no stemmers and stop words: leave language out, or set url.")

    def versions(self) -> dict[str, str]:
        """See `SearchEngine.versions`."""
        library("qdrant_client", EXTRA)
        if not self.url:
            return {"qdrant-client": importlib.metadata.version("qdrant-client")}
        try:
            with contextlib.closing(self.client()) as client:
                return {"qdrant": str(client.info().version)}
        except self.faults() as error:
            raise self.absent(self.url, error, "Start it, or leave url out.") from error

    def faults(self) -> tuple[type[Exception], ...]:
        """See `SearchEngine.faults`."""
        return (library("qdrant_client.http.exceptions", EXTRA).ApiException, ValueError)

    def approximate(self) -> bool:
        """See `SearchEngine.approximate`."""
        return bool(self.url) and self.search == "dense" and self.index == "hnsw"

    def client(self) -> Any:
        """A new one."""
        made = library("qdrant_client", EXTRA).QdrantClient
        with _quiet():
            if not self.url:
                return made(":memory:")
            return made(url=self.url, api_key=os.environ.get(KEY) or None, timeout=60, check_compatibility=False)

    def start(self, content: Content) -> _Running:
        """See `SearchEngine.start`; a collection gets its name when it is complete."""
        client, name = self.client(), f"harness-{content.key}"
        if name not in {each.alias_name for each in client.get_aliases().aliases}:
            part = f"{name}-{secrets.token_hex(4)}"
            try:
                _build(client, self, content, part)
            except BaseException:
                with contextlib.suppress(*self.faults()):
                    client.delete_collection(part)
                raise
            made = library("qdrant_client.models", EXTRA)
            alias = made.CreateAlias(collection_name=part, alias_name=name)
            client.update_collection_aliases([made.CreateAliasOperation(create_alias=alias)])
        size = 0 if self.url else _bytes(self, content)
        running = _Running(self, client, name, size)
        weakref.finalize(running, client.close)
        return running


def _build(client: Any, method: Qdrant, content: Content, name: str) -> None:
    models, vectors = library("qdrant_client.models", EXTRA), content.vectors
    config = {}
    if vectors is not None:
        hnsw = models.HnswConfigDiff(m=method.m, ef_construct=method.ef_construct)
        config = {"dense": models.VectorParams(size=vectors.dimension, distance="Dot", hnsw_config=hnsw)}
    client.create_collection(name, vectors_config=config)
    if method.has_texts():
        words: dict[str, Any] = {}
        if method.language:
            words = {"stopwords": method.language, "stemmer": {"type": "snowball", "language": method.language}}
        schema = models.TextIndexParams(type="text", scoring=True, **words)
        with _quiet():
            client.create_payload_index(name, "body", field_schema=schema, wait=True)
    for batch in content.batches("qdrant"):
        texts = [{"body": text} for text in batch.texts] if method.has_texts() else None
        dense = {} if batch.vectors is None else {"dense": batch.vectors.tolist()}
        client.upsert(name, models.Batch(ids=batch.places, payloads=texts, vectors=dense), wait=True)
    if method.url:
        _wait(client, name)


def _wait(client: Any, name: str) -> None:
    """Until the server has indexed everything."""
    end = time.monotonic() + PATIENCE
    while (status := client.get_collection(name).status.value) != "green":
        if status == "red" or time.monotonic() > end:
            raise EngineError(f"qdrant: the collection {name} is {status}, not indexed; look at the server's log.")
        time.sleep(0.1)


def _bytes(method: Qdrant, content: Content) -> int:
    """Of the vectors and texts."""
    vectors = 0 if content.vectors is None else len(content) * content.vectors.dimension * 4
    return vectors + (content.corpus.nbytes if method.has_texts() else 0)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings, as that local mode has no indexes, or that a key is sent to http."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Running:
    ordered = False

    def __init__(self, method: Qdrant, client: Any, name: str, size: int) -> None:
        self._method, self._client, self._name, self.index_bytes = method, client, name, size
        self._models = library("qdrant_client.models", EXTRA)
        self.notes = (UNSIZED if method.url else LOCAL,)

    def ask(self, query: Asked, k: int) -> list[tuple[int, float]]:
        """See `Running.ask`."""
        how = self._query(query, k)
        points = self._client.query_points(self._name, limit=k, with_payload=False, **how).points
        return [(point.id, point.score) for point in points]

    def _query(self, query: Asked, k: int) -> dict[str, Any]:
        models, method = self._models, self._method
        words = models.TextQuery(text={"query": query.text, "scoring": {"bm25": {"k": method.k1, "b": method.b}}})
        if query.vector is None:
            return {"query": words, "using": "body"}
        deep = k if method.search == "dense" else method.depth
        params = None  # local mode compares every vector, and warns about parameters
        if method.url:
            params = models.SearchParams(hnsw_ef=max(method.ef_search, deep), exact=method.index == "exact")
        close = {"query": query.vector.tolist(), "using": "dense"}
        if method.search == "dense":
            return {**close, "search_params": params}
        parts = [
            models.Prefetch(query=words, using="body", limit=method.depth),
            models.Prefetch(**close, params=params, limit=method.depth),
        ]
        # Qdrant counts ranks from 0.
        return {"prefetch": parts, "query": models.RrfQuery(rrf=models.Rrf(k=method.rrf + 1))}
