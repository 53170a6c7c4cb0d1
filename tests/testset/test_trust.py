"""What a set is worth is said in any case: whose labels, which rows are favoured, how to do better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.judges import Grades
from harness.rows import parse_judge, parse_method
from harness.testset.filters import of_copied_documents
from harness.testset.make import TestSet
from harness.testset.queries import Made
from harness.testset.request import DENSE_UP_TO, Request
from harness.testset.trust import sentences

TEXTS = ("a valve of the engine", "the hedge of a garden", "some crane in a harbour")
CORPUS = Corpus.of((f"d{i}", "", text) for i, text in enumerate(TEXTS))
ROWS = [parse_method(row) for row in ("bm25", "dense", "hybrid")]


def made(*queries: Made) -> TestSet:
    pool = np.array([1, 2], np.int64)
    return TestSet(queries, (pool,) * len(queries), Grades([]), {}, {"title": 0.8, "phrase": 1.0}, 5)


def test_favoured_rows_are_named(request_of: Callable[..., Request]) -> None:
    lines = sentences(request_of(judge=parse_judge("panel")), made(Made("a", 0, "title", "extractive")), CORPUS, ROWS)
    text = " ".join(lines)
    assert "uncalibrated" in text
    assert "The judge panel shares a model with rows, which may favour them: dense, hybrid-rrf." in text
    assert "The only query is taken from documents (90% of the content words" in text


def test_a_real_log_and_another_judge_favour_none(request_of: Callable[..., Request], tmp_path: Path) -> None:
    request = request_of(judge=parse_judge("cross_encoder"), log=tmp_path / "log")
    text = " ".join(sentences(request, made(Made("a", -1, "log", "")), CORPUS, ROWS))
    assert "uncalibrated" in text
    assert "favour them" not in text
    assert "This judge was not measured: intervals of differences are widened for the largest errors" in text
    assert "(panel, dense); the figures below are of panel." in text
    assert "Kendall's tau" in text
    assert "ranked 16 rows too high" in text


def test_a_set_of_known_items_is_not_to_be_trusted(request_of: Callable[..., Request]) -> None:
    own = Made("a", 0, "title", "extractive", alone=True)
    other = Made("b", 1, "title", "extractive")
    few = " ".join(sentences(request_of(), made(own, other, other), CORPUS, ROWS))
    assert "1 of 3 queries are of documents that are like no other" in few
    assert "do not choose a row by it" not in few
    most = " ".join(sentences(request_of(), made(own, own, other), CORPUS, ROWS))
    assert "They are most of this set, so do not choose a row by it: let people judge" in most
    assert "--judge dense" in most


def test_a_pool_that_only_words_find_is_named(
    request_of: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    def text(*pool: str) -> str:
        request = request_of(pool=tuple(map(parse_method, pool)))
        return " ".join(sentences(request, made(Made("a", 0, "title", "extractive")), CORPUS, ROWS))

    assert "by words only" not in text()
    assert "by words only: what" in text("bm25", "bm25>>dense")
    assert "by words only" not in text("bm25", "dense")
    monkeypatch.setattr("harness.testset.request.DENSE_UP_TO", 2)
    assert f"by words only (the corpus has more than {DENSE_UP_TO:,} documents)" in text()
    assert "by words only" not in text("bm25", "dense")


def test_copies_of_documents_are_named(request_of: Callable[..., Request]) -> None:
    """A copy is the answer to a part of its document, and words find it first."""
    whole = "The valve of the old engine was replaced by the smith of the town in the year 1912."
    corpus = Corpus.of([("a", "", whole), ("b", "", whole.replace("1912", "1913")), ("c", "", TEXTS[2])])
    part, other = Made("valve engine", 0, "phrase", "extractive"), Made("crane", 2, "phrase", "extractive")
    queries, pools = [part, other], [np.array([1, 2], np.int64), np.array([0, 1], np.int64)]
    assert of_copied_documents(queries, pools, corpus) == 1
    assert of_copied_documents([replace(part, row=-1)], pools[:1], corpus) == 0
    assert of_copied_documents([part], [np.array([0, 2], np.int64)], corpus) == 0
    found = TestSet((part, other), tuple(pools), Grades([]), {}, {}, 3)
    text = " ".join(sentences(request_of(), found, corpus, ROWS))
    assert "1 of 2 queries are of documents of which the corpus has near copies" in text
    assert "near copies" not in " ".join(sentences(request_of(), made(other), CORPUS, ROWS))
