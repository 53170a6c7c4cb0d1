"""A text that is too long is named, and costs the others of its request nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.base.errors import ModelError
from harness.data.corpus import Corpus
from harness.endpoints.batches import DimensionCheck, packed
from harness.endpoints.embedding_settings import EmbeddingSettings
from harness.endpoints.encoder import HostedEncoder
from harness.endpoints.providers import OTHER
from harness.runtime.context import Context

pytest.importorskip("openai", reason="the client openai is not installed")
CORPUS = Corpus.of([(f"d{i}", "", "long " * (40 + i) if i in (3, 9) else f"short {i}") for i in range(12)])
TOLD = {
    "OpenAI": (400, "This model's maximum context length is 8192 tokens, however you requested 10000 tokens."),
    "OpenAI, embeddings": (400, "Invalid 'input[3]': maximum input length is 8192 tokens."),
    "Cohere": (400, "too many tokens: size limit exceeded by 11542 tokens. Try using shorter or fewer inputs."),
    "Voyage": (
        400,
        "The example at index 3 in your batch has too many tokens and does not fit into the model's context window.",
    ),
    "TEI": (413, "Input validation error: `inputs` must have less than 512 tokens. Given: 600"),
    "vLLM": (400, "This model's maximum context length is 512 tokens. However, you requested 600 tokens in the input."),
    "Ollama": (400, "the input length exceeds the context length"),
}


def encoder(server: Any, context: Context, **settings: Any) -> HostedEncoder:
    shared = {"model": "tiny", "url": server.url, "key_variable": "NO_SUCH_KEY", "concurrency": 1, "retries": 0}
    return HostedEncoder(EmbeddingSettings(**shared, **settings), context)


def refuse_long(server: Any, code: int, message: str, most: int = 100) -> None:
    usual = server.reply

    def reply(n: int, body: dict[str, Any]) -> Any:
        if any(len(text) > most for text in body["input"]):
            return code, {"Content-Type": "application/json"}, json.dumps({"error": {"message": message}}).encode()
        return usual(n, body)

    server.reply = reply


@pytest.mark.parametrize("server_of", TOLD)
def test_texts_that_are_too_long_are_named_and_the_others_kept(server_of: str, hosted: Any, context: Context) -> None:
    code, message = TOLD[server_of]
    refuse_long(hosted, code, message)
    one = encoder(hosted, context)
    with pytest.raises(ModelError) as told:
        one.vectors(CORPUS.texts, "document")
    said = str(told.value)
    assert "refuses texts as too long: document 'd3' (214 characters)" in said
    assert "document 'd9'" in said
    assert message.rstrip(".")[:60] in said
    assert "Set max_characters" in said
    assert "'d4'" not in said
    assert one.needed(CORPUS.texts, "document")[1].texts == 2
    answered = [t for body in hosted.bodies for t in body["input"] if len(t) < 100]
    hosted.bodies.clear()
    cut = encoder(hosted, context, max_characters=50)
    assert len(cut.vectors(CORPUS.texts, "document")) == 12
    assert [text for body in hosted.bodies for text in body["input"]] == [("long " * 40)[:50]]  # both are the same, cut
    assert len(set(answered)) == 10


def test_what_was_answered_is_counted(hosted: Any, context: Context) -> None:
    refuse_long(hosted, 413, "too large")
    one = encoder(hosted, context)
    with pytest.raises(ModelError):
        one.vectors(CORPUS.texts, "document")
    assert one.meter.counted_in == 20  # two words each of ten short texts


def test_a_query_is_named_by_its_beginning(hosted: Any, context: Context) -> None:
    refuse_long(hosted, 413, "too large")
    with pytest.raises(ModelError, match=r"the query that begins with 'wwwww"):
        encoder(hosted, context).vectors(["a", "w" * 101], "query")


def test_a_request_that_is_too_large_as_a_whole_is_halved(hosted: Any, context: Context) -> None:
    usual = hosted.reply

    def reply(n: int, body: dict[str, Any]) -> Any:
        if len(body["input"]) > 3:
            return (
                400,
                {"Content-Type": "application/json"},
                b'{"error": {"message": "maximum 3 tokens per request exceeded"}}',
            )
        return usual(n, body)

    hosted.reply = reply
    assert len(encoder(hosted, context).vectors([str(i) for i in range(8)], "document")) == 8


def test_another_refusal_is_told_as_it_is_and_not_tried_in_parts(hosted: Any, context: Context) -> None:
    hosted.reply = lambda n, body: (
        400,
        {"Content-Type": "application/json"},
        b'{"error": {"message": "no such model"}}',
    )
    with pytest.raises(ModelError, match=r"refuses the request \(HTTP 400: no such model"):
        encoder(hosted, context).vectors(CORPUS.texts, "document")
    assert len(hosted.bodies) == 1


def test_batches_keep_to_both_limits() -> None:
    settings = EmbeddingSettings("m", "http://localhost/v1", batch_items=2, batch_tokens=10).resolved(OTHER)
    sized = [("a", 4), ("b", 4), ("c", 1), ("d", 20), ("e", 10), ("f", 1)]
    assert list(packed(iter(sized), settings)) == [["a", "b"], ["c"], ["d"], ["e"], ["f"]]


def test_all_vectors_have_one_dimension() -> None:
    dimension = DimensionCheck("api m", None)
    dimension.check(3)
    dimension.check(3)
    with pytest.raises(ModelError, match="vectors of 4 dimensions, but of 3 before"):
        dimension.check(4)
