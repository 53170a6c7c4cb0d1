"""What a set is worth is said in any case: whose labels, which rows are favoured, how to do better."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.judges import Grades
from harness.rows import parse_judge, parse_method
from harness.testset.make import TestSet
from harness.testset.queries import Made
from harness.testset.request import Request
from harness.testset.trust import sentences

ROWS = [parse_method(row) for row in ("bm25", "dense", "hybrid")]


def made(*queries: Made) -> TestSet:
    return TestSet(queries, (), Grades([]), {}, {"title": 0.8, "phrase": 1.0}, 5)


def test_favoured_rows_are_named(request_of: Callable[..., Request]) -> None:
    lines = sentences(request_of(judge=parse_judge("panel")), made(Made("a", 0, "title", "extractive")), ROWS)
    text = " ".join(lines)
    assert "uncalibrated" in text
    assert "The judge panel shares a model with rows, which may favour them: dense, hybrid-rrf." in text
    assert "The only query is taken from documents (90% of the content words" in text


def test_a_real_log_and_another_judge_favour_none(request_of: Callable[..., Request], tmp_path: Path) -> None:
    request = request_of(judge=parse_judge("cross_encoder"), log=tmp_path / "log")
    text = " ".join(sentences(request, made(Made("a", -1, "log", "")), ROWS))
    assert "uncalibrated" in text
    assert "favour them" not in text
    assert "This judge was not measured: intervals of differences are widened for the largest errors" in text
    assert "(panel, dense); the figures below are of panel." in text
    assert "Kendall's tau" in text
    assert "ranked 16 rows too high" in text
