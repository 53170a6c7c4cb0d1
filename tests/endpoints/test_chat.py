"""One question, one answer; patience and refusals of the protocol are tested with the generator that asks through it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.endpoints.chat import Answer, Endpoint
from harness.errors import ModelError


def test_an_answer_is_its_text_and_its_usage(server: Any) -> None:
    endpoint = Endpoint("chat", server.url + "/", "NO_SUCH_KEY", 5.0, 0)
    answer = endpoint.ask({"model": "m", "messages": [{"role": "user", "content": "x"}], "seed": 1})
    assert (answer.tokens_in, answer.tokens_out) == (10, 5)
    assert answer.text.startswith("1. what is")
    assert server.paths == ["/v1/chat/completions"]


@pytest.mark.parametrize(
    "usage",
    [
        b"",
        b', "usage": null',
        b', "usage": {}',
        b', "usage": {"prompt_tokens": Infinity, "completion_tokens": 1e400}',
        b', "usage": {"prompt_tokens": -1000000, "completion_tokens": "many"}',
    ],
)
def test_a_server_that_does_not_count_is_believed_to_have_counted_nothing(server: Any, usage: bytes) -> None:
    server.reply = lambda n, body: (200, {}, b'{"choices": [{"message": {"content": "hi"}}]' + usage + b"}")
    assert Endpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"}) == Answer("hi", 0, 0)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<think>[2] looks better than [1]?\n</think>\n\n[1] > [2]", "[1] > [2]"),
        ("\n<think></think>Yes", "Yes"),
        ("<think>and so on until the tokens are spent", ""),
        ("say <think> as it is </think>", "say <think> as it is </think>"),
        ([{"type": "text", "text": "[1] > "}, {"type": "image"}, "?", {"type": "text", "text": "[2]"}], "[1] > [2]"),
        (None, ""),
        (7, ""),
    ],
)
def test_the_text_is_what_is_said_not_what_is_thought(server: Any, content: Any, text: str) -> None:
    server.reply = lambda n, body: (200, {}, json.dumps({"choices": [{"message": {"content": content}}]}).encode())
    assert Endpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"}).text == text


def test_it_is_named_by_who_asks(server: Any) -> None:
    server.reply = lambda n, body: (400, {}, b'{"error": "no"}')
    with pytest.raises(ModelError, match=r"^listwise: .*HTTP 400: no"):
        Endpoint("listwise", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"})


def test_a_key_that_the_server_repeats_is_not_in_its_answer(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-1234567890")
    server.reply = lambda n, body: (
        200,
        {},
        json.dumps({"choices": [{"message": {"content": server.headers[n]["Authorization"]}}]}).encode(),
    )
    assert Endpoint("chat", server.url, "MY_KEY", 5.0, 0).ask({"model": "m"}).text == "Bearer ***"


def test_why_a_busy_server_refuses_is_told(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-1234567890")
    refusal = b'{"error": {"message": "quota of sk-secret-1234567890 used up"}}'
    server.reply = lambda n, body: (429, {"Retry-After": "900"}, refusal)
    with pytest.raises(ModelError, match=r"after 1 try; the last: HTTP 429: quota of \*\*\* used up \(.* after 900 s\)"):
        Endpoint("chat", server.url, "MY_KEY", 5.0, 3).ask({"model": "m"})
