"""The columns of a dataset's table."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable

import pytest

from harness.bench.record import Record
from harness.compare.comparison import Position
from harness.report import columns, csv, markdown
from harness.report.board import Line, tables
from harness.report.column import Column, Writer
from harness.report.columns import COSTS, EXPLAINED, columns_of
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

Made = Callable[..., Record]
WORSE = Difference(-0.01234, Interval(-0.02, -0.0041), 0.01, 0.002)
BEST, OTHER = Position(0, Interval(0.4, 0.6), (1, 4), None, 4), Position(1, Interval(0.4, 0.5), (2, 2), WORSE, 4)


def costs(line: Line) -> dict[str, str]:
    return {column.heading: column.text(line) for column in COSTS if "markdown" in column.where}


def positions(position: Position | None, record: Record, writer: Writer) -> list[str]:
    (table,) = tables([record])
    line = dataclasses.replace(table.lines[0], position=position)
    table = dataclasses.replace(table, lines=(line, dataclasses.replace(line, position=BEST)))
    return [column.text(line) for column in columns_of(table, writer) if column in columns.POSITION]


def test_a_row_shows_its_interval_its_difference_from_the_best_and_its_ranks(made: Made) -> None:
    record = made("a", 0.5)
    assert positions(BEST, record, "markdown") == ["0.400 – 0.600", "best", "1–4", "━━━━"]
    assert positions(OTHER, record, "page") == ["0.400 – 0.500", "−0.0123 [−0.020, −0.004]", "2", "·━··"]
    assert positions(None, record, "terminal") == ["–"] * 4
    assert positions(OTHER, record, "latex") == ["[0.400, 0.500]"]


def test_the_rank_says_which_rows_are_tied_with_the_best(made: Made) -> None:
    tied = dataclasses.replace(OTHER, behind=dataclasses.replace(WORSE, interval=Interval(-0.02, 0.01)))
    record = made("a", 0.5)
    assert positions(tied, record, "markdown")[2] == "2 tied"
    assert positions(OTHER, record, "markdown")[2] == "2"


def test_every_column_of_a_terminal_has_an_importance_of_its_own_kind(made: Made) -> None:
    (table,) = tables([made("a", 0.5)])
    table = dataclasses.replace(table, lines=(dataclasses.replace(table.lines[0], position=BEST),))
    importance = {column.heading: column.importance for column in columns_of(table, "terminal")}
    assert [name for name, value in importance.items() if value == 0] == ["nDCG@10", "rank"]
    costs = [importance[name] for name in ("query p50 ms", "fit + index", "labels used", "training", "search")]
    assert costs == sorted(costs)


def test_a_column_is_added_by_one_declaration(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def seed(record: Record) -> object:
        return record.seed

    added = Column[Line]("seeds", lambda line: len(line.records), str, "help", ("markdown",), csv=(("s", seed),))
    monkeypatch.setattr(columns, "COSTS", (*COSTS, added))
    found = tables([made("a", 0.5)])
    assert "| seeds |" in markdown.leaderboard(found)
    assert [column.heading for column in columns_of(found[0], "terminal")].count("seeds") == 0


def test_costs_that_the_csv_has_are_its_columns_in_their_order() -> None:
    fields = [heading for column in COSTS for heading, _ in column.csv]
    assert list(csv.HEAD)[len(csv.SCORE) : len(csv.SCORE) + len(fields)] == fields


def test_a_writer_shows_a_heading_once_and_every_help_is_explained(made: Made) -> None:
    (table,) = tables([made("a", 0.5)])
    table = dataclasses.replace(table, lines=(dataclasses.replace(table.lines[0], position=BEST),))
    for writer in typing.get_args(Writer):
        headings = [column.heading for column in columns_of(table, writer)]
        assert len(headings) == len(set(headings))
    assert all(column.help in EXPLAINED for column in (*columns.POSITION, *COSTS))


def test_costs_are_one_for_each_column_and_dashes_where_there_are_none(made: Made, skipped: Made) -> None:
    shown = costs(Line("a", (made("a", 0.5),)))
    assert shown["labels used"] == "none"
    assert shown["fit + index"] == "2.5 s"
    assert (shown["query p50 ms"], shown["p95 ms"], shown["index MiB"], shown["parameters"]) == (
        "1.3",
        "2.5",
        "4.0",
        "–",
    )
    (size,) = (column.value(Line("a", (made("a", 0.5),))) for column in COSTS if column.heading == "index MiB")
    assert size == pytest.approx(4.0, abs=0.05)  # in the unit of the heading, which JSON has it under
    assert set(costs(Line("b", (skipped("b"),))).values()) == {"–"}
    not_timed = costs(Line("a", (made("a", 0.5, latency=None),)))
    assert (not_timed["query p50 ms"], not_timed["p95 ms"]) == ("–", "–")


def test_training_is_that_of_all_models_of_a_row_and_the_mean_over_its_seeds(made: Made) -> None:
    first = {
        "first": {"training": [{"seconds": 100.0}, {"seconds": 20.0}]},
        "scorer": {"training": [{"seconds": 30.0}]},
    }
    second = {"methods": [{"name": "bm25"}, {"training": [{"seconds": 250.0}]}]}
    line = Line("a", (made("a", 0.5, resolved=first), made("a", 0.5, resolved=second, seed=1)))
    assert line.training == 200.0
    assert costs(line)["training"] == "200 s"
    assert Line("b", (made("b", 0.5),)).training is None


def test_parameters_and_long_times_are_shown_round(made: Made) -> None:
    large = made("a", 0.5, size={"parameters": 22_713_216}, seconds={"fit": 12.0, "index": 130.4})
    shown = costs(Line("a", (large,)))
    assert (shown["parameters"], shown["fit + index"], shown["index MiB"]) == ("22.7 M", "142 s", "–")


def test_a_latency_of_a_busy_machine_is_in_brackets(made: Made) -> None:
    busy = {"p50_ms": 675.04, "p95_ms": 900.0, "busy": True, "others": 1.62, "cores": 2, "waited": 0.0, "spread": 0.3}
    shown = costs(Line("a", (made("a", 0.5, latency=busy),)))
    assert (shown["query p50 ms"], shown["p95 ms"]) == ("(675.0)", "(900.0)")
    assert costs(Line("a", (made("a", 0.5, latency={**busy, "busy": False}),)))["query p50 ms"] == "675.0"
