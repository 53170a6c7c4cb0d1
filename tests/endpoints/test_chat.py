"""One question, one answer; patience and refusals of the protocol are tested with the generator that asks through it."""

from __future__ import annotations

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


@pytest.mark.parametrize("usage", [b"", b', "usage": null', b', "usage": {}'])
def test_a_server_that_does_not_count_is_believed_to_have_counted_nothing(server: Any, usage: bytes) -> None:
    server.reply = lambda n, body: (200, {}, b'{"choices": [{"message": {"content": "hi"}}]' + usage + b"}")
    assert Endpoint("chat", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"}) == Answer("hi", 0, 0)


def test_it_is_named_by_who_asks(server: Any) -> None:
    server.reply = lambda n, body: (400, {}, b'{"error": "no"}')
    with pytest.raises(ModelError, match=r"^listwise: .*HTTP 400: no"):
        Endpoint("listwise", server.url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"})
