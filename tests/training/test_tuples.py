from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.runtime.context import Context
from harness.training.tuples import Seen, Tuples, read_tuples

CORPUS = TrainView(Corpus.of([("a", "", "one"), ("b", "", "two")]))


def some() -> Tuples:
    seen = Seen()
    assert seen.add(["one", "two", "shortened", "one"], ["a", "b", "", "b"]).tolist() == [0, 1, 2, 0]
    assert seen.ids == ["a", "b", ""]
    return Tuples(
        ["first?", "second?"],
        seen.corpus(),
        seen.ids,
        np.array([0, 1, 0]),
        np.array([0, 2, 0]),
        np.array([1, 0, 2]),
        np.array([1.5, -2.0, 0.25], np.float32),
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "tuples.jsonl"
    some().write(file)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == {
        "query": "first?",
        "positive": "one",
        "negative": "two",
        "margin": 1.5,
        "positive_id": "a",
        "negative_id": "b",
    }
    assert "positive_id" not in lines[1]
    read = read_tuples(file)
    for line, query, positive, negative, margin in zip(
        lines, read.query, read.positive, read.negative, read.margins, strict=True
    ):
        texts = [read.queries[query], read.seen.texts[int(positive)], read.seen.texts[int(negative)]]
        assert [*texts, margin] == [line[name] for name in ("query", "positive", "negative", "margin")]


def test_each_query_is_trained_on_the_positives_that_the_corpus_has() -> None:
    found = some().trained_queries(CORPUS)
    assert [(one.kind, one.text, one.documents) for one in found] == [
        ("generated", "first?", ("a",)),
        ("generated", "second?", ()),
    ]


def test_another_judges_margins_are_of_the_texts_as_they_are_read(
    scored: Callable[..., Any], context: Context
) -> None:
    judge = scored("judge", lambda text, row: float(row) if text == "first?" else 10.0 * row)
    assert some().margins_of(judge, CORPUS, context).tolist() == [0 - 1, 20 - 0, 0 - 2]
    assert some().margins_of(judge, CORPUS, context, 2).tolist() == [-1, 20]


@pytest.mark.parametrize(
    "line", ['{"query": "a"}', "no", "[1]", '{"query": "a", "positive": "b", "negative": 3, "margin": 1}']
)
def test_a_bad_line_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "tuples.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(DatasetError, match=r"tuples\.jsonl, line 1 is no tuple"):
        read_tuples(file)


def test_a_file_that_is_empty_or_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tuples.jsonl"
    with pytest.raises(DatasetError, match="cannot be read"):
        read_tuples(file)
    file.write_text("\n")
    with pytest.raises(DatasetError, match="are empty"):
        read_tuples(file)
