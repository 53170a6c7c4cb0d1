"""What is sent, batched, kept and counted; the row that searches with it is tested in tests/methods/test_api.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.cache.folders import Cache
from harness.endpoints.embedding_settings import EmbeddingSettings
from harness.endpoints.encoder import HostedEncoder, open_hosted
from harness.runtime.context import Context

pytest.importorskip("openai", reason="the client openai is not installed")


def encoder(server: Any, context: Context, **settings: Any) -> HostedEncoder:
    shared = {"model": "tiny", "url": server.url, "key_variable": "NO_SUCH_KEY", "price": 1.0, "concurrency": 2}
    return HostedEncoder(EmbeddingSettings(**shared, **settings), context)


def test_vectors_come_in_the_order_asked_with_copies(hosted: Any, context: Context, tiny_vectors: Any) -> None:
    texts = ["b", "a", "b", "c", "a"]
    found = encoder(hosted, context, batch_items=2).vectors(texts, "document")
    assert (len(found), found.dimension) == (5, 32)
    due = np.asarray(tiny_vectors(texts))
    assert found.block(1, 4) == pytest.approx(due[1:4], abs=1e-6)
    assert found.take(np.array([4, 0])) == pytest.approx(due[[4, 0]], abs=1e-6)
    assert sorted(t for body in hosted.bodies for t in body["input"]) == ["a", "b", "c"]


def test_what_is_needed_and_what_of_it_is_missing(hosted: Any, context: Context) -> None:
    one = encoder(hosted, context, batch_items=2)
    texts = ["abcd", "abcdefgh", "abcd", "x", "y"]
    every, wanted = one.needed(texts, "document")
    assert every == wanted
    assert (every.texts, every.requests, every.tokens_in, every.dollars) == (4, 2, 5, pytest.approx(5e-6))
    one.vectors(texts[:2], "document")
    every, wanted = one.needed(texts, "document")
    assert (every.texts, wanted.texts, wanted.tokens_in) == (4, 2, 2)
    assert hosted.bodies != []
    assert one.needed([], "query")[0].texts == 0


def test_no_texts_ask_nothing(hosted: Any, context: Context) -> None:
    assert len(encoder(hosted, context).vectors([], "query")) == 0
    assert encoder(hosted, context).encode_uncached([], "query").shape[0] == 0
    assert hosted.bodies == []


def test_a_text_is_sent_cut_with_its_prompt(hosted: Any, context: Context) -> None:
    one = encoder(hosted, context, query_prompt="q: ", max_characters=3)
    assert [one.sent(t, "query") for t in ("abcde", "")] == ["q: abc", "q: "]
    assert [one.sent(t, "document") for t in ("abcde", "")] == ["abc", " "]


@pytest.mark.parametrize(
    "other",
    [{"query_prompt": "q"}, {"query_type": "query"}, {"dimensions": 32}, {"max_characters": 9}, {"protocol": "cohere"}],
    ids=lambda other: next(iter(other)),
)
def test_what_decides_a_vector_is_in_its_key(hosted: Any, context: Context, other: dict[str, Any]) -> None:
    assert encoder(hosted, context, **other).key("query") != encoder(hosted, context).key("query")
    assert encoder(hosted, context, **other).fingerprint != encoder(hosted, context).fingerprint


def test_what_decides_none_is_not(hosted: Any, context: Context) -> None:
    plain = encoder(hosted, context)
    assert encoder(hosted, context, batch_items=3, batch_tokens=9).key("query") == plain.key("query")
    dot = encoder(hosted, context, similarity="dot")
    assert dot.key("query") == plain.key("query")
    assert dot.fingerprint != plain.fingerprint


def test_the_tokens_that_the_server_counts_are_counted(hosted: Any, context: Context) -> None:
    one = encoder(hosted, context)
    one.vectors(["three words here", "two words"], "document")
    assert one.meter.counted_in == 5


def test_a_server_that_does_not_count_is_counted_for(hosted: Any, context: Context) -> None:
    usual = hosted.reply

    def silent(n: int, body: dict[str, Any]) -> Any:
        code, headers, raw = usual(n, body)
        return code, headers, raw.replace(b'"usage"', b'"other"')

    hosted.reply = silent
    one = encoder(hosted, context)
    one.vectors(["abcdefgh", "abc"], "document")
    assert one.meter.counted_in == 3


def test_one_encoder_serves_a_run(hosted: Any, context: Context) -> None:
    settings = EmbeddingSettings("tiny", hosted.url, key_variable="NO_SUCH_KEY")
    assert open_hosted(settings, context) is open_hosted(settings, context)
    assert open_hosted(settings, Context(cache=Cache(context.cache.root))) is not open_hosted(settings, context)


def test_settings_out_of_range_are_named(hosted: Any) -> None:
    for setting in ({"protocol": "x"}, {"similarity": "x"}, {"dimensions": 0}, {"batch_items": 0}):
        with pytest.raises(SettingError, match=f"api: {next(iter(setting))}"):
            EmbeddingSettings("tiny", hosted.url, key_variable="NO_SUCH_KEY", **setting).check()  # type: ignore[arg-type]
