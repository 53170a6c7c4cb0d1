"""Milvus: its BM25, its vectors, or both; Milvus Lite in this process, or a server."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from harness.base.optional import library
from harness.choices.bounds import Count, NonNegative, Share
from harness.endpoints.address import is_local
from harness.methods._engine_content import DOCUMENTS, Asked, Content, plain
from harness.methods._search_engine import EXTRA, TextAndVectors, VectorIndex

KEY: Final = "MILVUS_TOKEN"
FILE: Final = "lite.db"
"""A folder; Milvus Lite knows its own by the end of the name."""
LONGEST: Final = 65_535
"""Bytes of a text that Milvus takes."""


@dataclass(frozen=True)
class Milvus(TextAndVectors):
    """BM25 by a function of the collection, vectors by inner product, both fused by Milvus itself.

    Without `url` Milvus Lite searches, in a copy of its files in the cache, since it writes to them. With it the index
    is a collection of the server, named by the content, that is used again. A token comes from `MILVUS_TOKEN`.

    Args: those of `TextAndVectors` and
        url: of a server, as `http://localhost:19530`; empty for Milvus Lite.
        analyzer: `standard` splits words and puts them in lower case; `english`, which Lite lacks, stems and has stop
            words.
        k1: saturation of term frequency.
        b: strength of length normalisation.
        index: `hnsw` is approximate; `exact` compares every vector.
        m: neighbours of a vector in a layer.
        ef_construction: candidates while neighbours are searched.
        ef_search: candidates of a query, at least k.
    """

    most: ClassVar[int] = 16_384
    of_a_search: ClassVar[frozenset[str]] = TextAndVectors.of_a_search | {"url", "ef_search"}
    url: str = ""
    analyzer: Literal["standard", "english"] = "standard"
    k1: NonNegative = 1.2
    b: Share = 0.75
    index: VectorIndex = "hnsw"
    m: Count = 16
    ef_construction: Count = 200
    ef_search: Count = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.url:
            is_local(self.url, "milvus")

    def versions(self) -> dict[str, str]:
        """See `SearchEngine.versions`."""
        library("pymilvus", EXTRA)
        if not self.url:
            library("milvus_lite", EXTRA)
            return {"milvus-lite": importlib.metadata.version("milvus-lite")}
        try:
            return {"milvus": str(self.client(self.url).get_server_version())}
        except self.faults() as error:
            raise self.absent(self.url, error, "Start it, or leave url out.") from error

    def faults(self) -> tuple[type[Exception], ...]:
        """See `SearchEngine.faults`."""
        return (library("pymilvus.exceptions", EXTRA).MilvusException,)

    def approximate(self) -> bool:
        """See `SearchEngine.approximate`."""
        return self.search == "dense" and self.index == "hnsw"

    def client(self, place: str) -> Any:
        """A new one, for a server or a file."""
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # read at import; else it prints forks and pings
        made = library("pymilvus", EXTRA).MilvusClient
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs errors before it raises them
        return made(place, token=os.environ.get(KEY, "") if self.url else "", timeout=60)

    def start(self, content: Content) -> _Running:
        """See `SearchEngine.start`."""
        if self.url:
            return self._opened(content, self.url, 0)
        kept = content.folder("milvus", lambda folder: self._fill(content, str(folder / FILE)))
        folder = Path(tempfile.mkdtemp(prefix="harness-milvus-"))
        try:
            place = shutil.copytree(kept / FILE, folder / FILE)
            return self._opened(content, str(place), content.bytes_of(kept), folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _fill(self, content: Content, place: str) -> None:
        """Writes the files of Milvus Lite, which are complete when its server has ended."""
        client = self.client(place)
        try:
            _build(client, self, content, _name(content))
        finally:
            _end(client, place)

    def _opened(self, content: Content, place: str, size: int, folder: Path | None = None) -> _Running:
        """The collection; a server gets it if it has not. `folder` goes with the row."""
        client, name = self.client(place), _name(content)
        try:
            if self.url and not _is_whole(client, content):
                _build(client, self, content, name)
            client.load_collection(name)
            running = _Running(self, client, name, size, _cut(self, content))
        except BaseException:
            _end(client, place)
            raise
        weakref.finalize(running, _end, client, place, folder)
        return running


def _name(content: Content) -> str:
    return f"harness_{content.key}"


def _is_whole(client: Any, content: Content) -> bool:
    name = _name(content)
    return bool(client.has_collection(name)) and client.get_collection_stats(name)["row_count"] == len(content)


def _build(client: Any, method: Milvus, content: Content, name: str) -> None:
    """Fills a collection."""
    pymilvus, vectors = library("pymilvus", EXTRA), content.vectors
    kinds, schema, indexes = pymilvus.DataType, client.create_schema(), client.prepare_index_params()
    schema.add_field("place", kinds.INT64, is_primary=True)
    if method.has_texts():
        analyzer = {"type": method.analyzer}
        schema.add_field("body", kinds.VARCHAR, max_length=LONGEST, enable_analyzer=True, analyzer_params=analyzer)
        schema.add_field("terms", kinds.SPARSE_FLOAT_VECTOR)
        bm25 = {"input_field_names": ["body"], "output_field_names": ["terms"]}
        schema.add_function(pymilvus.Function("bm25", function_type=pymilvus.FunctionType.BM25, **bm25))
        params = {"bm25_k1": method.k1, "bm25_b": method.b}
        indexes.add_index("terms", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=params)
    if vectors is not None:
        schema.add_field("vector", kinds.FLOAT_VECTOR, dim=vectors.dimension)
        kind, params = "FLAT", {}
        if method.index == "hnsw":
            kind, params = "HNSW", {"M": method.m, "efConstruction": method.ef_construction}
        indexes.add_index("vector", index_type=kind, metric_type="IP", params=params)
    client.drop_collection(name)  # what a killed process left; no error if there is none
    client.create_collection(name, schema=schema, index_params=indexes, consistency_level="Strong")
    for batch in content.batches("milvus"):
        rows: list[dict[str, Any]] = [{"place": place} for place in batch.places]
        for row, text in zip(rows, batch.texts, strict=True):
            if method.has_texts():
                row["body"] = text.encode()[:LONGEST].decode(errors="ignore")
        if batch.vectors is not None:
            for row, vector in zip(rows, batch.vectors, strict=True):
                row["vector"] = vector
        client.insert(name, rows)
    client.flush(name)


def _cut(method: Milvus, content: Content) -> int:
    """How many texts are longer than Milvus takes."""
    if not method.has_texts():
        return 0
    starts = range(0, len(content), DOCUMENTS)
    blocks = (content.corpus.texts[start : start + DOCUMENTS] for start in starts)
    return sum(len(plain(text).encode()) > LONGEST for block in blocks for text in block)


def _end(client: Any, place: str, folder: Path | None = None) -> None:
    """Ends the client, and for a file the server of Milvus Lite, which has it open; removes a folder."""
    client.close()
    if "://" not in place:
        library("milvus_lite.server_manager", EXTRA).server_manager_instance.release_server(place)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


class _Running:
    ordered = False

    def __init__(self, method: Milvus, client: Any, name: str, size: int, cut: int) -> None:
        self._method, self._client, self._name, self.index_bytes = method, client, name, size
        self.notes: tuple[str, ...] = ("Milvus' server does not say how large its index is",) if method.url else ()
        if cut:
            self.notes += (f"{cut:,} documents were cut at {LONGEST:,} bytes, the most that Milvus takes",)

    def ask(self, query: Asked, k: int) -> list[tuple[int, float]]:
        """See `Running.ask`."""
        method, text = self._method, [query.text]
        options = {"limit": k, "output_fields": ["place"]}
        if method.search == "full_text":
            found = self._client.search(self._name, text, anns_field="terms", search_params=_BM25, **options)
            # Milvus Lite gives the scores of BM25 negated.
            return [(each["place"], abs(each["distance"])) for each in found[0]]
        if method.search == "dense":
            params, vector = self._near(k), [query.vector]
            found = self._client.search(self._name, vector, anns_field="vector", search_params=params, **options)
        else:
            found = self._client.hybrid_search(self._name, self._parts(query), self._fusion(), **options)
        return [(each["place"], each["distance"]) for each in found[0]]

    def _near(self, k: int) -> dict[str, Any]:
        method = self._method
        params = {"ef": max(method.ef_search, k)} if method.index == "hnsw" else {}
        return {"metric_type": "IP", "params": params}

    def _parts(self, query: Asked) -> list[Any]:
        made, depth = library("pymilvus", EXTRA).AnnSearchRequest, self._method.depth
        return [
            made(data=[query.text], anns_field="terms", param=_BM25, limit=depth),
            made(data=[query.vector], anns_field="vector", param=self._near(depth), limit=depth),
        ]

    def _fusion(self) -> Any:
        return library("pymilvus", EXTRA).RRFRanker(self._method.rrf)


_BM25: Final[dict[str, Any]] = {"metric_type": "BM25", "params": {}}
