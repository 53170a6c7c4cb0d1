from dataclasses import dataclass

import numpy as np
import pytest

from harness.bench import latency as module
from harness.bench.latency import DEPTH, QUERIES, SECONDS, WARM_UP, latency
from harness.context import Context
from harness.judged import Queries
from harness.methods import Searcher, Size
from harness.ranking import TopK


@dataclass
class Clock:
    """Stands still but when a search moves it."""

    now: float = 0.0

    def perf_counter(self) -> float:
        return self.now


class Slow(Searcher):
    """Takes the given seconds, one after another."""

    key, size = "slow", Size()

    def __init__(self, clock: Clock, context: Context, seconds: list[float]) -> None:
        self.clock, self.context, self.seconds = clock, context, seconds
        self.asked: list[tuple[list[str], int, bool]] = []

    def search(self, queries: Queries, k: int) -> TopK:
        self.clock.now += self.seconds[len(self.asked)]
        self.asked.append((queries.ids, k, self.context.live))
        return TopK(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def queries(n: int) -> Queries:
    return Queries([f"q{i}" for i in range(n)], ["text"] * n)


def test_queries_are_asked_one_at_a_time_afresh_and_to_one_depth(clock: Clock, context: Context) -> None:
    searcher = Slow(clock, context, [0.01] * 100)
    latency(searcher, queries(5), context)
    timed = [(WARM_UP + i) % 5 for i in range(5)]
    assert searcher.asked == [([f"q{i}"], DEPTH, True) for i in [*range(WARM_UP), *timed]]
    assert context.live is False


def test_the_first_queries_warm_up_and_do_not_count(clock: Clock, context: Context) -> None:
    slow_start = [9.0, *[1.0] * (WARM_UP - 1)]  # the first loads a model: longer than all the time for measuring
    found = latency(Slow(clock, context, [*slow_start, *[0.02] * 50]), queries(10), context)
    assert found == {"p50_ms": 20.0, "p95_ms": 20.0, "queries": 10, "depth": DEPTH}


def test_percentiles_are_in_milliseconds(clock: Clock, context: Context) -> None:
    found = latency(Slow(clock, context, [0.0] * WARM_UP + [0.001 * i for i in range(1, 22)]), queries(21), context)
    assert found is not None
    assert (found["p50_ms"], found["p95_ms"]) == (11.0, 20.0)


def test_no_more_than_fifty_queries_are_timed(clock: Clock, context: Context) -> None:
    searcher = Slow(clock, context, [0.001] * 1000)
    found = latency(searcher, queries(900), context)
    assert found is not None
    assert found["queries"] == QUERIES
    assert len(searcher.asked) == QUERIES + WARM_UP


def test_a_slow_searcher_is_timed_no_longer_than_it_takes_to_tell(clock: Clock, context: Context) -> None:
    searcher = Slow(clock, context, [1.0] * 1000)
    found = latency(searcher, queries(900), context)
    assert len(searcher.asked) == WARM_UP + int(SECONDS) + 1
    assert found == {"p50_ms": 1000.0, "p95_ms": 1000.0, "queries": int(SECONDS) + 1, "depth": DEPTH}


def test_fewer_queries_than_warm_up_still_give_a_time(clock: Clock, context: Context) -> None:
    found = latency(Slow(clock, context, [0.5, 0.5, 0.25, 0.25]), queries(2), context)
    assert found == {"p50_ms": 250.0, "p95_ms": 250.0, "queries": 2, "depth": DEPTH}


def test_what_is_replayed_from_elsewhere_is_not_timed(clock: Clock, context: Context) -> None:
    searcher = Slow(clock, context, [])
    searcher.live = False
    assert latency(searcher, queries(9), context) is None
    assert searcher.asked == []


def test_an_error_while_timing_leaves_the_context_as_it_was(clock: Clock, context: Context) -> None:
    with pytest.raises(IndexError):
        latency(Slow(clock, context, [0.1]), queries(9), context)
    assert context.live is False
