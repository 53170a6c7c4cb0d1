"""A decision as Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from harness.compare.advice import sentences
from harness.compare.decision import decide
from harness.compare.evidence import Scores
from harness.report.decision import decision_sheet, document


def test_the_document_has_the_sentences_and_a_line_for_each_row(scored: Callable[..., Scores]) -> None:
    one, other = {f"q{i}": 0.9 for i in range(40)}, {f"q{i}": 0.1 + 0.01 * i for i in range(40)}
    trained = {"training": [{"seconds": 100.0, "preparation": 20.0}]}
    size, latency = {"index_bytes": 2**20, "model_bytes": 2**20}, {"p50_ms": 3.0, "p95_ms": 9.0}
    found = decide(
        [scored("a|b", one, resolved=trained, size=size, latency=latency), scored("c", other, size={}, latency=None)]
    )
    told = [*sentences(found), "a <script> in a sentence"]
    text = document("./mine/test", found, told)
    assert text == document("./mine/test", found, told)
    assert text.startswith("# Which row on ./mine/test\n")
    assert "&lt;script>" in text
    assert "| <code>a&#124;b</code> |" in text
    sheet = decision_sheet("./mine/test", found)
    first = {field.heading: field.texts[0] for field in sheet.visible}
    assert first == {
        "row": "a|b",
        "nDCG@10": "0.9000",
        "95 %": "0.900 – 0.900",
        "from the best": "best",
        "rank": "1",
        "ranks": "━·",
        "ms a query": "3.0",
        "MiB": "2.0",
        "training": "120 s",
    }
    second = {field.heading: field.texts[1] for field in sheet.visible}
    assert second["from the best"].startswith("−0.6050 [−0.")
    assert (second["rank"], second["ranks"]) == ("2", "·━")
    assert [second[name] for name in ("ms a query", "MiB", "training")] == ["–"] * 3
    numbers = {field.key: field.values[1] for field in sheet.fields if field.key}
    assert numbers["difference"] == pytest.approx(-0.605)
    assert (numbers["rank_first"], numbers["rank_last"], numbers["tied_with_best"]) == (2, 2, False)
    assert sheet.groups == [1]


def test_names_are_explained_where_they_leave_something_out(scored: Callable[..., Scores]) -> None:
    one = {f"q{i}": 0.9 for i in range(40)}
    rows = [f"hybrid(methods=(bm25, {row}), fusion=convex)" for row in ("splade", "dense")]
    found = decide([dataclasses.replace(scored(f"r{i}", one), name=f"name {i}") for i in range(2)])
    assert decision_sheet("x", found).legend == []
    names = ["hybrid(bm25, splade)", "hybrid(bm25, dense)"]
    scores = [
        dataclasses.replace(
            each, name=name, records=tuple(dataclasses.replace(record, row=row) for record in each.records)
        )
        for each, name, row in zip([scored("s0", one), scored("s1", one)], names, rows, strict=True)
    ]
    text = document("x", decide(scores), ["a"])
    assert f"- `{names[0]}` is `{rows[0]}`" in text
