"""The table across datasets."""

from collections.abc import Callable

import pytest

from harness.bench.record import Record
from harness.report.across import across
from harness.report.board import tables

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
