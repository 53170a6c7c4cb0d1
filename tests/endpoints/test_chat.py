"""One question, one answer; patience and refusals of the protocol are tested with the generator that asks through
it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from harness.base.errors import ModelError
from harness.endpoints.chat import Answer, ChatEndpoint


def test_an_answer_is_its_text_and_its_usage(server: Any) -> None:
    endpoint = ChatEndpoint("chat", server.url + "/", "NO_SUCH_KEY", 5.0, 0)
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
    assert ChatEndpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"}) == Answer("hi", 0, 0)


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
    assert ChatEndpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"}).text == text


def test_it_is_named_by_who_asks(server: Any) -> None:
    server.reply = lambda n, body: (400, {}, b'{"error": "no"}')
    with pytest.raises(ModelError, match=r"^listwise: .*HTTP 400: no"):
        ChatEndpoint("listwise", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"})


def echo(server: Any, form: Callable[[str], str]) -> None:
    def reply(n: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        content = f"solar panels {form(server.headers[n]['Authorization'])} and test cells"
        return 200, {}, json.dumps({"choices": [{"message": {"content": content}}]}).encode()

    server.reply = reply


@pytest.mark.parametrize(
    "form", [str, lambda held: base64.b64encode(held.encode()).decode(), quote, lambda held: held.encode().hex()]
)
def test_an_answer_that_repeats_the_key_is_refused(
    server: Any, monkeypatch: pytest.MonkeyPatch, form: Callable[[str], str]
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-1234567890")
    echo(server, form)
    with pytest.raises(ModelError, match="repeats the key in MY_KEY in an answer, which is not cached") as told:
        ChatEndpoint("chat", server.url, "MY_KEY", 5.0, 3).ask({"model": "m"})
    assert form("sk-secret-1234567890") not in str(told.value)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("word", ["test", "solar", "panels and", "password"])
def test_a_key_that_is_a_word_changes_no_answer(server: Any, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("MY_KEY", word)
    echo(server, lambda held: "***")
    assert (
        ChatEndpoint("chat", server.url, "MY_KEY", 5.0, 0).ask({"model": "m"}).text == "solar panels *** and test cells"
    )


def test_an_answer_is_kept_as_it_came_and_read_without_its_thoughts(server: Any) -> None:
    reply = {
        "choices": [{"message": {"content": "so\n</think>Yes", "reasoning_content": "x"}, "finish_reason": "length"}]
    }
    server.reply = lambda n, body: (200, {}, json.dumps(reply).encode())
    answer = ChatEndpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"})
    assert (answer.content, answer.text, answer.cut) == ("so\n</think>Yes", "Yes", True)


def refusing(field: str, message: str, **more: Any) -> Callable[[int, dict[str, Any]], Any]:
    def reply(n: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if field in body:
            return 400, {}, json.dumps({"error": {"message": message, **more}}).encode()
        return 200, {}, b'{"choices": [{"message": {"content": "hi"}}]}'

    return reply


ASKED = {"model": "m", "messages": [], "temperature": 0.0, "max_tokens": 7, "seed": 3}


def test_a_field_that_the_server_refuses_is_left_out_from_then_on(server: Any) -> None:
    server.reply = refusing("seed", "Unrecognized request argument supplied: seed")
    endpoint = ChatEndpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0)
    for _ in range(3):
        assert endpoint.ask(ASKED).text == "hi"
    assert ["seed" in body for body in server.bodies] == [True, False, False, False]


def test_the_limit_of_an_answer_is_renamed_and_never_left_out(server: Any) -> None:
    told = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    server.reply = refusing("max_tokens", told, param="max_tokens", code="unsupported_parameter")
    assert ChatEndpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0).ask(ASKED).text == "hi"
    assert server.bodies[1] == {"model": "m", "messages": [], "temperature": 0.0, "max_completion_tokens": 7, "seed": 3}
    server.reply = lambda n, body: (400, {}, b'{"error": "unknown field max_tokens or max_completion_tokens"}')
    with pytest.raises(ModelError, match="refuses the request"):
        ChatEndpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0).ask(ASKED)
    assert len(server.bodies) == 4


def test_a_key_in_base64_is_not_in_a_refusal(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-1234567890")
    server.reply = lambda n, body: (
        400,
        {},
        json.dumps({"error": base64.b64encode(server.headers[n]["Authorization"].encode()).decode()}).encode(),
    )
    with pytest.raises(ModelError, match=r"HTTP 400: \S*\*\*\*") as told:
        ChatEndpoint("chat", server.url, "MY_KEY", 5.0, 0).ask({"model": "m"})
    assert "c2VjcmV0" not in str(told.value)
    assert "WNyZXQt" not in str(told.value)


def test_why_a_busy_server_refuses_is_told(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-1234567890")
    refusal = b'{"error": {"message": "quota of sk-secret-1234567890 used up"}}'
    server.reply = lambda n, body: (429, {"Retry-After": "900"}, refusal)
    with pytest.raises(
        ModelError, match=r"after 1 try; the last error: HTTP 429: quota of \*\*\* used up \(.* wait of 900 s\)"
    ):
        ChatEndpoint("chat", server.url, "MY_KEY", 5.0, 3).ask({"model": "m"})
