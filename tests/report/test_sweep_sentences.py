"""A sweep in sentences."""

from __future__ import annotations

import dataclasses

from harness.report.sweep_sentences import sentences
from harness.rows import parse_method
from harness.sweep.result import SweepResult
from harness.sweep.trial import Trial


def test_gains_on_dev_and_on_test_are_in_one_sentence(found: SweepResult) -> None:
    lines = sentences(found)
    chosen = next(one for one in found.tried if one.row == "a")
    looked = chosen.mean - found.baselines[0].mean
    assert lines[0].startswith(f"Chosen on dev: `a` with 900 training queries, nDCG@10 {chosen.mean:.4f} [")
    assert lines[0].endswith("on 40 dev queries, the mean of 2 seeds; the best of 4 rows.")
    assert lines[1].startswith(f"Gain over `bm25` on dev {looked:+.4f}, on test only +0.0500 [+0.0500, +0.0500]")
    assert lines[2].startswith("Choosing among 4 rows on 40 queries overstates the best by about 0.00")
    assert lines[3].startswith("On test, a is significantly better than bm25: nDCG@10")


def test_a_chosen_value_at_the_end_of_what_was_tried_is_told(found: SweepResult) -> None:
    def with_k1(number: int, trial: Trial) -> Trial:
        return dataclasses.replace(trial, method=parse_method(f"bm25(k1={1 + number})"))

    tried = tuple(with_k1(number, trial) for number, trial in enumerate(found.tried))
    said = [line for line in sentences(dataclasses.replace(found, tried=tried)) if "beyond" in line]
    assert said == ["k1 = 1 is the smallest value that was tried: a better one may be beyond."]
    assert not [line for line in sentences(found) if "beyond" in line]


def test_a_chosen_row_that_is_a_baseline_too_is_compared_with_the_next(found: SweepResult) -> None:
    itself = next(one for one in found.tried if one.row == "a")
    lines = sentences(dataclasses.replace(found, baselines=(itself, *found.baselines)))
    assert lines[1] == sentences(found)[1]
    assert lines[1].startswith("Gain over `bm25`")


def test_rows_that_a_search_stopped_are_not_counted(found: SweepResult) -> None:
    assert "not counted" not in sentences(dataclasses.replace(found, search="grid"))[2]
    assert (
        "rows that the search stopped early are not counted"
        in sentences(dataclasses.replace(found, search="halving(keep=0.5)"))[2]
    )


def test_break_even_points_are_reported_on_test_and_on_dev(found: SweepResult) -> None:
    lines = sentences(found)
    assert "On test, `a` passes `bm25` at about 300 training queries." in lines
    on_dev = [sentence for sentence in lines if sentence.startswith("On dev, `a`")]
    assert on_dev[0].startswith("On dev, `a` passes `bm25` at about 2")
    assert " training queries (95 %: 2" in on_dev[0]
    assert on_dev[1] == "On dev, `a` is above `low` from the smallest size tried on, 100 training queries."
    assert on_dev[2] == "On dev, `a` does not pass `high` within the sizes tried, 100 to 900 training queries."


def test_an_earlier_choice_is_reported(found: SweepResult) -> None:
    assert found.tested is not None
    asked = dataclasses.replace(found, tested=dataclasses.replace(found.tested, looked=("old", "a")))
    (lines,) = [s for s in sentences(asked) if "evaluated on test" in s]
    assert lines.startswith("This sweep was evaluated on test 2 times: it also chose `old`")
