"""A decision: the best row, those tied with it, the cheapest that comes close, and what more cost would buy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.base.defaults import MARGIN, check_margin
from harness.base.errors import ComparisonError
from harness.bench.leak_effect import shared
from harness.bench.machine_load import why
from harness.compare.evidence import Scores
from harness.compare.ties import Standing, standing
from harness.methods import NO_LABELS
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

Cost = Literal["latency", "memory"]
ALIKE = 1.05
"""Times the cost of another row, up to which both cost the same, or more if repeated measurements differ by more."""


@dataclass(frozen=True)
class Option:
    """A row as one may choose it.

    Args:
        scores: its values.
        interval: of its mean, at 95 %.
        ranks: the first and the last rank that it may have.
        behind: its mean less the best row's, as the board has it; None for the best itself.
    """

    scores: Scores
    interval: Interval
    ranks: tuple[int, int]
    behind: Difference | None

    @property
    def tied(self) -> bool:
        """Whether it is tied with the best: the simultaneous interval of their difference contains 0."""
        return self.behind is None or self.behind.tied

    @property
    def row(self) -> str:
        """Name on the board."""
        return self.scores.row

    @property
    def latency(self) -> float | None:
        """Seconds that one query takes, the median; None if not measured, as of a run from a file, or not to be
        trusted.
        """
        told = self.scores.records[0].latency
        median = told.get("p50_ms") if told and self.busy is None else None
        return None if median is None else median / 1000

    @property
    def busy(self) -> str | None:
        """Why its latency is not to be trusted; None for one that is, and for a row without one."""
        return why(self.scores.records[0].latency)

    def spread(self, of: Cost) -> float:
        """By what share repeated measurements of a cost differ; 0 if it was measured once."""
        told = self.scores.records[0].latency if of == "latency" else None
        return float((told or {}).get("spread") or 0.0)

    @property
    def memory(self) -> float | None:
        """GiB of index and model; None for a run from a file."""
        size = self.scores.records[0].size
        total = size.get("index_bytes", 0) + size.get("model_bytes", 0)
        return total / 2**30 if total else None

    def cost(self, of: Cost) -> float | None:
        """One of both."""
        return self.latency if of == "latency" else self.memory


@dataclass(frozen=True)
class Step:
    """From one row that nothing beats at its cost to the next: what it costs more and what it brings.

    Args:
        before: the cheaper.
        after: the dearer and better.
        gain: `after` less `before`, as the board has it.
        more: seconds a query, or GiB.
    """

    before: Option
    after: Option
    gain: Difference
    more: float


@dataclass(frozen=True)
class Decision:
    """What the rows of one board say to who must choose one.

    Args:
        options: the rows, best first.
        standing: of them.
        margin: differences up to this do not matter.
        cheapest: by each cost, the cheapest row whose mean is within the margin of the best; without rows that have no
            such cost.
        steps: by each cost, from the cheapest row to the best, over those that nothing beats at their cost.
    """

    options: tuple[Option, ...]
    standing: Standing
    margin: float
    cheapest: dict[Cost, Option]
    steps: dict[Cost, tuple[Step, ...]]

    @property
    def best(self) -> Option:
        """The row with the highest mean."""
        return self.options[0]

    @property
    def tied(self) -> tuple[Option, ...]:
        """The other rows that are tied with the best."""
        return tuple(option for option in self.options[1:] if option.tied)

    def loses_no_more(self, option: Option) -> bool:
        """Whether the queries show that a row loses no more than the margin: the whole interval of its difference says
        so.
        """
        return option.behind is not None and option.behind.interval.low > -self.margin


def caveats(decision: Decision) -> list[str]:
    """Who would have the highest mean without the queries of which training has seen something, and what rows were
    taught.
    """
    if all(option.scores.records[0].supervision == NO_LABELS for option in decision.options):
        return []
    measure = decision.best.scores.measure
    found = {option.row: shared(option.scores.records, measure) for option in decision.options}
    told = []
    for kind in ("queries", "documents"):
        here = {row: seen[kind] for row, seen in found.items() if kind in seen}
        if not here:
            continue
        first = max(here, key=lambda row: here[row].without)
        head = f"{here[first].told}; over the others"
        if first == decision.best.row:
            told.append(f"{head} `{first}` still has the highest mean, {here[first].without:.4f}.")
        else:
            best = f", `{decision.best.row}` {here[decision.best.row].without:.4f}" if decision.best.row in here else ""
            told.append(f"{head} `{first}` has the highest mean, {here[first].without:.4f}{best}.")
    told += [
        f"`{option.row}`: {seen.told}; over the others its mean is {seen.without:.4f}."
        for option in (decision.best, *decision.tied)
        if (seen := found[option.row].get("taught"))
    ]
    return told


def decide(held: Sequence[Scores], margin: float = MARGIN, seed: int = 0, stands: Standing | None = None) -> Decision:
    """Decides between rows, by the verdicts and intervals of the board: all pairs of rows at once.

    Args:
        held: one per row, all of the same queries.
        margin: differences up to this do not matter.
        seed: of the draws.
        stands: of these rows, where it is already known; their order is taken from it.

    Raises:
        SettingError: the margin is not above 0.
        ComparisonError: no rows, or they are not of one collection.
    """
    check_margin(margin)
    if not held:
        raise ComparisonError("there is nothing to decide between: no row gave figures.")
    ordered = sorted(held, key=lambda row: (-row.mean, row.row)) if stands is None else list(held)
    stands = stands or standing(ordered, seed)
    behind = (None, *stands.behind[1:])
    options = tuple(map(Option, ordered, stands.intervals, stands.ranks, behind))
    kinds: tuple[Cost, ...] = ("latency", "memory")
    return Decision(
        options,
        stands,
        margin,
        {of: found for of in kinds if (found := _cheapest(options, of, margin)) is not None},
        {of: _steps(options, of, stands) for of in kinds},
    )


def _cheapest(options: Sequence[Option], of: Cost, margin: float) -> Option | None:
    near = [o for o in options if o.scores.mean >= options[0].scores.mean - margin - 1e-12 and o.cost(of) is not None]
    if not near:
        return None
    cheapest = min(near, key=_dear(of))
    return next(o for o in near if _alike(o, cheapest, of))


def _alike(dearer: Option, cheaper: Option, of: Cost) -> bool:
    """Whether two rows cost the same, as far as their measurements tell."""
    factor = max(ALIKE, (1 + dearer.spread(of)) * (1 + cheaper.spread(of)))
    return (dearer.cost(of) or 0.0) <= factor * (cheaper.cost(of) or 0.0)


def _dear(of: Cost) -> Callable[[Option], tuple[float, float]]:
    return lambda option: (option.cost(of) or 0.0, -option.scores.mean)


def _steps(options: Sequence[Option], of: Cost, stands: Standing) -> tuple[Step, ...]:
    front: list[int] = []
    costs = {place: cost for place, option in enumerate(options) if (cost := option.cost(of)) is not None}
    for place in sorted(costs, key=lambda p: _dear(of)(options[p])):
        if not front or options[place].scores.mean > options[front[-1]].scores.mean:
            if front and _alike(options[place], options[front[-1]], of):
                front.pop()
            front.append(place)
    return tuple(
        Step(options[before], options[after], stands.difference(after, before), costs[after] - costs[before])
        for before, after in itertools.pairwise(front)
    )
