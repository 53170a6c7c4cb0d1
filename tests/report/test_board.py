import itertools
from collections.abc import Callable

import pytest

from harness.bench.record import Record
from harness.report import formats
from harness.report.board import Line, tables

Made = Callable[..., Record]


def rows(found) -> list[str]:
    return [line.row for line in found.lines]


def test_there_is_one_table_for_each_dataset_by_name(made: Made) -> None:
    found = tables([made(dataset=name, figure=0.5) for name in ("c", "a", "b", "a")])
    assert [t.dataset for t in found] == ["a", "b", "c"]


def test_no_records_are_no_tables() -> None:
    assert tables([]) == []


def test_rows_stand_best_first_by_the_first_measure_and_by_name_where_equal_those_without_figures_last(
    made: Made, skipped: Made
) -> None:
    records = [
        made("a", 0.1),
        skipped("0"),
        made("c", 0.9),
        made("b", 0.5),
        made("bb", 0.5),
        skipped("z", status="error"),
    ]
    (found,) = tables(records)
    assert rows(found) == ["c", "b", "bb", "a", "0", "z"]


def test_the_default_measures_come_first_in_their_order_and_the_others_by_name(made: Made) -> None:
    figures = dict.fromkeys(["P@5", "RR@10", "AP@100", "Bpref", "nDCG@10", "R@100"], 0.5)
    (found,) = tables([made(measures=figures)])
    assert found.measures == ("nDCG@10", "R@100", "RR@10", "AP@100", "Bpref", "P@5")


def test_a_row_that_has_other_measures_has_gaps_and_not_zeros(made: Made) -> None:
    (found,) = tables([made("a", measures={"P@5": 0.5}), made("b", 0.5)])
    assert rows(found) == ["b", "a"]
    assert found.lines[1].value("nDCG@10") is None
    assert found.lines[1].value("P@5") == 0.5


def test_seeds_of_a_row_are_one_line_with_their_mean(made: Made) -> None:
    (found,) = tables([made("a", 0.3, seed=2), made("a", 0.1, seed=0), made("a", 0.2, seed=1)])
    (line,) = found.lines
    assert [r.seed for r in line.records] == [0, 1, 2]
    assert line.value("nDCG@10") == pytest.approx(0.2)


def test_a_seed_that_failed_does_not_count_where_others_have_figures(made: Made, skipped: Made) -> None:
    (found,) = tables([skipped("a", seed=0), made("a", 0.4, seed=1)])
    (line,) = found.lines
    assert line.ok
    assert line.value("nDCG@10") == 0.4


def test_one_name_with_two_methods_is_two_lines(made: Made) -> None:
    (found,) = tables([made("bm25", 0.4, method="bm25(k1=0.9)"), made("bm25", 0.5, method="bm25(k1=1.2)")])
    assert [(line.row, line.value("nDCG@10"), len(line.records)) for line in found.lines] == [
        ("bm25", 0.5, 1),
        ("bm25", 0.4, 1),
    ]


def test_the_best_is_what_is_shown_best_so_that_equal_figures_share_it(made: Made) -> None:
    (found,) = tables([made("a", 0.512341), made("b", 0.512339), made("c", 0.5122)])
    assert found.best("nDCG@10") == "0.5123"
    assert [formats.score(line.value("nDCG@10")) == found.best("nDCG@10") for line in found.lines] == [
        True,
        True,
        False,
    ]


def test_the_best_is_the_greatest_number_not_the_last_in_the_alphabet(made: Made) -> None:
    (found,) = tables([made("a", measures={"NumRet": 9.0}), made("b", measures={"NumRet": 1000.0})])
    assert found.best("NumRet") == "1000.0000"


def test_there_is_no_best_of_what_nobody_has(made: Made, skipped: Made) -> None:
    (found,) = tables([skipped("a")])
    assert found.measures == ()
    assert found.best("nDCG@10") is None


def test_the_order_of_the_records_does_not_matter(made: Made, skipped: Made) -> None:
    records = [made("a", 0.5, seed=1), made("a", 0.6), made("b", 0.55), skipped("c"), made("b", 0.55, dataset="other")]
    first = tables(records)
    for order in itertools.permutations(records):
        assert tables(order) == first


def test_a_family_is_the_head_of_the_method(made: Made) -> None:
    methods = ("bm25(k1=1)", "run/some.trec", "dense", "dense+supervised")
    lines = [Line("a", (made("a", 0.5, method=method),)) for method in methods]
    assert [line.family for line in lines] == ["bm25", "run", "dense", "dense"]
