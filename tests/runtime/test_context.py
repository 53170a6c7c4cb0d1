"""Every shared step is done once and timed on its own; random streams are apart and repeat."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from harness.cache.folders import Cache
from harness.runtime.context import Context, Step, quiet, watched


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("harness.runtime.context.time", SimpleNamespace(perf_counter=clock))
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

        return context.once(kind, f"{kind} {name}", name, build)

    return do


def test_a_step_is_done_once_per_key(context: Context) -> None:
    made = [context.once("fit", "fit a", "a", object) for _ in range(3)]
    assert made[0] is made[1] is made[2]
    assert context.once("fit", "fit b", "b", object) is not made[0]
    assert context.once("index", "index a", "a", object) is not made[0], "the kind is part of the key"


def test_a_result_of_none_is_remembered_too(context: Context) -> None:
    calls: list[int] = []
    for _ in range(2):
        assert context.once("fit", "fit a", "a", lambda: calls.append(1)) is None
    assert calls == [1]


def test_an_exception_passes_through_and_is_not_remembered(context: Context) -> None:
    def fail() -> object:
        raise RuntimeError("no model")

    with context.tracked("row") as row:
        with pytest.raises(RuntimeError, match="no model"):
            context.once("fit", "fit a", "a", fail)
        assert context.steps == {}
        assert row.inner == []
        assert context.once("fit", "fit a", "a", lambda: 7) == 7
    assert [step.label for step in row.inner] == ["fit a"]


def test_an_exception_inside_a_step_leaves_the_ledger_in_order(
    context: Context, work: Callable[..., str], clock: Clock
) -> None:
    def fail() -> object:
        clock.now += 4
        raise RuntimeError

    def build() -> str:
        with pytest.raises(RuntimeError):
            context.once("fit", "fit inner", "inner", fail)
        return work("other", 1)

    context.once("fit", "fit outer", "outer", build)
    outer = context.steps["fit:outer"]
    assert outer.seconds == 4, "what failed inside is time of its own; what succeeded is not"
    assert [step.label for step in outer.inner] == ["fit other"]


def test_steps_inside_are_timed_apart(context: Context, work: Callable[..., str]) -> None:
    work("outer", 2, lambda: work("middle", 3, lambda: work("inner", 5)))
    assert {label: step.seconds for label, step in context.steps.items()} == {
        "fit:inner": 5,
        "fit:middle": 3,
        "fit:outer": 2,
    }


def test_a_step_done_earlier_takes_no_time_from_the_one_that_needs_it(
    context: Context, work: Callable[..., str]
) -> None:
    work("inner", 5)
    work("outer", 2, lambda: work("inner", 5))
    assert context.steps["fit:outer"].seconds == 2
    assert context.steps["fit:outer"].inner == [context.steps["fit:inner"]]


def test_all_lists_each_step_once_needed_ones_first(context: Context, work: Callable[..., str]) -> None:
    def base() -> str:
        return work("base", 1)

    with context.tracked("row") as row:
        work("left", 1, base)
        work("right", 1, base, base, lambda: work("left", 1, base))
        base()
    assert [step.label for step in row.all()] == ["fit base", "fit left", "fit right", "row"]
    assert [step.label for step in row.inner] == ["fit left", "fit right", "fit base"]
    assert [step.label for step in context.steps["fit:right"].inner] == ["fit base", "fit left"]
    assert sum(step.seconds for step in row.all()) == 3


def test_a_tracked_block_collects_what_it_needed_whether_done_now_or_earlier(
    context: Context, work: Callable[..., str]
) -> None:
    work("a", 1)
    with context.tracked("first") as first:
        work("a", 1)
        work("b", 1)
    with context.tracked("second") as second:
        work("b", 1)
    assert [step.label for step in first.inner] == ["fit a", "fit b"]
    assert [step.label for step in second.inner] == ["fit b"]
    assert "row:first" not in context.steps


def test_counts_and_savings_go_to_the_step_being_done(context: Context) -> None:
    def inner() -> None:
        context.count("computed", 3)
        context.count("computed", 4)
        context.saved(2.5)

    def outer() -> None:
        context.count("asked", 1)
        context.once("fit", "fit inner", "inner", inner)
        context.count("asked", 1)

    context.once("fit", "fit outer", "outer", outer)
    assert context.steps["fit:inner"].counts == {"computed": 7}
    assert context.steps["fit:inner"].cached_seconds == 2.5
    assert context.steps["fit:outer"].counts == {"asked": 2}
    assert context.steps["fit:outer"].cached_seconds == 0


def test_time_spent_waiting_for_another_process_is_nobodys(context: Context, clock: Clock) -> None:
    def inner() -> None:
        clock.now += 5
        context.waited(3)

    def outer() -> None:
        clock.now += 1
        context.once("fit", "fit inner", "inner", inner)

    context.waited(7)
    context.once("fit", "fit outer", "outer", outer)
    assert context.steps["fit:inner"].seconds == 2
    assert context.steps["fit:outer"].seconds == 1


def test_counts_outside_any_step_are_let_go(context: Context) -> None:
    context.count("asked", 1)
    context.saved(1.0)
    assert context.steps == {}


def test_forget_keeps_models_and_nothing_else(context: Context) -> None:
    model = context.once("model", "load encoder", "m", object)
    index = context.once("index", "index a", "a", object)
    context.deepest("a", 100)
    context.forget()
    assert context.once("model", "load encoder", "m", object) is model
    assert context.once("index", "index a", "a", object) is not index
    assert set(context.steps) == {"model:m", "index:a"}
    assert context.deepest("a", 10) == 10


def test_the_deepest_search_serves_every_shallower_need(context: Context) -> None:
    assert [context.deepest("a", k) for k in (10, 100, 5)] == [10, 100, 100]
    assert context.deepest("b", 5) == 5
    context.depth = 1000
    assert context.deepest("b", 5) == 1000
    assert context.deepest("b", 2000) == 2000


def test_queries_are_encoded_afresh_inside_and_not_after(context: Context) -> None:
    with pytest.raises(RuntimeError), context.uncached_queries():  # noqa: PT012
        assert context.live
        raise RuntimeError
    assert not context.live


def draws(context: Context, purpose: str) -> list[float]:
    return context.rng(purpose).random(5).tolist()


def test_random_streams_repeat_by_seed_and_differ_by_seed_and_purpose(context: Context) -> None:
    same = Context(seed=0, cache=context.cache)
    other = Context(seed=1, cache=context.cache)
    assert draws(context, "split") == draws(context, "split") == draws(same, "split")
    assert draws(context, "split") != draws(context, "negatives")
    assert draws(context, "split") != draws(other, "split")


def test_random_streams_are_the_same_on_every_machine(context: Context) -> None:
    """A split is cut by one: were it to move, figures of two versions of the harness could not be compared."""
    assert context.rng("split").integers(0, 1000, 5).tolist() == [530, 496, 833, 300, 471]


def test_random_streams_leave_the_global_ones_alone(context: Context) -> None:
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random(3).tolist()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    draws(context, "split")
    assert np.random.random(3).tolist() == expected  # noqa: NPY002


def test_the_cache_is_the_users_own_where_none_is_given(tmp_path: object) -> None:
    assert Context().cache.root == Cache().root == tmp_path / "cache"  # type: ignore[operator]


def test_a_watched_block_has_its_time_and_its_highest_memory() -> None:
    with watched(every=0.005) as spent:
        before = spent.peak_mb
        held = np.ones(12_000_000)  # 92 MiB
        time.sleep(0.1)
        del held
    assert 0.1 <= spent.seconds < 5
    assert spent.peak_mb >= before + 80


def test_nothing_goes_on_watching_after_a_block_that_fails() -> None:
    with pytest.raises(RuntimeError), watched():  # noqa: PT012
        assert "harness-memory" in [thread.name for thread in threading.enumerate()]
        raise RuntimeError
    assert "harness-memory" not in [thread.name for thread in threading.enumerate()]


def test_a_step_knows_its_highest_memory(context: Context) -> None:
    context.once("fit", "fit a", "a", lambda: None)
    assert context.steps["fit:a"].peak_mb > 1


def test_quiet_progress_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet("encode", 3, "documents") as advance:
        advance()
        advance(2)
    assert capfd.readouterr() == ("", "")


def test_a_step_alone_lists_itself() -> None:
    step = Step("fit", "fit a", "a")
    assert step.all() == [step]


def test_a_guard_hears_what_is_announced_inside_and_the_one_before_it_comes_back(context: Context) -> None:
    heard: list[tuple[str, list[str]]] = []
    context.announce(["nobody listens"])
    with context.guarded(lambda texts: heard.append(("outer", list(texts)))):
        with pytest.raises(RuntimeError), context.guarded(lambda texts: heard.append(("inner", list(texts)))):  # noqa: PT012
            context.announce(["a"])
            raise RuntimeError
        context.announce(["b"])
        context.reseeded(1).announce(["another run's"])
    context.announce(["nobody listens"])
    assert heard == [("inner", ["a"]), ("outer", ["b"])]


def test_the_time_of_a_guard_is_nobodys(context: Context, clock: Clock) -> None:
    def learn() -> None:
        clock.now += 2
        context.announce(["a"])

    def guard(texts: object) -> None:
        clock.now += 100

    with context.guarded(guard):
        context.once("fit", "fit", "one", learn)
    assert context.steps["fit:one"].seconds == 2


def test_what_a_step_gave_can_be_asked_for_while_it_is_held(context: Context, work: Callable[..., str]) -> None:
    with context.tracked("row") as done:
        context.once("fit", "fit", "one", lambda: "fitted")
    (step,) = done.inner
    assert context.result(step) == "fitted"
    context.forget()
    assert context.result(step) is None


def test_a_note_is_told_by_the_step_that_found_it(context: Context) -> None:
    context.note("nobody asked")
    with context.tracked("row") as row:
        context.once("search", "search", "k", lambda: context.note("three answers were repaired"))
        context.note("outside")
    assert row.notes == ["outside"]
    assert [step.notes for step in row.inner] == [["three answers were repaired"]]
