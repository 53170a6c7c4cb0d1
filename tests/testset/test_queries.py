"""Queries of several kinds, in turn; real ones from a log as they are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus
from harness.generators.chat import Chat
from harness.generators.extractive import Extractive
from harness.runtime.context import Context
from harness.testset.queries import PROMPTS, Made, asking, estimate, from_log, made, one_each, one_part_each

CORPUS = Corpus.of(
    (f"d{i}", f"Title {i}", f"Alpha {i} is a long sentence about beta {i}. Gamma {i} follows with delta {i}.")
    for i in range(12)
)


def test_each_document_once_before_any_twice_and_kinds_as_even_as_they_can_be(context: Context) -> None:
    every = [Made(f"{kind} {row}", row, kind, "x") for row in range(12) for kind in ("title", "sentence", "phrase")]
    chosen = one_each(every, 12)
    assert len({each.row for each in chosen}) == 12
    assert Counter(each.kind for each in chosen) == {"title": 4, "sentence": 4, "phrase": 4}
    assert len(one_each(every, 1000)) == len(every)
    extracted = made([Extractive()], CORPUS, range(12), context)
    assert {each.kind for each in extracted} == {"title", "sentence", "phrase"}
    assert [each.row for each in extracted] == sorted(each.row for each in extracted)


def test_a_chat_model_is_asked_about_each_document_once_in_three_ways(server: Any, context: Context) -> None:
    chat = Chat("m", server.url)
    every = made([chat], CORPUS, list(range(12)), context)
    assert len(server.bodies) == 12
    assert Counter(each.kind for each in every) == {"keywords": 4, "question": 4, "paraphrase": 4}
    assert {each.row for each in every} == set(range(12))
    prompts = {body["messages"][0]["content"].partition("\n\nPassage")[0] for body in server.bodies}
    assert len(prompts) == len(PROMPTS)
    made([chat], CORPUS, list(range(12)), Context(cache=context.cache))
    assert len(server.bodies) == 12  # paid once


def test_a_prompt_of_ones_own_is_used_as_it_is() -> None:
    chat = Chat("m", prompt="Ask about {document}")
    assert asking([chat], [1, 2]) == [(chat, "question", [1, 2])]


def test_the_price_of_a_chat_model() -> None:
    chat = Chat("m", price_in=1.0, price_out=2.0)
    cost = estimate([Extractive(), chat], CORPUS, list(range(12)))
    assert cost is not None
    assert cost.requests == 12
    assert cost.dollars == pytest.approx((cost.tokens_in * 1.0 + cost.tokens_out * 2.0) / 1e6)
    assert estimate([Extractive()], CORPUS, [1]) is None


def test_real_queries_come_from_a_log(tmp_path: Path, context: Context) -> None:
    log = tmp_path / "log.txt"
    log.write_text("how  to fix it\n\nHow to fix it?\nsecond query\n...\n", encoding="utf-8")
    both = {Made("how to fix it", -1, "log", ""), Made("second query", -1, "log", "")}
    assert set(from_log(log, 10, context)) == both
    assert len(from_log(log, 1, context)) == 1
    rows = tmp_path / "queries.jsonl"
    rows.write_text('{"_id": "q1", "text": "how to fix it"}\n{"_id": "q2", "text": "second query"}\n')
    assert {each.text for each in from_log(rows, 10, context)} == {"how to fix it", "second query"}
    log.write_text("\n".join(f"query {i:03}" for i in range(300)), encoding="utf-8")
    first = [each.text for each in from_log(log, 300, context)][:100]
    assert first != sorted(first)
    assert max(first) > "query 250"
    log.write_text("\n")
    with pytest.raises(DatasetError, match="no query"):
        from_log(log, 10, context)


def test_an_id_depends_on_the_query_only() -> None:
    one = Made("text", 3, "title", "x")
    assert one.id(CORPUS) == Made("text", 3, "other", "y").id(CORPUS) != Made("text", 4, "title", "x").id(CORPUS)
    assert Made("text", -1, "log", "").id(CORPUS).startswith("q")


def test_a_part_of_a_document_has_its_id_and_there_is_one_of_each() -> None:
    part, other, asked = (Made(f"text {i}", 3, "title", name) for i, name in enumerate(("extractive",) * 2 + ("chat",)))
    assert part.id(CORPUS) == "d3"
    assert one_part_each([part, asked, other]) == [part, asked]
    assert not Made("text", -1, "log", "").is_part
