"""Qdrant: what a server is asked, and what local mode is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.base.errors import EngineError, SettingError
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher
from harness.methods._engine_content import Content
from harness.methods.qdrant import KEY, LOCAL, UNSIZED, Qdrant
from tests.methods.conftest import Make

pytest.importorskip("qdrant_client", reason="qdrant-client is not installed")
Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


def bodies(server: Any, end: str) -> list[Any]:
    return [body for _, path, body in server.asked if path.endswith(end)]


def test_a_server_is_told_how_to_build_and_how_to_search(
    corpus: Corpus, queries: Queries, rank: Rank, engine: Make, qdrant_server: Any
) -> None:
    rank(engine("qdrant-server", "hybrid", index="hnsw", m=8, ef_search=50, depth=70, rrf=10), corpus, queries, 5)
    (made,) = [body for verb, path, body in qdrant_server.asked if verb == "PUT" and path.count("/") == 2]
    assert made["vectors"]["dense"] | {"size": 32, "distance": "Dot"} == made["vectors"]["dense"]
    assert made["vectors"]["dense"]["hnsw_config"]["m"] == 8
    asked = bodies(qdrant_server, "/query")[0]
    words, near = asked["prefetch"]
    assert asked["query"] == {"rrf": {"k": 11}}, "Qdrant counts ranks from 0"
    assert words["query"]["text"]["query"] == queries.texts[0]
    assert (words["using"], words["limit"]) == ("body", 70)
    assert near["params"] | {"hnsw_ef": 70, "exact": False} == near["params"]


def test_words_of_a_language_are_the_servers(
    corpus: Corpus, searcher_of: Search, engine: Make, qdrant_server: Any
) -> None:
    searcher_of(engine("qdrant-server", language="english"), corpus)
    (schema,) = (body["field_schema"] for body in bodies(qdrant_server, "/index"))
    assert schema["stopwords"] == "english"
    assert schema["stemmer"]["language"] == "english"
    assert schema["scoring"] is True


def test_local_mode_has_none() -> None:
    with pytest.raises(SettingError, match="leave language out, or set url"):
        Qdrant(language="english")


def test_k1_and_b_are_settings_of_a_search(
    corpus: Corpus, queries: Queries, rank: Rank, engine: Make, qdrant_server: Any
) -> None:
    rank(engine("qdrant-server", k1=0.9, b=0.4), corpus, queries, 3)
    assert bodies(qdrant_server, "/query")[0]["query"]["text"]["scoring"] == {"bm25": {"k": 0.9, "b": 0.4}}
    writes = len(bodies(qdrant_server, "/points"))
    rank(engine("qdrant-server"), corpus, queries, 3)
    assert len(bodies(qdrant_server, "/points")) == writes


def test_a_key_comes_from_the_environment_and_never_from_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="without a key"):
        Qdrant(url="http://me:secret@localhost:6333")
    monkeypatch.setenv(KEY, "secret")
    client = Qdrant(url="http://localhost:6333").client()
    assert client.init_options["api_key"] == "secret"
    client.close()


def test_a_collection_that_the_server_cannot_index_ends_the_row(
    corpus: Corpus, searcher_of: Search, engine: Make, qdrant_server: Any
) -> None:
    usual = qdrant_server.reply

    def red(verb: str, path: str, body: Any) -> tuple[int, Any]:
        status, told = usual(verb, path, body)
        if verb == "GET" and path.count("/") == 2 and path != "/collections/aliases":
            told["result"]["status"] = "red"
        return status, told

    qdrant_server.reply = red
    with pytest.raises(EngineError, match="is red, not indexed"):
        searcher_of(engine("qdrant-server"), corpus)
    assert qdrant_server.held.get_collections().collections == []


def test_a_collection_with_other_vectors_under_its_name_ends_the_row(
    corpus: Corpus,
    queries: Queries,
    searcher_of: Search,
    engine: Make,
    qdrant_server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = Qdrant.start

    def start(self: Qdrant, content: Content) -> object:
        from qdrant_client import models

        qdrant_server.held.create_collection(
            "theirs", vectors_config={"dense": models.VectorParams(size=3, distance="Dot")}
        )
        qdrant_server.held.upsert("theirs", models.Batch(ids=[1], vectors={"dense": [[1.0, 2.0, 3.0]]}))
        alias = models.CreateAlias(collection_name="theirs", alias_name=f"harness-{content.key}")
        qdrant_server.held.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
        return usual(self, content)

    monkeypatch.setattr(Qdrant, "start", start)
    searcher = searcher_of(engine("qdrant-server", "dense"), corpus)
    with pytest.raises(EngineError, match=r"the search of query 'q0' failed: .*400"):
        searcher.search(queries, 5)


def test_the_notes_say_what_is_not_measured(
    corpus: Corpus, queries: Queries, searcher_of: Search, engine: Make
) -> None:
    assert searcher_of(engine("qdrant"), corpus).notes(queries) == (LOCAL,)
    served = searcher_of(engine("qdrant-server"), corpus)
    assert served.notes(queries) == (UNSIZED,)
    assert served.size.index_bytes == 0
