"""Settings of a run are frozen; random streams are separate and repeat; the guard of a run."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from harness.cache.folders import Cache
from harness.runtime.context import Context


def test_settings_of_a_run_cannot_be_changed_and_a_copy_has_the_same_ledger(context: Context) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.search_depth = 1000  # type: ignore[misc]
    deeper = context.searching(1000)
    assert (context.search_depth, deeper.search_depth) == (0, 1000)
    assert deeper.ledger is context.ledger
    assert context.reseeded(1).ledger is not context.ledger


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


def test_a_guard_hears_what_is_announced_in_its_run_and_nothing_else(context: Context) -> None:
    heard: list[str] = []
    guarded = context.guarded(heard.extend)
    context.announce(["no guard"])
    guarded.announce(["a"])
    guarded.reseeded(1).announce(["of another run"])
    guarded.searching(10).announce(["b"])
    assert heard == ["a", "b"]


def test_the_time_of_a_guard_is_charged_to_no_step(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    for module in ("watch", "context"):
        monkeypatch.setattr(f"harness.runtime.{module}.time", SimpleNamespace(perf_counter=lambda: clock.now))

    def learn() -> None:
        clock.now += 2
        guarded.announce(["a"])

    def guard(texts: object) -> None:
        clock.now += 100

    guarded = context.guarded(guard)
    guarded.ledger.once("fit", "fit", "one", learn)
    assert context.ledger.steps["fit:one"].seconds == 2
