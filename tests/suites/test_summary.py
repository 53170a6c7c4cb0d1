"""What a test of the suites reports becomes properties, which reach the summary from other processes too."""

from __future__ import annotations

import pytest

from harness.suites import summary
from harness.suites.selection import PublishedCell


def test_a_published_score_is_reported_with_its_difference() -> None:
    put: list[tuple[str, object]] = []
    cell = PublishedCell("Anserini", "a page", "bm25", 0.001, "beir/scifact", {"nDCG@10": 0.679})
    summary.Reporter(lambda name, value: put.append((name, value))).published(cell, "nDCG@10", 0.6789, "OK")
    words = "OK    Anserini on beir/scifact: nDCG@10 0.67890, published 0.679, -0.00010 (tolerance 0.001)"
    assert put == [(summary.PUBLISHED, words)]


@pytest.mark.parametrize(("when", "expected"), [("call", [1]), ("teardown", [])])
def test_properties_are_collected_once(when: str, expected: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "_reported", summary.defaultdict(list))
    report = pytest.TestReport(
        "a", ("a", 0, "a"), {}, "passed", None, when, user_properties=[("harness_index", 1)]  # type: ignore[arg-type]
    )
    summary.collect(report)
    assert summary._reported["harness_index"] == expected
