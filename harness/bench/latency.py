"""Latency: the time of one query, from repeated single queries that are encoded without the cache.

On a shared machine other processes add to a row's own time. So the same queries are timed in several rounds: one after
the row's search, the others at the end in turn with the other rows of the board, until two rounds on a quiet machine
agree. Each round records the load of the machine. Rounds on a busy machine are left out. If there is no other, the
latency is marked `busy`.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.bench.machine_load import Contention, Load, load
from harness.data.queries import Queries
from harness.methods import Searcher
from harness.runtime.progress import Progress

QUERIES = 50
WARM_UP = 3
WARM_SECONDS = 0.1
"""The first query loads the model; the others warm up for about so long, so that a slow row warms up with fewer."""
ROUNDS = 2
"""On a quiet machine; all that are needed if they agree."""
AGREE = 0.1
"""The `spread` up to which rounds agree."""
MORE = 3
"""Rounds that are added, at most, while fewer than `ROUNDS` were on a quiet machine, or these do not agree."""
FEW = 4
"""Repetitions from which on quartiles say more of them than the least and the greatest."""
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
            self._warm_up()
        before, begun = self.load(), self.clock()
        passes: list[dict[int, float]] = []
        while not passes or self.clock() - begun < LEAST:
            passes.append(self._pass(begun))
        seconds = self.clock() - begun
        self.rounds.append(Round(tuple(passes), Contention.between(before, self.load(), seconds)))

    def _warm_up(self) -> None:
        self.ask(0)
        begun = self.clock()
        for i in range(1, min(WARM_UP, self.number)):
            if self.clock() - begun < WARM_SECONDS:
                self.ask(i)

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
        return not self._quiet

    @property
    def due(self) -> bool:
        """Whether another round may tell more: see `ROUNDS` and `MORE`. Not before the first round."""
        if not 0 < len(self.rounds) < ROUNDS + MORE:
            return False
        return len(self._quiet) < ROUNDS or _spread(_passes(self._quiet)) > AGREE

    def persist(self) -> None:
        """More rounds, as long as one is due."""
        while self.due:
            self.round()

    @property
    def _quiet(self) -> list[Round]:
        return [one for one in self.rounds if not one.contention.busy]

    def latency(self) -> dict[str, Any] | None:
        """As in a record; None without a round.

        `p50_ms` and `p95_ms` over queries, each query by the lower quartile of its times; `queries` and `depth`;
        `repeats`, how often the queries were repeated; `spread`, by what share these repetitions differ (between their
        quartiles; fewer than `FEW` between the least and the greatest); `busy`, whether the machine was busy in every
        round; `others`, `cores` and `waited` of the calmest round (`Contention`).
        """
        if not self.rounds:
            return None
        used = self._quiet or self.rounds
        passes = _passes(used)
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


def _passes(rounds: Sequence[Round]) -> list[dict[int, float]]:
    return [spent for one in rounds for spent in one.passes]


def _spread(passes: list[dict[int, float]]) -> float:
    """By what share the medians of the passes differ, on the queries that all passes have."""
    common = set.intersection(*(set(spent) for spent in passes))
    medians = [float(np.median([spent[i] for i in common])) for spent in passes]
    low, high = np.percentile(medians, [25, 75] if len(medians) >= FEW else [0, 100])
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
    """Rounds of those that are due, until none is.

    They alternate, so that the load of the machine is the same for all. One whose searcher is no longer in memory stays
    as it is.
    """
    for _ in range(ROUNDS - 1 + MORE):
        due = [one for one in timed.values() if one.due]
        if not due:
            return
        with progress("latency", len(due), "rows") as advance:
            for one in due:
                with contextlib.suppress(Exception):  # its record has a latency already
                    one.round()
                advance()
