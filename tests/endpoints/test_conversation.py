from __future__ import annotations

import json
from typing import Any

import pytest

from harness.base.errors import ModelError, SettingError
from harness.endpoints.conversation import Conversation, prompt_tokens
from harness.endpoints.service import Service
from harness.runtime.context import Context

HI = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
LO = [{"role": "user", "content": "lo"}]


def conversation(server: Any, context: Context, temperature: float | None = 0.0, **settings: Any) -> Conversation:
    service = Service("x", "m", server.url, key_variable="NO_SUCH_KEY", retries=0, **settings)
    return Conversation(service, temperature, 7, context, "key", {"of": "test"})


def test_what_is_not_kept_is_asked_once(server: Any, context: Context) -> None:
    told: list[int] = []
    for _ in range(2):
        talk = conversation(server, context)
        with talk.lock:
            talk.ask({"a": HI, "b": LO}, lambda n=1, note=None: told.append(n))
    assert len(server.bodies) == 2
    assert told == [1, 1]
    assert set(talk.answers()) == {"a", "b"}
    assert (talk.meter.counted_in, conversation(server, context).meter.counted_in) == (0, 0)


def test_the_request_and_its_estimate(server: Any, context: Context) -> None:
    talk = conversation(server, context)
    assert talk.body(HI) == {"model": "m", "messages": HI, "temperature": 0.0, "max_tokens": 7, "seed": 0}
    assert "temperature" not in conversation(server, context, temperature=None).body(HI)
    assert prompt_tokens(HI) == 2 + 8 + 1 + 8
    told = talk.estimate([HI, LO])
    assert (told.requests, told.tokens_in, told.tokens_out) == (2, 19 + 9, 14)


def test_nothing_is_asked_that_could_pass_the_cap(server: Any, context: Context) -> None:
    talk = conversation(server, context, cap_tokens=39)
    with talk.lock, pytest.raises(SettingError, match="next request could exceed the cap of 39 tokens"):
        talk.ask({"a": LO, "b": LO}, lambda n=1, note=None: None)
    assert len(server.bodies) == 1  # 15 by the server's count, and another one could take 25
    assert list(talk.answers()) == ["a"]


def test_several_answers_to_the_same_messages_differ_by_their_seeds(server: Any, context: Context) -> None:
    talk = conversation(server, context)
    with talk.lock:
        talk.ask({"a": HI, "b": HI, "c": HI}, lambda n=1, note=None: None, {"a": 5, "b": 6})
    assert sorted(body["seed"] for body in server.bodies) == [0, 5, 6]
    held = talk.answers()
    assert len({held["a"], held["b"], held["c"]}) == 3


def notes(context: Context, work: Any) -> list[str]:
    with context.ledger.tracked("row") as step:
        work()
    return [note for one in step.all() for note in one.notes]


def test_a_field_that_is_not_taken_is_refused_once_for_a_run_and_told_in_each_record(
    server: Any, context: Context
) -> None:
    def reply(n: int, body: dict[str, Any]) -> Any:
        for field in ("max_tokens", "seed"):
            if field in body:
                told = {
                    "message": f"Unsupported parameter: '{field}' is not supported with this model.",
                    "param": field,
                }
                return 400, {}, json.dumps({"error": told}).encode()
        return 200, {}, b'{"choices": [{"message": {"content": "hi"}}]}'

    server.reply = reply

    def ask(inside: Context, key: str = "key") -> Any:
        def work() -> None:
            talk = Conversation(
                Service("x", "m", server.url, key_variable="NO_SUCH_KEY", retries=0), 0.0, 7, inside, key, {}
            )
            with talk.lock:
                talk.ask({"a": HI, "b": LO}, lambda n=1, note=None: None)
                assert talk.answers() == {"a": "hi", "b": "hi"}

        return work

    due = ["the server of m refuses max_tokens (sent as max_completion_tokens), seed: requests were sent without"]
    assert notes(context, ask(context)) == due
    refused = sum("seed" in body for body in server.bodies)
    assert len(server.bodies) - refused == 2
    assert notes(context, ask(context, "other")) == due  # the same model of the same run, asked for something else
    assert sum("seed" in body for body in server.bodies) == refused
    sent = len(server.bodies)
    for key in ("key", "other"):  # a later run that finds all answers kept
        later = Context(cache=context.cache)
        assert notes(later, ask(later, key)) == due
    assert len(server.bodies) == sent


def test_answers_that_broke_off_while_the_model_was_thinking_are_empty_and_told(server: Any, context: Context) -> None:
    choice = {"message": {"content": "<think>so"}, "finish_reason": "length"}
    server.reply = lambda n, body: (200, {}, json.dumps({"choices": [choice]}).encode())

    def work() -> None:
        talk = conversation(server, context)
        with talk.lock:
            talk.ask({"a": HI}, lambda n=1, note=None: None)
        assert talk.answers() == {"a": ""}

    (told,) = notes(context, work)
    assert told.startswith("answers of m reached max_tokens=7 before any text")


def test_what_was_kept_with_its_thoughts_is_read_without_them(server: Any, context: Context) -> None:
    talk = conversation(server, context)
    talk._journal.add("a", {"text": "[2]?\n</think>[1]", "in": 1, "out": 1})
    assert talk.answers() == {"a": "[1]"}


def test_a_prompt_that_is_too_long_is_named(server: Any, context: Context) -> None:
    told = {"error": {"message": "This model's maximum context length is 4096 tokens."}}
    server.reply = lambda n, body: (400, {}, json.dumps(told).encode())
    talk = conversation(server, context)
    with (
        talk.lock,
        pytest.raises(ModelError, match=r"(?s)context length.*prompt has 10,002 characters.*'wwww.*Send less"),
    ):
        talk.ask({"a": [*LO, {"role": "user", "content": "w" * 10_000}]}, lambda n=1, note=None: None)
