"""What MTEB's tasks contain, as documents and queries."""

from __future__ import annotations

import pytest

from harness.base.errors import DatasetError
from harness.collection.mteb_rows import documents, queries
from harness.data.documents import Document


def test_a_missing_or_null_title_is_the_empty_string() -> None:
    rows = [{"id": 1, "text": "a"}, {"id": "2", "title": None, "text": None}, {"id": "3", "title": "T", "text": "b"}]
    assert list(documents(rows)) == [Document("1", "", "a"), Document("2", "", ""), Document("3", "T", "b")]


def test_an_instruction_follows_the_text_of_the_query() -> None:
    rows = [{"id": 1, "text": "q"}, {"id": 2, "text": "q", "instruction": "find"}]
    assert queries(rows) == {"1": "q", "2": "q find"}


def test_ids_go_through_the_rule_for_ids() -> None:
    assert [d.id for d in documents([{"id": " 1 ", "text": ""}], str.strip)] == ["1"]
    assert list(queries([{"id": " 1 ", "text": "q"}], str.strip)) == ["1"]


def test_a_conversation_is_refused() -> None:
    with pytest.raises(DatasetError, match="query 'q1' is a conversation"):
        queries([{"id": "q1", "text": [{"role": "user", "content": "hi"}]}])
