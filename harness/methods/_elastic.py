"""What Elasticsearch and OpenSearch have in common: an index filled in bulk, named when it is complete."""

from __future__ import annotations

import contextlib
import os
import secrets
import weakref
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from harness.base.errors import EngineError, SettingError
from harness.choices.bounds import Count, NonNegative, Share
from harness.endpoints.address import is_local
from harness.methods._engine_content import Asked, Content, Documents
from harness.methods._search_engine import TextAndVectors, VectorIndex

MOST: Final = 10_000
"""`index.max_result_window`."""
TIMEOUT: Final = 120


@dataclass(frozen=True)
class Elastic(TextAndVectors):
    """A server that speaks the protocol: `_bulk`, `_search`, aliases.

    The index has one shard in one segment, without sources, and is named by the content; it is used again.

    Args: those of `TextAndVectors` and
        url: of the server.
        analyzer: of the server, as `english` or `standard`.
        k1: saturation of term frequency.
        b: strength of length normalisation.
        index: `hnsw` is approximate; `exact` compares every vector.
        m: neighbours of a vector in a layer.
        ef_construction: candidates while neighbours are searched.
        ef_search: candidates of a query, at least k.
    """

    most: ClassVar[int] = MOST
    of_a_search: ClassVar[frozenset[str]] = TextAndVectors.of_a_search | {"url", "ef_search"}
    url: str = ""
    analyzer: str = "english"
    k1: NonNegative = 1.2
    b: Share = 0.75
    index: VectorIndex = "hnsw"
    m: Count = 16
    ef_construction: Count = 100
    ef_search: Count = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.url:
            raise SettingError(f'{self.name()}: name the server, as {self.name()}(url="http://localhost:9200")')
        is_local(self.url, self.name())

    @abstractmethod
    def client(self) -> Any:
        """The official client."""

    @abstractmethod
    def vector_field(self, dimension: int) -> dict[str, Any]:
        """The mapping of the vectors."""

    @abstractmethod
    def body(self, query: Asked, k: int) -> dict[str, Any]:
        """What `_search` is asked."""

    def settings_of_index(self) -> dict[str, Any]:
        """Settings of the index, besides shards and BM25."""
        return {}

    def versions(self) -> dict[str, str]:
        """See `SearchEngine.versions`."""
        try:
            with contextlib.closing(self.client()) as client:
                return {self.name(): str(client.info()["version"]["number"])}
        except self.faults() as error:
            raise self.absent(self.url, error) from error

    def approximate(self) -> bool:
        """See `SearchEngine.approximate`."""
        return self.search == "dense" and self.index == "hnsw"

    def match(self, query: Asked) -> dict[str, Any]:
        """Any of the terms of a text; nothing in it is syntax."""
        return {"match": {"body": {"query": query.text}}}

    def start(self, content: Content) -> _Running:
        """See `SearchEngine.start`."""
        client, name = self.client(), f"harness-{content.key}"
        if not client.indices.exists_alias(name=name):
            part = f"{name}-{secrets.token_hex(4)}"
            try:
                _build(client, self, content, part)
                client.indices.put_alias(index=part, name=name)
            except BaseException:
                with contextlib.suppress(*self.faults()):
                    client.indices.delete(index=part)
                raise
        running = _Running(self, client, name)
        weakref.finalize(running, client.close)
        return running


def _build(client: Any, method: Elastic, content: Content, name: str) -> None:
    fields: dict[str, Any] = {}
    if method.has_texts():
        fields["body"] = {"type": "text", "analyzer": method.analyzer, "similarity": "ours"}
    if content.vectors is not None:
        fields["vector"] = method.vector_field(content.vectors.dimension)
    similarity = {"ours": {"type": "BM25", "k1": method.k1, "b": method.b}}
    index = {"number_of_shards": 1, "number_of_replicas": 0, **method.settings_of_index()}
    mappings = {"dynamic": "strict", "_source": {"enabled": False}, "properties": fields}
    settings = {"index": index, "similarity": similarity}
    client.indices.create(index=name, body={"settings": settings, "mappings": mappings})
    for batch in content.batches(method.name()):
        answer = client.bulk(body=list(_lines(batch, method)), index=name)
        if answer["errors"]:
            refused = next(error for each in answer["items"] for one in each.values() if (error := one.get("error")))
            raise EngineError(
                f"{method.name()}: the server refused a document: {refused.get('type')}: {refused.get('reason')}"
            )
    client.indices.refresh(index=name)
    client.indices.forcemerge(index=name, max_num_segments=1)
    held = int(client.count(index=name)["count"])
    if held != len(content):
        raise EngineError(f"{method.name()}: the index has {held:,} of {len(content):,} documents; run again.")


def _lines(batch: Documents, method: Elastic) -> Iterator[dict[str, Any]]:
    """An action and a document, in turn."""
    for n, (place, text) in enumerate(zip(batch.places, batch.texts, strict=True)):
        yield {"index": {"_id": str(place)}}
        body = {"body": text} if method.has_texts() else {}
        yield body if batch.vectors is None else {**body, "vector": batch.vectors[n].tolist()}


def key(variable: str) -> str | None:
    """A key from the environment; None for none."""
    return os.environ.get(variable, "").strip() or None


class _Running:
    ordered, notes = False, ()

    def __init__(self, method: Elastic, client: Any, name: str) -> None:
        self._method, self._client, self._name = method, client, name
        stats = client.indices.stats(index=name, metric="store")
        self.index_bytes = int(stats["_all"]["primaries"]["store"]["size_in_bytes"])

    def ask(self, query: Asked, k: int) -> list[tuple[str, float]]:
        """See `Running.ask`; a partial answer, as of a shard that failed, is an error."""
        body = {**self._method.body(query, k), "size": k, "_source": False, "track_total_hits": False}
        answer = self._client.search(index=self._name, body=body)
        if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
            raise EngineError(f"{self._method.name()}: a shard failed, or time was out: the answer is not whole.")
        return [(hit["_id"], hit["_score"]) for hit in answer["hits"]["hits"]]
