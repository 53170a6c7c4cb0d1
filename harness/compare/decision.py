"""A decision between rows: the best, those tied with it, the cheapest within the margin, and what more cost gains."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.base.defaults import MARGIN, check_margin
from harness.base.errors import ComparisonError
from harness.bench.leak_effect import shared
from harness.bench.machine_load import why
from harness.compare.calibration import weighed_together
from harness.compare.comparison import Comparison, compare
from harness.compare.documents import PartComparison, compare_parts
from harness.compare.evidence import Scores
from harness.methods import NO_LABELS
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

Cost = Literal["latency", "memory"]
ALIKE = 1.05
"""Ratio of two costs up to which they count as equal, or more if repeated measurements differ by more."""


@dataclass(frozen=True)
class Option:
    """A row to choose from.

    Args:
        scores: its values.
        interval: of its mean, at 95 %.
        ranks: the first and the last rank that it may have.
        behind: its mean minus the best row's, as on the board; None for the best itself.
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
        """Median seconds of one query; None if not measured, as for a run from a file, or if unreliable."""
        latency = self.scores.records[0].latency
        median = latency.get("p50_ms") if latency and self.busy is None else None
        return None if median is None else median / 1000

    @property
    def busy(self) -> str | None:
        """Why its latency is unreliable; None if it is reliable or was not measured."""
        return why(self.scores.records[0].latency)

    def spread(self, of: Cost) -> float:
        """By what share repeated measurements of a cost differ; 0 if it was measured once."""
        latency = self.scores.records[0].latency if of == "latency" else None
        return float((latency or {}).get("spread") or 0.0)

    @property
    def memory(self) -> float | None:
        """GiB of index and model; None for a run from a file."""
        size = self.scores.records[0].size
        total = size.get("index_bytes", 0) + size.get("model_bytes", 0)
        return total / 2**30 if total else None

    def cost(self, of: Cost) -> float | None:
        """The latency or the memory."""
        return self.latency if of == "latency" else self.memory


@dataclass(frozen=True)
class Upgrade:
    """From a row that no other beats at its cost to the next such row: the additional cost and the gain.

    Args:
        before: the cheaper.
        after: the more expensive and better.
        gain: `after` minus `before`, as on the board.
        more: seconds a query, or GiB.
    """

    before: Option
    after: Option
    gain: Difference
    more: float


@dataclass(frozen=True)
class Decision:
    """The choice between the rows of one board.

    Args:
        options: the rows, best first.
        comparison: of them.
        margin: differences up to this do not matter.
        cheapest: by each cost, the cheapest row whose mean is within the margin of the best, of the rows that have such
            a cost.
        upgrades: by each cost, from the cheapest row to the best, over those that no other beats at their cost.
        parts: the rows on queries about old and about new documents; empty if no label was used or no query asks about
            old documents.
    """

    options: tuple[Option, ...]
    comparison: Comparison
    margin: float
    cheapest: dict[Cost, Option]
    upgrades: dict[Cost, tuple[Upgrade, ...]]
    parts: tuple[PartComparison, ...] = ()

    @property
    def best(self) -> Option:
        """The row with the highest mean."""
        return self.options[0]

    @property
    def tied(self) -> tuple[Option, ...]:
        """The other rows that are tied with the best."""
        return tuple(option for option in self.options[1:] if option.tied)

    def loses_no_more(self, option: Option) -> bool:
        """Whether a loss above the margin is ruled out by the interval of the row's difference."""
        return option.behind is not None and option.behind.interval.low > -self.margin


