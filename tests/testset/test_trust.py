"""What a set is worth is said in any case: whose labels, which rows are favoured, how to do better."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.judges import Grades
from harness.rows import parse_judge, parse_method
from harness.testset.make import TestSet
from harness.testset.queries import Made
from harness.testset.request import DENSE_UP_TO, Request
from harness.testset.trust import sentences

ROWS = [parse_method(row) for row in ("bm25", "dense", "hybrid")]


def made(*queries: Made) -> TestSet:
    return TestSet(queries, (), Grades([]), {}, {"title": 0.8, "phrase": 1.0}, 5)


def test_favoured_rows_are_named(request_of: Callable[..., Request]) -> None:
    lines = sentences(request_of(judge=parse_judge("panel")), made(Made("a", 0, "title", "extractive")), 60, ROWS)
    text = " ".join(lines)
    assert "uncalibrated" in text
    assert "The judge panel shares a model with rows, which may favour them: dense, hybrid-rrf." in text
    assert "The only query is taken from documents (90% of the content words" in text


def test_a_real_log_and_another_judge_favour_none(request_of: Callable[..., Request], tmp_path: Path) -> None:
    request = request_of(judge=parse_judge("cross_encoder"), log=tmp_path / "log")
    text = " ".join(sentences(request, made(Made("a", -1, "log", "")), 60, ROWS))
    assert "uncalibrated" in text
    assert "favour them" not in text
    assert "This judge was not measured: intervals of differences are widened for the largest errors" in text
    assert "(panel, dense); the figures below are of panel." in text
    assert "Kendall's tau" in text
    assert "ranked 16 rows too high" in text


def test_a_set_of_known_items_is_not_to_be_trusted(request_of: Callable[..., Request]) -> None:
    own = Made("a", 0, "title", "extractive", alone=True)
    other = Made("b", 1, "title", "extractive")
    few = " ".join(sentences(request_of(), made(own, other, other), 60, ROWS))
    assert "1 of 3 queries are of documents that are like no other" in few
    assert "do not choose a row by it" not in few
    most = " ".join(sentences(request_of(), made(own, own, other), 60, ROWS))
    assert "They are most of this set, so do not choose a row by it: let people judge" in most
    assert "--judge dense" in most


def test_a_pool_that_only_words_find_is_named(request_of: Callable[..., Request]) -> None:
    def text(documents: int, *pool: str) -> str:
        request = request_of(pool=tuple(map(parse_method, pool)))
        return " ".join(sentences(request, made(Made("a", 0, "title", "extractive")), documents, ROWS))

    assert "by words only" not in text(DENSE_UP_TO)
    assert f"by words only (the corpus has more than {DENSE_UP_TO:,} documents)" in text(DENSE_UP_TO + 1)
    assert "by words only: what" in text(60, "bm25", "bm25>>dense")
    assert "by words only" not in text(10**6, "bm25", "dense")
