"""Hosted re-rankers: the JSON of each API as their references give it, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.base.errors import ModelError, Unavailable
from harness.endpoints.reranking import RerankEndpoint, RerankProtocol, protocol_of
from harness.endpoints.service import Service

COHERE = {
    "results": [
        {"index": 3, "relevance_score": 0.999071},
        {"index": 0, "relevance_score": 0.32713068},
        {"index": 1, "relevance_score": 0.1},
        {"index": 2, "relevance_score": 0.05},
    ],
    "id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf",
    "meta": {"api_version": {"version": "2", "is_experimental": False}, "billed_units": {"search_units": 1}},
}
JINA = {
    "model": "jina-reranker-v2-base-multilingual",
    "object": "list",
    "usage": {"total_tokens": 815},
    "results": [
        {"index": 3, "relevance_score": 0.8783142566680908},
        {"index": 1, "relevance_score": 0.7624675869941711},
        {"index": 0, "relevance_score": 0.1},
        {"index": 2, "relevance_score": -0.5},
    ],
}
VOYAGE = {
    "object": "list",
    "data": [
        {"relevance_score": 0.4375, "index": 0},
        {"relevance_score": 0.421875, "index": 1},
        {"relevance_score": 0.3, "index": 3},
        {"relevance_score": 0.2, "index": 2},
    ],
    "model": "rerank-2",
    "usage": {"total_tokens": 26},
}
TEI = [{"index": 2, "score": 5.9}, {"index": 0, "score": -1.2}, {"index": 1, "score": -3.0}, {"index": 3, "score": -9}]
TEXTS = ["one", "two", "", "four"]


def service(url: str, **settings: Any) -> Service:
    return Service("rerank_api", "m", url, retries=1, **settings)


def answering(server: Any, told: Any, code: int = 200) -> None:
    server.reply = lambda n, body: (code, {}, json.dumps(told).encode())


@pytest.mark.parametrize(
    ("protocol", "path", "told", "scores", "tokens", "sent"),
    [
        ("cohere", "/v1/v2/rerank", COHERE, (0.32713068, 0.1, 0.05, 0.999071), 0, {"model": "m"}),
        (
            "jina",
            "/v1/rerank",
            JINA,
            (0.1, 0.7624675869941711, -0.5, 0.8783142566680908),
            815,
            {"model": "m", "return_documents": False},
        ),
        (
            "voyage",
            "/v1/rerank",
            VOYAGE,
            (0.4375, 0.421875, 0.2, 0.3),
            26,
            {"model": "m", "return_documents": False, "truncation": True},
        ),
        (
            "tei",
            "/v1/rerank",
            TEI,
            (-1.2, -3.0, 5.9, -9.0),
            0,
            {"raw_scores": True, "return_text": False, "truncate": True},
        ),
    ],
)
def test_each_protocol(
    protocol: RerankProtocol,
    path: str,
    told: Any,
    scores: tuple[float, ...],
    tokens: int,
    sent: dict[str, Any],
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", "a-key-of-mine-123")
    answering(server, told)
    answer = RerankEndpoint(service(server.url), protocol).ask("what?", TEXTS)
    assert answer.scores == scores
    assert answer.tokens == tokens
    named = "texts" if protocol == "tei" else "documents"
    assert server.bodies == [{"query": "what?", named: ["one", "two", " ", "four"], **sent}]
    assert server.paths == [path]
    assert server.headers[0]["Authorization"] == "Bearer a-key-of-mine-123"


@pytest.mark.parametrize(
    "told",
    [
        {"results": JINA["results"][:3]},
        {"results": [*JINA["results"][:3], JINA["results"][0]]},
        {"results": [*JINA["results"][:3], {"index": 2, "relevance_score": float("nan")}]},
        {"results": [*JINA["results"][:3], {"index": 2, "relevance_score": None}]},
        {"results": [*JINA["results"][:3], {"index": True, "relevance_score": 1}]},
        {"results": 7},
        {"data": []},
        [],
        None,
    ],
)
def test_an_answer_without_one_score_for_each_document_is_refused_and_not_requested_again(
    told: Any, server: Any
) -> None:
    answering(server, told)
    with pytest.raises(ModelError, match=r"answered with .*Correct url or protocol"):
        RerankEndpoint(service(server.url), "jina").ask("q", TEXTS)
    assert len(server.bodies) == 1


def test_a_busy_server_is_asked_again(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.endpoints.retries.pause", lambda stopped, seconds: stopped.is_set())
    busy = (429, {}, b'{"error": "Model is overloaded", "error_type": "Overloaded"}')
    server.reply = lambda n, body: busy if n == 0 else (200, {}, json.dumps(TEI).encode())
    assert RerankEndpoint(service(server.url), "tei").ask("q", TEXTS).scores[2] == 5.9
    assert len(server.bodies) == 2
    server.reply = lambda n, body: (200, {}, b"<html>")
    with pytest.raises(ModelError, match="an answer that is not JSON"):
        RerankEndpoint(service(server.url), "tei").ask("q", TEXTS)


@pytest.mark.parametrize(
    ("code", "told", "message"),
    [
        (401, {"detail": "Invalid API key a-key-of-mine-123"}, r"refuses the key in ENDPOINT_API_KEY \(HTTP 401\)"),
        (404, {"message": "model 'm' not found"}, "has no model 'm'"),
        (413, {"error": "batch size 100 > maximum allowed batch size 32"}, r"4 documents, the longest of 4 characters"),
        (422, {"error": "batch of 4 for a-key-of-mine-123", "error_type": "Validation"}, "batch of 4"),
    ],
)
def test_what_the_server_refuses_says_what_to_change(
    code: int, told: Any, message: str, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", "a-key-of-mine-123")
    answering(server, told, code)
    with pytest.raises(ModelError, match=message) as raised:
        RerankEndpoint(service(server.url), "tei").ask("q", TEXTS)
    assert "a-key-of-mine-123" not in str(raised.value)
    assert len(server.bodies) == 1


def test_the_host_decides_the_protocol() -> None:
    assert protocol_of("https://api.cohere.com") == "cohere"
    assert protocol_of("https://api.voyageai.com/v1") == "voyage"
    assert protocol_of("https://api.jina.ai/v1") == protocol_of("http://localhost:8000/v1") == "jina"
    assert protocol_of("https://api.cohere.com.example") == "jina"


def test_a_key_is_needed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JINA_API_KEY", raising=False)
    with pytest.raises(Unavailable, match="JINA_API_KEY is not set"):
        RerankEndpoint(service("https://api.jina.ai/v1"), "jina")
