from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.data.dataset import Dataset
from harness.executors import Executor, Job, Outcome
from harness.methods.bm25 import BM25
from harness.runtime.context import Context
from harness.searches import Point, points
from harness.sweep.cells import Cells
from harness.sweep.spec import Spec, load
from harness.sweep.trial import CellResult
from harness.sweep.trials import Trials
from harness.training.gold import gold


@dataclass(frozen=True)
class Made(Executor):
    """Gives made outcomes, and remembers its jobs."""

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        for job in jobs:
            SEEN.append(job)
            if "learning_rate=0.01" in job.given["method"]:
                yield Outcome(job, error="it broke", seconds=1.0)
            elif "queries=8" in job.given["method"]:
                yield Outcome(job, {"skipped": "it is absent", "final": False})
            else:
                values = dict.fromkeys(("a", "b"), 0.25 + job.given["seed"] / 10)
                yield Outcome(job, {"mean": values["a"], "values": values}, seconds=2.0, where="there")


SEEN: list[Job] = []


@pytest.fixture
def spec(written: Callable[..., Path]) -> Spec:
    SEEN.clear()
    return load(written())


@pytest.fixture
def tries(spec: Spec, tmp_path: Path, context: Context) -> Callable[..., Trials]:
    def one(tell: Any = None) -> Trials:
        return Trials(spec, spec.datasets[0], Made(), context, Cells(tmp_path / "sweep"), tell)

    return one


def test_each_row_and_seed_is_measured_once_whoever_asks(tries: Callable[..., Trials], spec: Spec) -> None:
    here = tries()
    every = points(spec.space, "grid")
    figures = here.measure(every)
    # 8 queries are absent and 1e-2 breaks; what is left is the mean of both seeds
    assert figures == [None, None, pytest.approx(0.3), None, pytest.approx(0.3), None]
    asked = len(SEEN)
    assert asked == 12
    assert here.measure(every[2:3]) == [pytest.approx(0.3)]
    assert len(SEEN) == asked
    assert [one.problem for one in here.tried] == [
        "it is absent", "it broke", None, "it broke", None, "it broke"
    ]  # fmt: skip
    assert [one.skipped for one in here.tried][:2] == [True, False]


def test_what_was_done_is_taken_from_its_file_and_what_failed_is_tried_again(
    tries: Callable[..., Trials], spec: Spec
) -> None:
    tries().measure(points(spec.space, "grid"))
    SEEN.clear()
    told: list[CellResult] = []
    again = tries(told.append)
    again.measure(points(spec.space, "grid"))
    assert len(SEEN) == 8, "two rows of two seeds are kept"
    assert sum(done.kept for done in told) == 4
    assert {done.total for done in told} == {12}
    assert sorted(done.number for done in told) == list(range(1, 13))


def test_a_cell_says_what_it_is_of(tries: Callable[..., Trials], spec: Spec, small: Dataset) -> None:
    here = tries()
    (one,) = here.points([points(spec.space, "grid")[2]])
    assert one.size == 16
    assert one.config.endswith('+frozen_head(budget="smoke", learning_rate=0.001)')
    assert one.group.endswith("+frozen_head")
    assert [cell["seed"] for cell in one.cells] == [0, 1]
    assert one.values.tolist() == [[0.25, 0.35], [0.25, 0.35]]
    assert one.ids == ("a", "b")
    assert one.seconds == 2.0
    cell = one.cells[1]
    assert (cell["where"], cell["dataset"], cell["measure"]) == ("there", small.name, "nDCG@10")
    assert SEEN[0].given["train_revision"] == small.train.revision
    assert len({job.id for job in SEEN}) == 2
    assert here.points_of(one) == [points(spec.space, "grid")[2]]


def test_a_row_without_training_is_measured_once_and_is_no_point(tries: Callable[..., Trials], spec: Spec) -> None:
    here = tries()
    (one,) = here.rows([BM25()])
    assert len(one.cells) == len(SEEN) == 1
    assert here.tried == []
    assert one.against(one) == (0.0, one.against(one)[1])


def test_as_many_training_queries_as_there_are_is_all(tries: Callable[..., Trials], spec: Spec, small: Dataset) -> None:
    here = tries()
    assert here.available == 24
    (first, *_) = points(spec.space, "grid")
    many, every = first.at("queries", 24), first.at("queries", None)
    assert here.canonical(many) == every
    assert here.canonical(first.at("queries", 23)) != every
    (one, other) = here.points([many, every])
    assert one.method == other.method
    assert one.size == 24


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_training_queries_of_a_seed_are_nested_and_another_seed_has_others(
    seed: int, spec: Spec, small: Dataset, context: Context
) -> None:
    here = context.reseeded(seed)

    def drawn(point: Point) -> set[str]:
        recipe: Any = spec.method(point).recipes[-1]  # type: ignore[attr-defined]
        return set(gold(small.train, here, recipe.queries).queries.ids)

    held = {point["queries"]: drawn(point) for point in points(spec.space, "grid")}
    assert [len(held[size]) for size in (8, 16, None)] == [8, 16, 24]
    assert held[8] < held[16] < held[None]
    other = set(gold(small.train, context.reseeded(seed + 1), 8).queries.ids)
    assert other != held[8]


def test_a_row_that_cannot_be_found_has_a_problem_and_no_job(
    written: Callable[..., Path], tmp_path: Path, context: Context
) -> None:
    more = '\n[[grid]]\nrow = "dense(model=\'nobody/nothing\')"\nrecipe = "supervised"\n'
    spec = load(written(more))
    SEEN.clear()
    told: list[CellResult] = []
    here = Trials(spec, spec.datasets[0], Made(), context, Cells(tmp_path / "s"), told.append)
    (figure,) = here.measure(points(spec.space, "grid")[-1:])
    assert figure is None
    assert not SEEN
    assert told[0].skipped
    assert "cannot be reached" in (told[0].problem or "")
