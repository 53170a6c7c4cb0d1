"""A chat server is asked once for each text, patiently where it is busy, never beyond the cap; answers are read as
meant.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import HarnessError, ModelError, SettingError, Unavailable
from harness.cache.code import modules_of
from harness.data.corpus import Corpus
from harness.generators import Question, questions
from harness.generators._answers import parse_questions
from harness.generators.chat import Chat
from harness.runtime.context import Context

CORPUS = Corpus.of([(f"d{i}", f"Title {i}", f"a passage about the number {i} " * 5) for i in range(8)])
KEY = "sk-secret-1234567890"


def made(chat: Chat, context: Context, rows: list[int], corpus: Corpus = CORPUS) -> list[Question]:
    return list(chat.generate(corpus, rows, context))


def busy(code: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return code, headers, b'{"error": {"message": "no"}}'


def test_the_protocol_is_spoken(server: Any, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    chat = Chat(
        "m", server.url + "/", key_variable="MY_KEY", prompt="{n} of: {document}", temperature=0.2, max_tokens=9
    )
    corpus = Corpus.of([("a", "T {n}", "x {document} y")])
    found = made(chat, context, [0], corpus)
    assert server.paths == ["/v1/chat/completions"]
    assert server.bodies == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "3 of: T {n} x {document} y"}],
            "temperature": 0.2,
            "max_tokens": 9,
            "seed": 0,
        }
    ]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert [(q.row, q.origin) for q in found] == [(0, "m")] * 3


def test_each_distinct_text_is_asked_once_and_questions_come_in_order(server: Any, context: Context) -> None:
    corpus = Corpus.of([("a", "", "same words here"), ("b", "", "other words"), ("c", "", "same words here")])
    found = made(Chat("m", server.url), context, [2, 1, 0], corpus)
    assert len(server.bodies) == 2
    assert [q.row for q in found] == [2, 2, 2, 1, 1, 1, 0, 0, 0]
    assert "Authorization" not in server.headers[0]


def test_a_stopped_run_pays_nothing_twice(server: Any, context: Context) -> None:
    usual = server.reply
    server.reply = lambda n, body: usual(n, body) if n < 3 else busy(400)
    chat = Chat("m", server.url, concurrency=1)
    with pytest.raises(ModelError, match="HTTP 400"):
        made(chat, context, list(range(8)))
    assert len(server.bodies) == 4
    server.reply = usual
    found = questions(chat, CORPUS, range(8), Context(cache=context.cache))
    assert len(server.bodies) == 4 + 5
    assert found.documents == 8
    dearer = Chat("m", server.url, price_in=1.0, price_out=1.0, cap=0.0, concurrency=2)
    assert made(
        dearer, context, list(range(8))
    )  # prices and concurrency move no answer, and what is kept costs nothing
    assert len(server.bodies) == 9
    made(Chat("m", server.url, temperature=0.0), context, [0])
    made(Chat("m", server.url), Context(seed=1, cache=context.cache), [0])
    assert len(server.bodies) == 11


def test_an_answer_is_kept_when_the_one_who_waits_is_interrupted(
    server: Any, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as inside:
        inside.setattr("harness.endpoints.pool.wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made(Chat("m", server.url), context, list(range(8)))
    assert len(server.bodies) == 4  # those under way
    made(Chat("m", server.url), context, list(range(8)))
    assert len(server.bodies) == 8


def test_requests_are_under_way_together_up_to_the_limit(server: Any, context: Context) -> None:
    usual, now, most, guard = server.reply, [0], [0], threading.Lock()

    def slow(n: int, body: dict[str, Any]) -> Any:
        with guard:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.1)
        with guard:
            now[0] -= 1
        return usual(n, body)

    server.reply = slow
    made(Chat("m", server.url, concurrency=3), context, list(range(8)))
    assert most == [3]


def test_retry_after_is_honoured(server: Any, context: Context) -> None:
    usual = server.reply
    server.reply = lambda n, body: busy(429, **{"Retry-After": "0.4"}) if n == 0 else usual(n, body)
    started = time.perf_counter()
    assert len(made(Chat("m", server.url), context, [0])) == 3
    assert time.perf_counter() - started >= 0.4
    assert len(server.bodies) == 2


def test_a_server_that_asks_for_too_long_a_wait_is_left(server: Any, context: Context) -> None:
    server.reply = lambda n, body: busy(429, **{"Retry-After": "86400"})
    with pytest.raises(ModelError, match="after 1 try; the last error: HTTP 429"):
        made(Chat("m", server.url), context, [0])


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_failing_server_is_asked_again_and_given_up_in_the_end(server: Any, context: Context, code: int) -> None:
    usual = server.reply
    server.reply = lambda n, body: busy(code) if n < 2 else usual(n, body)
    assert made(Chat("m", server.url), context, [0])
    assert len(server.bodies) == 3
    server.reply = lambda n, body: busy(code)
    with pytest.raises(ModelError, match=rf"after 3 tries; the last error: HTTP {code}"):
        made(Chat("m", server.url, retries=2), context, [1])
    assert len(server.bodies) == 6


@pytest.mark.parametrize(
    "raw", [b"<html>", b"{", b"[]", b'{"choices": []}', b'{"choices": [{"message": null}]}', b"\xff"]
)
def test_an_answer_out_of_the_protocol_is_asked_for_again(server: Any, context: Context, raw: bytes) -> None:
    usual = server.reply
    server.reply = lambda n, body: (200, {}, raw) if n == 0 else usual(n, body)
    assert made(Chat("m", server.url), context, [0])
    assert len(server.bodies) == 2


def test_a_slow_answer_is_asked_for_again(server: Any, context: Context) -> None:
    usual = server.reply

    def slow(n: int, body: dict[str, Any]) -> Any:
        time.sleep(1.0 if n == 0 else 0)
        return usual(n, body)

    server.reply = slow
    assert made(Chat("m", server.url, timeout=0.3), context, [0])
    assert len(server.bodies) == 2


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_is_told_by_its_variable_and_never_shown(
    server: Any, context: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", KEY)
    server.reply = lambda n, body: (code, {}, json.dumps({"error": {"message": f"bad {KEY}"}}).encode())
    with caplog.at_level(logging.DEBUG), pytest.raises(ModelError, match="ENDPOINT_API_KEY") as told:
        made(Chat("m", server.url, concurrency=1), context, [0, 1])
    assert len(server.bodies) == 1
    kept = b"".join(p.read_bytes() for p in context.cache.root.rglob("*") if p.is_file()).decode()
    assert KEY not in str(told.value) + caplog.text + kept + Chat("m").full()


def test_other_refusals_say_what_the_server_says_without_the_key(
    server: Any, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", KEY)
    server.reply = lambda n, body: (404, {}, json.dumps({"error": {"message": f"none for {KEY}"}}).encode())
    with pytest.raises(ModelError, match=r"no model 'big'.*none for \*\*\*"):
        made(Chat("big", server.url), context, [0])
    server.reply = lambda n, body: (422, {}, b"plain words")
    with pytest.raises(ModelError, match="HTTP 422: plain words"):
        made(Chat("m", server.url), context, [0])


def test_a_redirect_is_not_followed_with_the_key(server: Any, context: Context) -> None:
    server.reply = lambda n, body: (302, {"Location": server.url + "/elsewhere"}, b"")
    with pytest.raises(ModelError, match="HTTP 302"):
        made(Chat("m", server.url), context, [0])
    assert len(server.bodies) == 1


def test_a_key_is_needed_elsewhere_and_a_server_here(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENDPOINT_API_KEY", raising=False)
    with pytest.raises(Unavailable, match="ENDPOINT_API_KEY is not set"):
        made(Chat("m", "https://chat.invalid/v1"), context, [0])
    with pytest.raises(Unavailable, match="no server"):
        made(Chat("m", "http://127.0.0.1:9/v1"), context, [0])
    monkeypatch.setenv("ENDPOINT_API_KEY", "sk\nx")
    with pytest.raises(SettingError, match="cannot be sent"):
        made(Chat("m", "http://127.0.0.1:9/v1"), context, [0])


def said(content: str | None, tokens: tuple[int, int] = (10, 5)) -> tuple[int, dict[str, str], bytes]:
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return 200, {}, json.dumps({"choices": [{"message": {"content": content}}], "usage": usage}).encode()


@pytest.mark.parametrize("content", [None, "", " \n", "```\n```"])
def test_a_refusal_counts_as_dropped_and_is_not_asked_for_again(
    server: Any, context: Context, content: str | None
) -> None:
    usual = server.reply
    server.reply = lambda n, body: said(content) if "number 1" in body["messages"][0]["content"] else usual(n, body)
    found = questions(Chat("m", server.url), CORPUS, [0, 1], context)
    assert found.dropped["empty"] == 1
    assert {q.row for q in found.questions} == {0}
    assert len(server.bodies) == 2


def test_the_estimate_counts_four_characters_a_token_and_the_longest_answers() -> None:
    corpus = Corpus.of([("a", "", "x" * 38), ("b", "", "y" * 41), ("c", "", "x" * 38)])
    chat = Chat("m", prompt="{n}:{document}", max_tokens=100, price_in=1.0, price_out=10.0)
    told = chat.estimate(corpus, [0, 1, 2])
    assert (told.requests, told.tokens_in, told.tokens_out) == (2, 10 + 11 + 2 * 8, 200)
    assert told.dollars == pytest.approx((37 * 1 + 200 * 10) / 1e6)
    assert Chat("m").estimate(corpus, [0]).dollars is None


def test_an_estimate_over_the_cap_asks_nothing(server: Any, context: Context, caplog: pytest.LogCaptureFixture) -> None:
    chat = Chat("m", server.url, price_in=1.0, price_out=1.0, cap=0.001)
    with (
        caplog.at_level(logging.INFO),
        pytest.raises(SettingError, match=r"8 requests.*exceeds the cap of \$0\.001.*[Rr]aise cap"),
    ):
        made(chat, context, list(range(8)))
    assert server.bodies == []
    assert "8 requests" in caplog.text


def test_the_servers_own_count_stops_the_run_and_what_was_paid_for_is_kept(server: Any, context: Context) -> None:
    usual = server.reply
    server.reply = lambda n, body: (*usual(n, body)[:2], said("why is it so?", (1_000_000, 0))[2])
    chat = Chat("m", server.url, price_in=1.0, price_out=1.0, cap=2.5, concurrency=1)
    with pytest.raises(SettingError, match=r"has used \$3\.00.*cap of \$2\.50.*cached"):
        made(chat, context, list(range(8)))
    assert len(server.bodies) == 3
    with pytest.raises(SettingError, match="has used"):
        made(chat, context, list(range(8)))
    assert len(server.bodies) == 6
    assert len(made(chat, context, list(range(8)))) == 8  # two were left, under the cap
    assert len(server.bodies) == 8


@pytest.mark.parametrize(
    "settings",
    [
        {"model": " "},
        {"url": "api.openai.com/v1"},
        {"url": "ftp://host/v1"},
        {"url": "https://user:key@host/v1"},
        {"url": "http://[::1/v1"},
        {"prompt": "no place"},
        {"per_document": 0},
        {"max_tokens": 0},
        {"concurrency": 0},
        {"temperature": -1.0},
        {"price_in": float("nan")},
        {"retries": -1},
        {"timeout": 0.0},
        {"cap": 1.0},
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=rf"chat: .*{next(iter(settings))}"):
        Chat(**{"model": "m", **settings})


@pytest.mark.parametrize(
    "answer",
    [
        "what is a?\nhow is b?",
        "1. what is a?\n2. how is b?",
        "1) what is a?\n\n2) how is b?\n",
        "- what is a?\n* how is b?",
        '• "what is a?"\n• “how is b?”',
        "Here are two questions:\n\n1. **what is a?**\n2. **how is b?**",
        "Q1: what is a?\nQuestion 2: how is b?",
        '["what is a?", "how is b?"]',
        '```json\n["what is a?",\n "how is b?"]\n```',
        'Sure:\n{"questions": [{"question": "what is a?"}, {"question": "how is b?"}]}',
        "what is a?\nhow is b?\nand a third?",
    ],
)
def test_answers_are_read_as_meant(answer: str) -> None:
    assert parse_questions(answer, 2) == ["what is a?", "how is b?"]


def test_numbers_that_belong_to_a_question_stay() -> None:
    kept = ["3 apples a day?", "1.5 mg of aspirin?", "2020 election: who won?", "is [x] an array?", "don't"]
    assert parse_questions("\n".join(kept), 9) == kept


@given(st.text(), st.integers(1, 5))
def test_any_answer_gives_at_most_so_many_tidy_questions(answer: str, most: int) -> None:
    found = parse_questions(answer, most)
    assert len(found) <= most
    assert all(text and text == " ".join(text.split()) and not text.endswith(":") for text in found)


@given(st.lists(st.from_regex(r"[a-z][a-z ]{0,20}[a-z]\?", fullmatch=True), min_size=1, max_size=5))
def test_a_json_list_and_numbered_lines_say_the_same(asked: list[str]) -> None:
    asked = [" ".join(text.split()) for text in asked]
    assert parse_questions(json.dumps(asked), 5) == asked
    assert parse_questions("\n".join(f"{i}. {text}" for i, text in enumerate(asked, 1)), 5) == asked


def test_every_fault_is_one_a_user_can_read(server: Any, context: Context) -> None:
    server.reply = lambda n, body: busy(418)
    with pytest.raises(HarnessError, match=r"^chat: .*\.$"):
        made(Chat("m", server.url), context, [0])


def test_what_a_model_thinks_makes_no_question(server: Any, context: Context) -> None:
    thought = "1. is this a question?\n</think>\n1. what is it?"
    server.reply = lambda n, body: said(thought)
    assert [q.text for q in made(Chat("m", server.url), context, [0])] == ["what is it?"]


def test_the_code_that_reads_answers_is_in_the_key_of_questions() -> None:
    assert {"harness.endpoints.reasoning", "harness.generators._answers"} <= set(
        modules_of("harness.generators", Chat("m"))
    )


@pytest.mark.parametrize(
    ("answer", "whole"),
    [("what is a?\nwhat is b?\nwhat is the wei", ["what is a?", "what is b?"]), ("what is the wei", [""])],
)
def test_a_question_that_the_limit_on_tokens_cut_is_none(
    server: Any, context: Context, answer: str, whole: list[str]
) -> None:
    choice = {"message": {"content": answer}, "finish_reason": "length"}
    server.reply = lambda n, body: (200, {}, json.dumps({"choices": [choice]}).encode())
    for _ in range(2):  # the second time from the cache
        assert [q.text for q in made(Chat("m", server.url), Context(cache=context.cache), [0])] == whole
    assert len(server.bodies) == 1
