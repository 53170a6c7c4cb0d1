import itertools
from collections.abc import Callable

import pytest

from harness.bench.record import Record
from harness.report.board import COSTS, Line, across, costs, figure, tables

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
    assert [figure(line.value("nDCG@10")) == found.best("nDCG@10") for line in found.lines] == [True, True, False]


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


# Notes


def notes_of(*records: Record) -> list[str]:
    (found,) = tables(records)
    return found.notes


def test_notes_are_of_the_dataset_then_of_each_row_each_once(made: Made) -> None:
    facts = {"notes": ["built here"], "unreachable": 3}
    found = notes_of(made("a", 0.5, facts=facts, notes=["x"]), made("b", 0.4, facts=facts, notes=["x", "x"]))
    assert found == [
        "built here",
        "3 relevant documents are not in the corpus; they stay in the judgements and cap recall.",
        "`a`, `b`: x",
    ]


def test_a_row_without_figures_is_noted_with_its_reason_in_one_line(skipped: Made) -> None:
    assert notes_of(skipped("a")) == ["`a`: skipped: no model <x>. hf download x|y."]
    told = notes_of(skipped("a", status="error", problem={"reason": "boom\n  twice", "trace": "Traceback …"}))
    assert told == ["`a`: error: boom twice"]


def test_uncommitted_changes_are_noted(made: Made) -> None:
    clean = made("a", 0.5)
    dirty = made("b", 0.4, provenance={**clean.provenance, "dirty": True})
    (told,) = notes_of(clean, dirty)
    assert "uncommitted changes" in told
    assert "`b`" in told
    assert "`a`" not in told


def test_a_row_made_on_another_revision_of_the_collection_is_noted(made: Made, skipped: Made) -> None:
    other = {"revision": "f" * 32}
    assert notes_of(made("a", 0.5), made("b", 0.4)) == []
    (told,) = notes_of(made("a", 0.5), made("b", 0.4, facts=other))
    assert told == "`b`: made on another revision of the collection; do not compare it with `a`."
    assert not any("revision" in note for note in notes_of(made("a", 0.5), skipped("c", facts=other)))


def test_a_row_ranked_to_another_depth_is_noted(made: Made) -> None:
    (told,) = notes_of(made("a", 0.5, depth=1000), made("b", 0.4, depth=10))
    assert told == "`b`: ranked to depth 10, `a` to 1000."


# Across datasets


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
    assert found.rows == (("high", (0.4, 0.2)), ("low", (0.1, 0.3)), ("half", (0.99, None)))
    assert [found.mean(values) for _, values in found.rows] == pytest.approx([0.3, 0.2, None])


def test_rows_without_figures_are_not_in_the_table_across(made: Made, skipped: Made) -> None:
    found = across(tables([made("a", 0.5, "d1"), made("a", 0.5, "d2"), skipped("b", dataset="d1")]))
    assert found is not None
    assert [name for name, _ in found.rows] == ["a"]


def test_the_measure_across_is_the_first_that_every_dataset_has(made: Made) -> None:
    one = made("a", measures={"nDCG@10": 0.5, "R@100": 0.6}, dataset="d1")
    two = made("a", measures={"R@100": 0.7, "RR@10": 0.8}, dataset="d2")
    found = across(tables([one, two]))
    assert found is not None
    assert found.measure == "R@100"
    assert across(tables([one, made("a", measures={"RR@10": 0.8}, dataset="d2")])) is None


# Figures as shown


def test_a_figure_has_four_decimals_and_what_is_not_there_a_dash() -> None:
    assert [figure(v) for v in (0.67891, 1.0, 0.0, None)] == ["0.6789", "1.0000", "0.0000", "–"]


def test_costs_are_one_for_each_column_and_dashes_where_there_are_none(made: Made, skipped: Made) -> None:
    shown = dict(zip(COSTS, costs(Line("a", (made("a", 0.5),))), strict=True))
    assert shown["labels used"] == "none"
    assert shown["fit + index"] == "2.5 s"
    assert (shown["query p50 ms"], shown["p95 ms"], shown["index MiB"], shown["parameters"]) == (
        "1.3",
        "2.5",
        "4.0",
        "–",
    )
    assert costs(Line("b", (skipped("b"),))) == ("–",) * len(COSTS)
    not_timed = dict(zip(COSTS, costs(Line("a", (made("a", 0.5, latency=None),))), strict=True))
    assert (not_timed["query p50 ms"], not_timed["p95 ms"]) == ("–", "–")


def test_a_latency_of_a_busy_machine_is_in_brackets_and_a_note_says_why(made: Made) -> None:
    busy = {"p50_ms": 675.04, "p95_ms": 900.0, "busy": True, "others": 1.62, "cores": 2, "waited": 0.0, "spread": 0.3}
    record = made("a", 0.5, latency=busy)
    shown = dict(zip(COSTS, costs(Line("a", (record,))), strict=True))
    assert (shown["query p50 ms"], shown["p95 ms"]) == ("(675.0)", "(900.0)")
    (table,) = tables([record, made("b", 0.4)])
    (note,) = [note for note in table.notes if "busy" in note]
    assert note.startswith("latency in brackets: the machine was busy, so that it is not the row's own")
    assert note.endswith(": `a` (other processes used 1.6 of 2 processors)")
    calm = made("a", 0.5, latency={**busy, "busy": False})
    assert dict(zip(COSTS, costs(Line("a", (calm,))), strict=True))["query p50 ms"] == "675.0"
    (table,) = tables([calm])
    assert not any("busy" in note for note in table.notes)


def test_training_is_told_in_seconds_of_all_models_that_a_row_trained_the_mean_over_its_seeds(made: Made) -> None:
    first = {
        "first": {"training": [{"seconds": 100.0}, {"seconds": 20.0}]},
        "scorer": {"training": [{"seconds": 30.0}]},
    }
    second = {"methods": [{"name": "bm25"}, {"training": [{"seconds": 250.0}]}]}
    line = Line("a", (made("a", 0.5, resolved=first), made("a", 0.5, resolved=second, seed=1)))
    assert line.training == 200.0
    assert dict(zip(COSTS, costs(line), strict=True))["training"] == "200 s"
    assert Line("b", (made("b", 0.5),)).training is None


def test_several_seeds_are_told_of_one_by_one_with_their_deviation(made: Made) -> None:
    records = [made("a", value, seed=seed) for seed, value in enumerate((0.7, 0.72, 0.74))]
    (table,) = tables(records)
    (told,) = [note for note in table.notes if "seeds" in note]
    assert told == "`a`: nDCG@10 of 3 seeds: 0.7000, 0.7200, 0.7400 (standard deviation 0.0200)"
    (alone,) = tables(records[:1])
    assert not [note for note in alone.notes if "seeds" in note]


def test_parameters_and_long_times_are_shown_round(made: Made) -> None:
    large = made("a", 0.5, size={"parameters": 22_713_216}, seconds={"fit": 12.0, "index": 130.4})
    shown = dict(zip(COSTS, costs(Line("a", (large,))), strict=True))
    assert (shown["parameters"], shown["fit + index"], shown["index MiB"]) == ("22.7 M", "142 s", "–")