def caveats(decision: Decision) -> list[str]:
    """Which row would have the highest mean without the queries that training has seen, and what models were trained
    on.
    """
    if all(option.scores.records[0].supervision == NO_LABELS for option in decision.options):
        return []
    measure = decision.best.scores.measure
    leaks = {option.row: shared(option.scores.records, measure) for option in decision.options}
    best = decision.best.row
    lines = []
    for kind in ("queries",) if decision.parts else ("queries", "documents"):
        of_kind = {row: own[kind] for row, own in leaks.items() if kind in own}
        if not of_kind:
            continue
        first = max(of_kind, key=lambda row: of_kind[row].without)
        still = "still has" if first == best else "has"
        top = of_kind[first]
        line = f"{top.sentence}; over the others `{first}` {still} the highest mean, {top.without:.4f}"
        if first != best and best in of_kind:
            line += f", `{best}` {of_kind[best].without:.4f}"
        lines.append(f"{line}.")
    histories = {option.row: leaks[option.row].get("taught") for option in (decision.best, *decision.tied)}
    for row, history in histories.items():
        if history is not None:
            lines.append(f"`{row}`: {history.sentence}; over the others its mean is {history.without:.4f}.")
    return lines


def decide(
    rows: Sequence[Scores],
    margin: float = MARGIN,
    seed: int = 0,
    comparison: Comparison | None = None,
    parts: tuple[PartComparison, ...] | None = None,
) -> Decision:
    """Decides between rows, by the verdicts and intervals of the board: all pairs of rows at once.

    Args:
        rows: their scores, all of the same queries.
        margin: differences up to this do not matter.
        seed: of the draws.
        comparison: of these rows in this order, if it is known already.
        parts: of these rows in this order, if they are known already.

    Raises:
        SettingError: the margin is not above 0.
        ComparisonError: no rows, or they are not of one collection.
    """
    check_margin(margin)
    if not rows:
        raise ComparisonError("there is nothing to decide between: no row has scores.")
    if comparison is None:
        rows = sorted(weighed_together(rows), key=lambda row: (-row.mean, row.row))
    ordered = list(rows)
    comparison = comparison or compare(ordered, seed)
    behind = (None, *comparison.behind[1:])
    options = tuple(map(Option, ordered, comparison.intervals, comparison.ranks, behind))
    kinds: tuple[Cost, ...] = ("latency", "memory")
    return Decision(
        options,
        comparison,
        margin,
        {of: option for of in kinds if (option := _cheapest(options, of, margin)) is not None},
        {of: _upgrades(options, of, comparison) for of in kinds},
        compare_parts(ordered, seed) if parts is None else parts,
    )


def _cheapest(options: Sequence[Option], of: Cost, margin: float) -> Option | None:
    near = [o for o in options if o.scores.mean >= options[0].scores.mean - margin - 1e-12 and o.cost(of) is not None]
    if not near:
        return None
    cheapest = min(near, key=_by_cost(of))
    return next(o for o in near if _alike(o, cheapest, of))


def _alike(higher: Option, lower: Option, of: Cost) -> bool:
    """Whether two costs are equal within the uncertainty of their measurements."""
    factor = max(ALIKE, (1 + higher.spread(of)) * (1 + lower.spread(of)))
    return (higher.cost(of) or 0.0) <= factor * (lower.cost(of) or 0.0)


def _by_cost(of: Cost) -> Callable[[Option], tuple[float, float]]:
    return lambda option: (option.cost(of) or 0.0, -option.scores.mean)


def _upgrades(options: Sequence[Option], of: Cost, comparison: Comparison) -> tuple[Upgrade, ...]:
    # The Pareto front, from the cheapest row up; of rows at nearly the same cost only the better is in it.
    front: list[int] = []
    costs = {place: cost for place, option in enumerate(options) if (cost := option.cost(of)) is not None}
    for place in sorted(costs, key=lambda p: _by_cost(of)(options[p])):
        if not front or options[place].scores.mean > options[front[-1]].scores.mean:
            if front and _alike(options[place], options[front[-1]], of):
                front.pop()
            front.append(place)
    return tuple(
        Upgrade(options[before], options[after], comparison.difference(after, before), costs[after] - costs[before])
        for before, after in itertools.pairwise(front)
    )
