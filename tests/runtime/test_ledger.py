"""Every shared step is done once and timed without the steps inside it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from harness.runtime.context import Context
from harness.runtime.ledger import Step


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("harness.runtime.watch.time", SimpleNamespace(perf_counter=clock))
    return clock


@pytest.fixture
def work(context: Context, clock: Clock) -> Callable[..., str]:
    """A step that takes its own seconds and needs other steps: `work("name", seconds, *needed)`."""

    def do(name: str, seconds: float, *needed: Callable[[], object], kind: str = "fit") -> str:
        def build() -> str:
            clock.now += seconds / 2
            for need in needed:
                need()
            clock.now += seconds / 2
            return name

        return context.ledger.once(kind, f"{kind} {name}", name, build)

    return do


def test_a_step_is_done_once_per_key(context: Context) -> None:
    made = [context.ledger.once("fit", "fit a", "a", object) for _ in range(3)]
    assert made[0] is made[1] is made[2]
    assert context.ledger.once("fit", "fit b", "b", object) is not made[0]
    assert context.ledger.once("index", "index a", "a", object) is not made[0], "the kind is part of the key"


def test_a_result_of_none_is_remembered_too(context: Context) -> None:
    calls: list[int] = []
    for _ in range(2):
        assert context.ledger.once("fit", "fit a", "a", lambda: calls.append(1)) is None
    assert calls == [1]


def test_an_exception_passes_through_and_is_not_remembered(context: Context) -> None:
    def fail() -> object:
        raise RuntimeError("no model")

    with context.ledger.tracked("row") as row:
        with pytest.raises(RuntimeError, match="no model"):
            context.ledger.once("fit", "fit a", "a", fail)
        assert context.ledger.steps == {}
        assert row.inner == []
        assert context.ledger.once("fit", "fit a", "a", lambda: 7) == 7
    assert [step.label for step in row.inner] == ["fit a"]


def test_an_exception_inside_a_step_leaves_the_ledger_in_order(
    context: Context, work: Callable[..., str], clock: Clock
) -> None:
    def fail() -> object:
        clock.now += 4
        raise RuntimeError

    def build() -> str:
        with pytest.raises(RuntimeError):
            context.ledger.once("fit", "fit inner", "inner", fail)
        return work("other", 1)

    context.ledger.once("fit", "fit outer", "outer", build)
    outer = context.ledger.steps["fit:outer"]
    assert outer.seconds == 4, "what failed inside is time of its own; what succeeded is not"
    assert [step.label for step in outer.inner] == ["fit other"]


def test_steps_inside_are_timed_apart(context: Context, work: Callable[..., str]) -> None:
    work("outer", 2, lambda: work("middle", 3, lambda: work("inner", 5)))
    assert {label: step.seconds for label, step in context.ledger.steps.items()} == {
        "fit:inner": 5,
        "fit:middle": 3,
        "fit:outer": 2,
    }


def test_a_step_done_earlier_takes_no_time_from_the_one_that_needs_it(
    context: Context, work: Callable[..., str]
) -> None:
    work("inner", 5)
    work("outer", 2, lambda: work("inner", 5))
    assert context.ledger.steps["fit:outer"].seconds == 2
    assert context.ledger.steps["fit:outer"].inner == [context.ledger.steps["fit:inner"]]


def test_all_lists_each_step_once_needed_ones_first(context: Context, work: Callable[..., str]) -> None:
    def base() -> str:
        return work("base", 1)

    with context.ledger.tracked("row") as row:
        work("left", 1, base)
        work("right", 1, base, base, lambda: work("left", 1, base))
        base()
    assert [step.label for step in row.all()] == ["fit base", "fit left", "fit right", "row"]
    assert [step.label for step in row.inner] == ["fit left", "fit right", "fit base"]
    assert [step.label for step in context.ledger.steps["fit:right"].inner] == ["fit base", "fit left"]
    assert sum(step.seconds for step in row.all()) == 3


def test_a_tracked_block_collects_what_it_needed_whether_done_now_or_earlier(
    context: Context, work: Callable[..., str]
) -> None:
    work("a", 1)
    with context.ledger.tracked("first") as first:
        work("a", 1)
        work("b", 1)
    with context.ledger.tracked("second") as second:
        work("b", 1)
    assert [step.label for step in first.inner] == ["fit a", "fit b"]
    assert [step.label for step in second.inner] == ["fit b"]
    assert "row:first" not in context.ledger.steps


def test_counts_and_savings_go_to_the_step_being_done(context: Context) -> None:
    def inner() -> None:
        context.ledger.count("computed", 3)
        context.ledger.count("computed", 4)
        context.ledger.saved(2.5)

    def outer() -> None:
        context.ledger.count("asked", 1)
        context.ledger.once("fit", "fit inner", "inner", inner)
        context.ledger.count("asked", 1)

    context.ledger.once("fit", "fit outer", "outer", outer)
    assert context.ledger.steps["fit:inner"].counts == {"computed": 7}
    assert context.ledger.steps["fit:inner"].cached_seconds == 2.5
    assert context.ledger.steps["fit:outer"].counts == {"asked": 2}
    assert context.ledger.steps["fit:outer"].cached_seconds == 0


def test_time_spent_waiting_for_another_process_is_nobodys(context: Context, clock: Clock) -> None:
    def inner() -> None:
        clock.now += 5
        context.ledger.waited(3)

    def outer() -> None:
        clock.now += 1
        context.ledger.once("fit", "fit inner", "inner", inner)

    context.ledger.waited(7)
    context.ledger.once("fit", "fit outer", "outer", outer)
    assert context.ledger.steps["fit:inner"].seconds == 2
    assert context.ledger.steps["fit:outer"].seconds == 1


def test_counts_outside_any_step_are_let_go(context: Context) -> None:
    context.ledger.count("asked", 1)
    context.ledger.saved(1.0)
    assert context.ledger.steps == {}


def test_forget_keeps_models_and_nothing_else(context: Context) -> None:
    model = context.ledger.once("model", "load encoder", "m", object)
    index = context.ledger.once("index", "index a", "a", object)
    context.ledger.deepest("a", 100)
    context.ledger.forget()
    assert context.ledger.once("model", "load encoder", "m", object) is model
    assert context.ledger.once("index", "index a", "a", object) is not index
    assert set(context.ledger.steps) == {"model:m", "index:a"}
    assert context.ledger.deepest("a", 10) == 10


def test_the_deepest_search_serves_every_shallower_need(context: Context) -> None:
    assert [context.ledger.deepest("a", k) for k in (10, 100, 5)] == [10, 100, 100]
    assert context.ledger.deepest("b", 5) == 5


def test_a_step_knows_its_highest_memory(context: Context) -> None:
    context.ledger.once("fit", "fit a", "a", lambda: None)
    assert context.ledger.steps["fit:a"].peak_mb > 1


def test_a_step_alone_lists_itself() -> None:
    step = Step("fit", "fit a", "a")
    assert step.all() == [step]


def test_what_a_step_gave_can_be_asked_for_while_it_is_held(context: Context, work: Callable[..., str]) -> None:
    with context.ledger.tracked("row") as done:
        context.ledger.once("fit", "fit", "one", lambda: "fitted")
    (step,) = done.inner
    assert context.ledger.result(step) == "fitted"
    context.ledger.forget()
    assert context.ledger.result(step) is None


def test_a_note_is_told_by_the_step_that_found_it(context: Context) -> None:
    context.ledger.note("nobody asked")
    with context.ledger.tracked("row") as row:
        context.ledger.once("search", "search", "k", lambda: context.ledger.note("three answers were repaired"))
        context.ledger.note("outside")
    assert row.notes == ["outside"]
    assert [step.notes for step in row.inner] == [["three answers were repaired"]]
