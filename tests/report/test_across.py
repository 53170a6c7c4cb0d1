"""The table across datasets."""

import re
from collections.abc import Callable

import pytest

from harness.bench.published import Published
from harness.bench.record import Record
from harness.report import latex, markdown
from harness.report.across import across
from harness.report.board import Table, tables, with_published
from harness.report.board_html import as_html
from harness.report.terminal import across_sheet

Made = Callable[..., Record]


def test_one_dataset_has_no_table_across(made: Made) -> None:
    assert across(tables([made("a", 0.5)])) is None
    assert across([]) is None


def test_only_rows_with_a_figure_on_every_dataset_have_a_mean_and_they_stand_first(made: Made) -> None:
    records = [
        made("half", 0.99, "d1"),
        made("low", 0.1, "d1"),
        made("low", 0.3, "d2"),
        made("high", 0.4, "d1"),
        made("high", 0.2, "d2"),
    ]
    found = across(tables(records))
    assert found is not None
    assert (found.measure, found.datasets) == ("nDCG@10", ("d1", "d2"))
    assert [(row.name, row.values) for row in found.rows] == [
        ("high", (0.4, 0.2)),
        ("low", (0.1, 0.3)),
        ("half", (0.99, None)),
    ]
    assert [row.mean for row in found.rows] == pytest.approx([0.3, 0.2, None])


def test_rows_without_figures_are_not_in_the_table_across(made: Made, skipped: Made) -> None:
    found = across(tables([made("a", 0.5, "d1"), made("a", 0.5, "d2"), skipped("b", dataset="d1")]))
    assert found is not None
    assert [row.name for row in found.rows] == ["a"]


def test_the_measure_across_is_the_first_that_every_dataset_has(made: Made) -> None:
    one = made("a", measures={"nDCG@10": 0.5, "R@100": 0.6}, dataset="d1")
    two = made("a", measures={"R@100": 0.7, "RR@10": 0.8}, dataset="d2")
    found = across(tables([one, two]))
    assert found is not None
    assert found.measure == "R@100"
    assert across(tables([one, made("a", measures={"RR@10": 0.8}, dataset="d2")])) is None


PUBLISHED = (
    Published("both", "a paper", {"d1": {"nDCG@10": 0.9}, "d2": {"nDCG@10": 0.2}}),
    Published("one", "a paper", {"d2": {"nDCG@10": 0.6}}),
    Published("other measure", "a paper", {"d1": {"R@100": 0.6}}),
    Published("elsewhere", "a paper", {"d3": {"nDCG@10": 0.6}}),
)


@pytest.fixture
def compared(made: Made) -> list[Table]:
    records = [made("high", 0.5, "d1"), made("high", 0.2, "d2"), made("low", 0.1, "d1"), made("low", 0.2, "d2")]
    return with_published(tables(records), PUBLISHED)


def test_published_scores_are_below_the_rows_and_are_none_of_the_best(compared: list[Table]) -> None:
    found = across(compared)
    assert found is not None
    assert [row.name for row in found.rows] == ["high", "low"]
    assert [(row.name, row.values) for row in found.published] == [
        ("published/both", (0.9, 0.2)),
        ("published/one", (None, 0.6)),
    ]
    assert found.published[0].mean == pytest.approx(0.55)
    assert found.published[1].mean is None
    assert found.best == ("0.5000", "0.2000", "0.3500")


def test_each_form_of_the_board_has_published_scores_across_datasets(compared: list[Table]) -> None:
    text = markdown.leaderboard(compared)
    assert "| `published/both` *(not measured here)* | 0.9000 | 0.2000 | 0.5500 |" in re.sub(" +", " ", text)
    assert "| `high` | **0.5000** | **0.2000** | **0.3500** |" in re.sub(" +", " ", text)
    source = latex.leaderboard(compared).split("\\end{table}")[0]
    assert source.count("\\midrule") == 2
    assert source.index("published/") > source.index("high")
    assert "Below the second rule: scores published by others, not measured here and not compared." in source
    (html,) = [part for part in as_html(compared, across(compared)).split("<table>") if "across datasets" in part]
    assert "<code>published/both</code> (not measured here)</td><td>0.9000</td><td>0.2000</td><td>0.5500</td>" in html
    over = across(compared)
    assert over is not None
    sheet = across_sheet(over)
    assert list(sheet.fields[0].values) == ["high", "low", "published/both", "published/one"]
    assert sheet.mark(2) == "dim"
    assert list(across_sheet(over, whole=True).fields[0].values) == ["high", "low", "published/both"]
