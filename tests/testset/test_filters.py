"""Filters: what is dropped and what stays."""

from __future__ import annotations

import pytest

from harness.data.corpus import Corpus
from harness.testset.filters import copied, found_again, without_copies, without_leaks
from harness.testset.queries import Made

CORPUS = Corpus.of([("a", "", "The turbine of the plant was repaired in autumn by two engineers")])


def asked(text: str, generator: str = "chat", row: int = 0) -> Made:
    return Made(text, row, "question", generator)


def test_near_copies_are_dropped_but_the_first() -> None:
    queries = [asked(t) for t in ("who repaired the turbine", "Who repaired the turbine?", "what is a plant")]
    kept, dropped = without_copies(queries)
    assert ([each.text for each in kept], dropped) == (["who repaired the turbine", "what is a plant"], 1)


def test_the_share_of_copied_words() -> None:
    assert copied(asked("who repaired the turbines"), CORPUS.texts[0]) == pytest.approx(2 / 3)
    assert copied(asked("the of", row=0), CORPUS.texts[0]) == 0
    assert copied(asked("turbine", row=-1), CORPUS.texts[0]) == 0


def test_a_model_that_copies_is_caught_and_extracts_are_only_counted() -> None:
    copy, own = "turbine plant repaired autumn", "which season was good for the repairs of that machine"
    queries = [asked(copy), asked(own), asked(copy, "extractive"), asked("turbine")]
    kept, dropped, shares = without_leaks(queries, CORPUS, 0.9)
    assert [each.text for each in kept] == [own, copy, "turbine"]
    assert dropped == 1
    assert 0 < shares["question"] < 1


@pytest.mark.parametrize(
    ("row", "ranks", "kept"), [(0, [None, 7], True), (0, [None, None], False), (0, [9, 30], False), (-1, [None], True)]
)
def test_a_made_query_must_find_its_document(row: int, ranks: list[int | None], kept: bool) -> None:
    assert found_again(asked("x", row=row), ranks, 8) is kept
