"""Latency with a clock and a machine of the test's own: which times count, and which are marked."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from harness.bench.latency import (
    AGREE,
    DEPTH,
    FEW,
    LEAST,
    MORE,
    QUERIES,
    ROUNDS,
    SECONDS,
    WARM_SECONDS,
    WARM_UP,
    Timing,
    in_turn,
    timing,
)
from harness.bench.machine_load import Load
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher, Size
from harness.runtime.context import Context
from harness.runtime.progress import quiet


@pytest.fixture(autouse=True)
def _one_look_at_latency() -> None:
    """Here rounds are as they are outside of tests."""


@dataclass
class Machine:
    """Two processors, one used by what is timed, so many by others; its clock moves when a search does."""

    now: float = 0.0
    others: float = 0.0
    waits: float = 0.0
    spent: float = 0.0
    waited: float = 0.0
    asked: list[int] = field(default_factory=list)

    def take(self, seconds: float) -> None:
        """What is timed runs so long."""
        self.now += seconds
        self.spent += self.others * seconds
        self.waited += self.waits * seconds

    def clock(self) -> float:
        return self.now

    def load(self) -> Load:
        return Load(self.now, self.now + self.spent, self.waited, 2)

    def how(self) -> dict[str, Callable[[], object]]:
        return {"clock": self.clock, "load": self.load}

    def timing(self, *seconds: float | Callable[[int], float], number: int = 5) -> Timing:
        """Query i takes the i-th of `seconds`, or what a function says of it."""

        def ask(i: int) -> None:
            self.asked.append(i)
            one = seconds[i % len(seconds)]
            self.take(one(len(self.asked)) if callable(one) else one)

        return Timing(ask, number, clock=self.clock, load=self.load)


class Slow(Searcher):
    """Takes the given seconds, one after another."""

    key, size = "slow", Size()

    def __init__(self, machine: Machine, seconds: list[float]) -> None:
        self.machine, self.seconds = machine, seconds
        self.asked: list[tuple[list[str], int, bool]] = []

    def search(self, queries: Queries, k: int) -> TopK:
        self.machine.take(self.seconds[len(self.asked)])
        self.asked.append((queries.ids, k, queries.cached))
        return TopK(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))


@pytest.fixture
def machine() -> Machine:
    return Machine()


def queries(n: int) -> Queries:
    return Queries([f"q{i}" for i in range(n)], ["text"] * n)


def test_queries_are_asked_one_at_a_time_without_the_cache_and_to_one_depth(machine: Machine, context: Context) -> None:
    searcher = Slow(machine, [0.01] * 100)
    timing(searcher, queries(5), **machine.how()).round()
    timed = [(WARM_UP + i) % 5 for i in range(5)]
    assert searcher.asked == [([f"q{i}"], DEPTH, False) for i in [*range(WARM_UP), *timed]]


def test_every_round_asks_the_same_queries_and_only_the_first_warms_up(machine: Machine) -> None:
    timed = machine.timing(0.01, number=9)
    timed.round()
    first = machine.asked[WARM_UP:]
    machine.asked.clear()
    timed.round()
    assert machine.asked == first == [(WARM_UP + i) % 9 for i in range(9)]


def test_the_first_queries_warm_up_and_do_not_count(machine: Machine, context: Context) -> None:
    slow_start = [9.0, *[0.02] * (WARM_UP - 1)]  # the first loads a model: longer than all the time for measuring
    searcher = Slow(machine, [*slow_start, *[0.02] * 50])
    timed = timing(searcher, queries(10), **machine.how())
    timed.round()
    found = timed.latency()
    assert found is not None
    assert (found["p50_ms"], found["p95_ms"], found["queries"], found["depth"]) == (20.0, 20.0, 10, DEPTH)
    assert (found["repeats"], found["spread"], found["busy"]) == (1, 0.0, False)


def test_percentiles_are_over_queries_and_in_milliseconds(machine: Machine) -> None:
    timed = machine.timing(*(0.001 * i for i in range(1, 22)), number=21)
    timed.round()
    found = timed.latency()
    assert found is not None
    assert (found["p50_ms"], found["p95_ms"]) == (11.0, 20.0)


def test_a_query_counts_by_the_lower_quartile_of_its_times(machine: Machine) -> None:
    rounds = iter([0.010, 0.011, 0.012, 0.050, 0.080])  # of five rounds, two met something
    now = [0.0]
    timed = machine.timing(lambda n: now[0])
    for seconds in rounds:
        now[0] = seconds
        timed.round()
    found = timed.latency()
    assert found is not None
    assert (found["p50_ms"], found["repeats"]) == (11.0, 5)
    assert found["spread"] == pytest.approx(0.050 / 0.011 - 1, abs=1e-4)


def test_a_few_repetitions_differ_by_the_least_and_the_greatest(machine: Machine) -> None:
    """The quartiles of two numbers would show half of the difference."""
    now = [0.0]
    timed = machine.timing(lambda n: now[0])
    for seconds in [0.10, 0.12, 0.14][: FEW - 1]:
        now[0] = seconds
        timed.round()
    found = timed.latency()
    assert found is not None
    assert found["spread"] == pytest.approx(0.4, abs=1e-4)


def test_fast_queries_are_repeated_until_processor_time_can_be_counted(machine: Machine) -> None:
    timed = machine.timing(0.001)
    timed.round()
    found = timed.latency()
    assert found is not None
    assert found["repeats"] == round(LEAST / 0.005)
    assert found["queries"] == 5


def test_no_more_than_fifty_queries_are_timed(machine: Machine, context: Context) -> None:
    searcher = Slow(machine, [0.001] * 1000)
    timed = timing(searcher, queries(900), **machine.how())
    timed.round()
    found = timed.latency()
    assert found is not None
    assert found["queries"] == QUERIES
    assert len(searcher.asked) == QUERIES + WARM_UP


def test_a_slow_searcher_warms_up_with_fewer_queries(machine: Machine) -> None:
    machine.timing(2 * WARM_SECONDS, number=900).round()
    assert machine.asked[:3] == [0, 1, WARM_UP]


def test_a_slow_searcher_is_timed_no_longer_than_it_takes_to_tell(machine: Machine) -> None:
    timed = machine.timing(1.0, number=900)
    for _ in range(3):
        timed.round()
    found = timed.latency()
    each = int(SECONDS) + 1
    assert len(machine.asked) == 2 + 3 * each
    assert found is not None
    assert (found["p50_ms"], found["queries"], found["repeats"]) == (1000.0, each, 3)


def test_fewer_queries_than_warm_up_still_give_a_time(machine: Machine, context: Context) -> None:
    searcher = Slow(machine, [0.5, 0.5, 0.25, 0.25])
    timed = timing(searcher, queries(2), **machine.how())
    timed.round()
    assert (found := timed.latency()) is not None
    assert (found["p50_ms"], found["queries"]) == (250.0, 2)


def test_what_is_replayed_from_elsewhere_is_not_timed(machine: Machine, context: Context) -> None:
    searcher = Slow(machine, [])
    searcher.live = False
    timed = timing(searcher, queries(9), **machine.how())
    timed.round()
    timed.persist()
    in_turn({"a": timed, "b": timed}, quiet)
    assert timed.latency() is None
    assert searcher.asked == []


def test_an_error_while_timing_passes_through(machine: Machine) -> None:
    searcher = Slow(machine, [0.1])
    with pytest.raises(IndexError):
        timing(searcher, queries(9), **machine.how()).round()


# A busy machine


def test_rounds_on_a_busy_machine_are_left_out(machine: Machine) -> None:
    """675 ms for 10 ms: while another process has the other processor and half of this one."""
    now = [0.675]
    timed = machine.timing(lambda n: now[0])
    machine.others = 1.0
    timed.round()
    busy = timed.latency()
    assert busy is not None
    assert (busy["p50_ms"], busy["busy"], busy["others"], busy["cores"]) == (675.0, True, 1.0, 2)
    now[0], machine.others = 0.010, 0.1
    timed.round()
    found = timed.latency()
    assert found is not None
    assert (found["p50_ms"], found["busy"], found["others"]) == (10.0, False, 0.1)
    assert found["spread"] == 0.0


def test_a_thread_that_waits_for_a_processor_is_on_a_busy_machine(machine: Machine) -> None:
    machine.waits = 0.3
    timed = machine.timing(0.02)
    timed.round()
    found = timed.latency()
    assert found is not None
    assert (found["busy"], found["waited"], found["others"]) == (True, 0.3, 0.0)


def test_two_rounds_that_agree_are_enough(machine: Machine) -> None:
    timed = machine.timing(0.02)
    assert not timed.due  # not asked yet: perhaps it is not to be
    timed.round()
    assert timed.due
    timed.persist()
    assert len(timed.rounds) == ROUNDS


def test_rounds_that_differ_are_followed_by_more(machine: Machine) -> None:
    every = iter([0.020, 0.020 * (1 + 2 * AGREE), 0.021, 0.021, 0.021])
    now = [0.0]
    timed = machine.timing(lambda n: now[0])
    while not timed.rounds or timed.due:
        now[0] = next(every)
        timed.round()
    assert len(timed.rounds) == FEW  # the quartiles of four agree
    found = timed.latency()
    assert found is not None
    assert 0 < found["spread"] <= AGREE


def test_rounds_that_never_agree_come_to_an_end(machine: Machine) -> None:
    now = [0.01]
    timed = machine.timing(lambda n: now[0])
    while not timed.rounds or timed.due:
        now[0] *= 2
        timed.round()
    assert len(timed.rounds) == ROUNDS + MORE


def test_a_busy_machine_is_given_more_rounds_to_become_quiet(machine: Machine) -> None:
    machine.others = 1.5
    timed = machine.timing(0.02)
    timed.round()
    timed.persist()
    assert len(timed.rounds) == ROUNDS + MORE
    assert timed.busy


def test_a_machine_that_becomes_quiet_is_not_waited_for_longer(machine: Machine) -> None:
    machine.others = 1.5

    def seconds(asked: int) -> float:
        machine.others = 1.5 if asked <= WARM_UP + 2 * 5 else 0.0
        return 0.02

    timed = machine.timing(seconds)
    timed.round()
    timed.persist()
    assert [one.contention.busy for one in timed.rounds] == [True, True, False, False]


# Rows in turn


def test_rows_of_a_board_are_asked_again_in_turn_and_busy_ones_until_they_are_not(machine: Machine) -> None:
    order: list[str] = []
    rows = {}
    for name in ("a", "b", "c"):
        rows[name] = machine.timing(lambda n, name=name: order.append(name) or 0.02)  # type: ignore[func-returns-value]
        machine.others = 1.5 if name == "b" else 0.0
        rows[name].round()
    order.clear()
    machine.others = 0.0
    in_turn(rows, quiet)
    assert list(dict.fromkeys(order)) == ["a", "b", "c"]
    assert [len(one.rounds) for one in rows.values()] == [2, 3, 2]
    machine.others = 1.5
    again = {"a": rows["a"], "busy": machine.timing(0.02)}
    again["busy"].round()
    in_turn(again, quiet)
    assert (len(again["a"].rounds), len(again["busy"].rounds)) == (2, ROUNDS + MORE)


def test_a_single_row_is_asked_again_too(machine: Machine) -> None:
    timed = machine.timing(0.02)
    timed.round()
    in_turn({"a": timed}, quiet)
    assert len(timed.rounds) == ROUNDS


def test_a_searcher_that_is_gone_keeps_what_was_measured(machine: Machine, context: Context) -> None:
    searcher = Slow(machine, [0.01] * 100)
    timed = timing(searcher, queries(5), **machine.how())
    other = machine.timing(0.02)
    timed.round()
    other.round()
    before = timed.latency()
    del searcher
    gc.collect()
    in_turn({"gone": timed, "here": other}, quiet)
    assert timed.latency() == before
    assert len(other.rounds) == 2
