"""Numbers of things in sentences."""

from __future__ import annotations

import pytest

from harness.base.counts import all_of, counted, sentence, some_of


@pytest.mark.parametrize(("n", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")])
def test_a_noun_agrees_with_its_number(n: int, text: str) -> None:
    assert counted(n, "row") == text


def test_an_irregular_noun_is_given() -> None:
    assert [counted(n, "query", "queries") for n in (1, 2)] == ["1 query", "2 queries"]


@pytest.mark.parametrize(
    ("n", "text"), [(1, "the other row is"), (2, "both other rows are"), (3, "all 3 other rows are")]
)
def test_all_of_one_of_two_and_of_more(n: int, text: str) -> None:
    assert all_of(n, "the other row is", "other rows are") == text


@pytest.mark.parametrize(
    ("n", "whole", "text"),
    [
        (0, 1, "the other row is not tied"),
        (1, 1, "the other row is tied"),
        (0, 2, "no other row is tied"),
        (1, 2, "1 of 2 other rows is tied"),
        (2, 2, "both other rows are tied"),
        (2, 3, "2 of 3 other rows are tied"),
        (3, 3, "all 3 other rows are tied"),
    ],
)
def test_some_of_them(n: int, whole: int, text: str) -> None:
    assert some_of(n, whole, "other row", "tied") == text


def test_a_sentence_starts_with_a_capital() -> None:
    assert (sentence("both rows"), sentence("")) == ("Both rows", "")
