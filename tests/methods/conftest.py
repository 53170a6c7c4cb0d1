"""A corpus with ties, copies and odd ids, queries for it, and the short way from a method to its ranking."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Method, Searcher, fit, index
from harness.runtime.context import Context
from tests.methods import own_search

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
