from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.base.errors import NoScores, RecordError
from harness.bench.row_names import RowNames
from harness.bench.runner import Result
from harness.executors import Executor, Job, Outcome
from harness.executors.local import Local
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.sweep.cells import Cells
from harness.sweep.on_test import REPORTED, RowsOnTest, note_reported
from harness.sweep.result import SweepResult
from harness.sweep.spec import load
from harness.sweep.trial import Trial
from harness.sweep.trials import Trials


@dataclass(frozen=True)
class Counting(Executor):
    """Does jobs here, and notes their labels; rows with some text in them fail."""

    labels: tuple[list[str], ...] = ()
    fails: str = "no row"

    @classmethod
    def name(cls) -> str:
        return "counting"

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        for labels in self.labels:
            labels += [job.label for job in jobs]
        for outcome in Local().map(jobs, context):
            failed = self.fails in outcome.job.given["method"]
            yield Outcome(outcome.job, error="it was lost") if failed else outcome


@pytest.fixture
def on_test(written: Callable[..., Path], context: Context, tmp_path: Path) -> Callable[..., RowsOnTest]:
    spec = load(written())

    def made(executor: Executor, show: Callable[[Result], None] | None = None) -> RowsOnTest:
        trials = Trials(spec, spec.datasets[0], executor, context, Cells(tmp_path / "cells"))
        return RowsOnTest(spec, spec.datasets[0], trials, executor, tmp_path / "results", context, show)

    return made


def test_rows_run_once_and_a_failed_one_says_why(on_test: Callable[..., RowsOnTest]) -> None:
    labels: list[str] = []
    shown: list[bool] = []
    rows = [parse_method("bm25"), parse_method("bm25(k1=2)"), parse_method('dense(model="no/model")')]
    executor = Counting((labels,), fails="k1=2")
    for _ in range(2):
        scores = on_test(executor, lambda result: shown.append(result.kept)).scores(rows[:2], RowNames())
        assert scores[rows[1]] == "it was lost"
        assert not isinstance(scores[rows[0]], str)
    assert [label.partition(",")[0] for label in labels] == ["bm25", "bm25(k1=2)", "bm25(k1=2)"]
    assert shown == [False, True]
    assert "cannot be reached" in str(on_test(executor).scores(rows, RowNames())[rows[2]])


def test_a_chosen_row_without_scores_is_an_error_that_names_it(
    on_test: Callable[..., RowsOnTest], tried: Callable[..., Trial], tmp_path: Path
) -> None:
    chosen = tried("bm25", [[0.5]])
    result = SweepResult("trial", "d", "nDCG@10", "grid", (chosen,), ())
    with pytest.raises(NoScores, match="bm25, which dev chose, has no scores on test: it was lost"):
        on_test(Counting(fails="bm25")).report(result, chosen, tmp_path)
    assert [entry["row"] for entry in json.loads((tmp_path / REPORTED).read_text()).values()] == ["bm25"]


def test_the_reported_rows_are_listed_once_each(tried: Callable[..., Trial], tmp_path: Path) -> None:
    chosen = tried("first", [[0.5]])
    assert note_reported(tmp_path, chosen) == note_reported(tmp_path, chosen) == ("first",)
    (tmp_path / REPORTED).write_text("[]")
    with pytest.raises(RecordError, match="which rows were reported on test"):
        note_reported(tmp_path, chosen)
