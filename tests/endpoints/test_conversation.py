from __future__ import annotations

from typing import Any

import pytest

from harness.context import Context
from harness.endpoints.conversation import Conversation, prompt_tokens
from harness.endpoints.service import Service
from harness.errors import SettingError

HI = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
LO = [{"role": "user", "content": "lo"}]


def conversation(server: Any, context: Context, temperature: float | None = 0.0, **settings: Any) -> Conversation:
    service = Service("x", "m", server.url, "NO_SUCH_KEY", retries=0, **settings)
    return Conversation(service, temperature, 7, context, "key", {"of": "test"})


def test_what_is_not_kept_is_asked_once(server: Any, context: Context) -> None:
    told: list[int] = []
    for _ in range(2):
        talk = conversation(server, context)
        with talk.lock:
            talk.ask({"a": HI, "b": LO}, lambda n=1, note=None: told.append(n))
    assert len(server.bodies) == 2
    assert told == [1, 1]
    assert set(talk.held()) == {"a", "b"}
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
    with talk.lock, pytest.raises(SettingError, match="next request could pass the cap of 39 tokens"):
        talk.ask({"a": LO, "b": LO}, lambda n=1, note=None: None)
    assert len(server.bodies) == 1  # 15 by the server's count, and another one could take 25
    assert list(talk.held()) == ["a"]


def test_several_answers_to_the_same_messages_differ_by_their_seeds(server: Any, context: Context) -> None:
    talk = conversation(server, context)
    with talk.lock:
        talk.ask({"a": HI, "b": HI, "c": HI}, lambda n=1, note=None: None, {"a": 5, "b": 6})
    assert sorted(body["seed"] for body in server.bodies) == [0, 5, 6]
    held = talk.held()
    assert len({held["a"], held["b"], held["c"]}) == 3
