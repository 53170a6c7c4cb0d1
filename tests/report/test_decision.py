"""A decision as Markdown."""

from __future__ import annotations

from collections.abc import Callable

from harness.compare.advice import sentences
from harness.compare.decision import decide
from harness.compare.evidence import Scores
from harness.report.decision import board, document


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
    head, rows = board(found)
    assert dict(zip(head, rows[0], strict=True)) == {
        "row": "a|b",
        "nDCG@10": "0.9000",
        "95 %": "0.900 – 0.900",
        "from the best": "–",
        "rank": "1",
        "ms a query": "3.0",
        "MiB": "2.0",
        "training": "120 s",
    }
    assert rows[1][3].startswith("-0.6050 [-0.")
    assert rows[1][4] == "2"
    assert rows[1][-3:] == ["–", "–", "–"]
