"""Latency: the time of one query, from repeated single queries that are encoded without the cache.

On a shared machine other processes add to a row's own time. So the same queries are timed in several rounds, spread
over the work on the row, with a last one in turn with the other rows of the board; each round records the load of the
machine. Rounds on a busy machine are left out. If there is no other, the latency is marked `busy`.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.bench.machine_load import Contention, Load, load
from harness.data.queries import Queries
from harness.methods import Searcher
from harness.runtime.progress import Progress

QUERIES = 50
WARM_UP = 3
MORE = 3
"""Rounds that are added while every round so far was on a busy machine."""
SECONDS = 1.0
"""Longest time of a round, which times one query at least: a slow row times fewer queries."""
LEAST = 0.04
"""A round repeats its queries for at least so long: processor time is counted in hundredths of a second."""
LOW = 25
"""Percentile of a query's times that counts: near the least, without depending on a single time."""
DEPTH = 100


@dataclass(frozen=True)
class Round:
    """The times of one round.

    Args:
        passes: seconds by query, one entry for each repetition of the queries.
        contention: what else ran on the machine.
    """

    passes: tuple[dict[int, float], ...]
    contention: Contention


@dataclass
class Timing:
    """Times single queries, in rounds.

    Args:
        ask: searches with query i.
        number: of queries; 0 if there is nothing to time.
        most: queries in a round.
        depth: of each search, for the record.
        clock: seconds.
        load: the machine's counters.
    """

    ask: Callable[[int], object]
    number: int
    most: int = QUERIES
    depth: int = DEPTH
    clock: Callable[[], float] = time.perf_counter
    load: Callable[[], Load] = load
    rounds: list[Round] = field(default_factory=list)

    def round(self) -> None:
        """Times the queries, in the same order in every round; the first round warms up before."""
        if not self.number:
            return
        if not self.rounds:
            for i in range(min(WARM_UP, self.number)):  # the first loads the model
                self.ask(i)
        before, begun = self.load(), self.clock()
        passes: list[dict[int, float]] = []
        while not passes or self.clock() - begun < LEAST:
            passes.append(self._pass(begun))
        seconds = self.clock() - begun
        self.rounds.append(Round(tuple(passes), Contention.between(before, self.load(), seconds)))

    def _pass(self, begun: float) -> dict[int, float]:
        spent: dict[int, float] = {}
        # Other queries than those of the warm-up, as long as there are any.
        for i in range(min(self.most, self.number)):
            started = self.clock()
            self.ask((WARM_UP + i) % self.number)
            ended = self.clock()
            spent[i] = ended - started
            if ended - begun > SECONDS:
                break
        return spent

    @property
    def busy(self) -> bool:
        """Whether every round was on a busy machine."""
        return all(one.contention.busy for one in self.rounds)

    def persist(self) -> None:
        """A last round; more of them, up to `MORE`, while every round so far was on a busy machine."""
        self.round()
        for _ in range(MORE):
            if not self.busy:
                return
            self.round()

    def latency(self) -> dict[str, Any] | None:
        """As in a record; None without a round.

        `p50_ms` and `p95_ms` over queries, each query by the lower quartile of its times; `queries` and `depth`;
        `repeats`, how often the queries were repeated; `spread`, by what share these repetitions differ (between their
        quartiles); `busy`, whether the machine was busy in every round; `others`, `cores` and `waited` of the calmest
        round (`Contention`).
        """
        if not self.rounds:
            return None
        quiet = [one for one in self.rounds if not one.contention.busy]
        used = quiet or self.rounds
        passes = [spent for one in used for spent in one.passes]
        timed = sorted({i for spent in passes for i in spent})
        low = [np.percentile([spent[i] for spent in passes if i in spent], LOW) for i in timed]
        p50, p95 = np.percentile(low, [50, 95]) * 1000
        calmest = min(used, key=lambda one: one.contention.severity)
        return {
            "p50_ms": round(float(p50), 3),
            "p95_ms": round(float(p95), 3),
            "queries": len(timed),
            "depth": self.depth,
            "repeats": len(passes),
            "spread": round(_spread(passes), 4),
            "busy": self.busy,
            **calmest.contention.numbers(),
        }


def _spread(passes: list[dict[int, float]]) -> float:
    """By what share of the lower quartile the medians of the passes differ between their quartiles, on the queries that
    all passes have.
    """
    common = set.intersection(*(set(spent) for spent in passes))
    medians = [float(np.median([spent[i] for i in common])) for spent in passes]
    low, high = np.percentile(medians, [25, 75])
    return float(high / low - 1) if low > 0 else 0.0


def timing(searcher: Searcher, queries: Queries, **how: Any) -> Timing:
    """Times a searcher on single uncached queries; the documents stay indexed.

    It does not keep the searcher in memory. A searcher that only replays stored results is not timed.

    Args:
        searcher: of a row.
        queries: of its test split.
        how: `clock` and `load` of `Timing`.
    """
    reference = weakref.ref(searcher)

    def ask(i: int) -> None:
        current = reference()
        if current is None:
            raise ReferenceError("the searcher is no longer in memory")
        current.search(Queries([queries.ids[i]], [queries.texts[i]], cached=False), DEPTH)

    return Timing(ask, len(queries) if searcher.live else 0, **how)


def in_turn(timed: Mapping[Any, Timing], progress: Progress) -> None:
    """One more round of each, and up to `MORE` of those that were on a busy machine in every round.

    They alternate, so that the load of the machine is the same for all. A single one that needs no round gets none, and
    one whose searcher is no longer in memory stays as it is.
    """
    due = [one for one in timed.values() if one.rounds]
    due = due if len(due) > 1 else [one for one in due if one.busy]
    for _ in range(1 + MORE):
        if not due:
            return
        with progress("latency", len(due), "rows") as advance:
            for one in due:
                with contextlib.suppress(Exception):  # its record has a latency already
                    one.round()
                advance()
        due = [one for one in due if one.busy]
