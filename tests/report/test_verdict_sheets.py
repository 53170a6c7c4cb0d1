"""Verdicts and queries as tables."""

from __future__ import annotations

from collections.abc import Callable

from harness.compare.evidence import Scores, contrasts
from harness.compare.pairwise import Comparison, QueryPair
from harness.compare.verdict import verdict
from harness.report.verdict_sheets import query_sheet, verdict_sheet


def test_each_baseline_has_its_finding_and_numbers(scored: Callable[..., Scores]) -> None:
    queries = [f"q{i}" for i in range(40)]
    own = scored("own", {q: 0.5 + 0.01 * (i % 7) for i, q in enumerate(queries)})
    low = scored("low", {q: 0.1 + 0.01 * (i % 5) for i, q in enumerate(queries)})
    same = scored("same", {q: 0.5 + 0.01 * (i % 7) for i, q in enumerate(queries)})
    sheet = verdict_sheet([verdict(each) for each in contrasts([(own, low), (own, same)])])
    values = {field.key: list(field.values) for field in sheet.fields if field.key}
    assert values["baseline"] == ["low", "same"]
    assert values["finding"] == ["better", "equivalent"]
    assert values["difference"][0] > 0.3
    assert (values["queries_won"], values["queries_tied"], values["queries_lost"]) == ([40, 0], [0, 40], [0, 0])
    assert sheet.title == "own on beir/example/test"


def test_queries_are_listed_from_both_sides_with_a_line_between(scored: Callable[..., Scores]) -> None:
    one, other = scored("one", {"a": 0.9, "b": 0.1}), scored("other", {"a": 0.1, "b": 0.4})
    (contrast,) = contrasts([(one, other)])
    found = Comparison(verdict(contrast), (QueryPair("a", 0.9, 0.1, "x"),), (QueryPair("b", 0.1, 0.4, "y"),))
    sheet = query_sheet(found)
    assert sheet.groups == [1]
    by_heading = {field.heading: list(field.texts) for field in sheet.visible}
    assert by_heading["query"] == ["a", "b"]
    assert by_heading["difference"] == ["+0.8000", "−0.3000"]
    assert by_heading["one"] == ["0.9000", "0.1000"]
    assert query_sheet(Comparison(found.verdict, found.gains, ())).groups == []
