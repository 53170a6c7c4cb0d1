"""A decision: the best row, those it cannot be told from, the cheapest that comes close, and what more cost would buy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.bench.evidence import Contrast, Scores, contrasts
from harness.bench.leaked import shared
from harness.bench.load import why
from harness.bench.standing import Standing, standing
from harness.bench.verdict import MARGIN, signed
from harness.errors import ComparisonError, SettingError
from harness.methods import NO_LABELS
from harness.statistics.bootstrap import Interval
from harness.statistics.power import ALPHA
from harness.statistics.randomisation import DRAWS

Cost = Literal["latency", "memory"]
ALIKE = 1.05
"""Times the cost of another row, up to which both cost the same, or more if repeated measurements differ by more."""


@dataclass(frozen=True)
class Option:
    """A row as one may choose it.

    Args:
        scores: its values.
        interval: of its mean, at 95 %.
        tied: whether it cannot be told from the best.
        behind: the best row held against it; None for the best itself.
    """

    scores: Scores
    interval: Interval
    tied: bool
    behind: Contrast | None

    @property
    def row(self) -> str:
        """Name on the board."""
        return self.scores.row

    @property
    def latency(self) -> float | None:
        """Seconds that one query takes, the median; None if not measured, as of a run from a file, or not to be trusted."""
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
        contrast: `after` held against `before`.
        more: seconds a query, or GiB.
    """

    before: Option
    after: Option
    contrast: Contrast
    more: float


@dataclass(frozen=True)
class Decision:
    """What the rows of one board say to who must choose one.

    Args:
        options: the rows, best first.
        standing: of them.
        margin: differences up to this do not matter.
        cheapest: by each cost, the cheapest row whose mean is within the margin of the best; without rows that have no such cost.
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
        """The rows that cannot be told from the best."""
        return tuple(option for option in self.options[1:] if option.tied)

    def loses_no_more(self, option: Option) -> bool:
        """Whether the queries show that a row loses no more than the margin: the whole interval of its difference says so."""
        return option.behind is not None and len(option.scores.ids) > 1 and option.behind.interval.high < self.margin


def caveats(decision: Decision) -> list[str]:
    """Who would have the highest mean without the queries of which training has seen something, and what rows were taught."""
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


def decide(
    held: Sequence[Scores], margin: float = MARGIN, seed: int = 0, stands: Standing | None = None, draws: int = DRAWS
) -> Decision:
    """Decides between rows.

    Who is tied with the best is asked of all pairs of rows, with Holm's correction, as on the board: a test of the best against
    each other row alone would forget that it was picked for being first.

    Args:
        held: one per row, all of the same queries.
        margin: differences up to this do not matter.
        seed: of the draws.
        stands: of these rows, where it is already known; their order is taken from it.
        draws: of signs, for each step.

    Raises:
        SettingError: the margin is not above 0.
        ComparisonError: no rows, or they are not of one collection.
    """
    if not 0 < margin < 1:
        raise SettingError(f"margin must be above 0 and below 1, not {margin:g}: a difference that is of no interest.")
    if not held:
        raise ComparisonError("there is nothing to decide between: no row gave figures.")
    ordered = sorted(held, key=lambda row: (-row.mean, row.row)) if stands is None else list(held)
    stands = stands or standing(ordered, seed)
    behind = contrasts([(ordered[0], other) for other in ordered[1:]], seed, draws)
    best = set(stands.letters[0])
    options = tuple(
        Option(row, interval, bool(best & set(letters)), contrast)
        for row, interval, letters, contrast in zip(ordered, stands.intervals, stands.letters, (None, *behind), strict=True)
    )
    kinds: tuple[Cost, ...] = ("latency", "memory")
    return Decision(
        options,
        stands,
        margin,
        {of: found for of in kinds if (found := _cheapest(options, of, margin)) is not None},
        {of: _steps(options, of, seed, draws) for of in kinds},
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


def _steps(options: Sequence[Option], of: Cost, seed: int, draws: int) -> tuple[Step, ...]:
    front: list[Option] = []
    for option in sorted((o for o in options if o.cost(of) is not None), key=_dear(of)):
        if not front or option.scores.mean > front[-1].scores.mean:
            if front and _alike(option, front[-1], of):
                front.pop()
            front.append(option)
    pairs = list(itertools.pairwise(front))
    found = contrasts([(after.scores, before.scores) for before, after in pairs], seed, draws)
    return tuple(
        Step(before, after, contrast, (after.cost(of) or 0.0) - (before.cost(of) or 0.0))
        for (before, after), contrast in zip(pairs, found, strict=True)
    )


def sentences(decision: Decision, alpha: float = ALPHA) -> list[str]:
    """The decision in plain words, the verdict first."""
    best, tied = decision.best, decision.tied
    scores = best.scores
    n = f"{len(scores.ids):,} {'query' if len(scores.ids) == 1 else 'queries'}"
    spread = f" [{best.interval.low:.3f}, {best.interval.high:.3f}]" if len(scores.ids) > 1 else ""
    told = [f"Best: `{best.row}`, {scores.measure} {scores.mean:.4f}{spread} over {n}."]
    others = decision.options[1:]
    if scores.mean == 0:
        return ["Every figure is 0: is anything judged relevant, and in the corpus? `harness data check` says."]
    if tied:
        names = ", ".join(f"`{o.row}` ({difference(o)})" for o in tied)
        asked = f", all pairs of {len(decision.options)} rows asked" if len(decision.options) > 2 else ""
        told.append(f"Cannot be told from it{asked}: {names}.")
    elif others:
        told.append(f"Every other row is worse beyond chance; the next is `{others[0].row}` ({difference(others[0])}).")
    if tied and (rest := len(others) - len(tied)):
        told.append(f"{rest} other {'row is' if rest == 1 else 'rows are'} worse beyond chance.")
    told += _near(decision)
    for of, steps in decision.steps.items():
        told += [_bought(step, of, alpha) for step in steps]
    told += [
        f"The latency of `{o.row}` is left out, since the machine was busy: {o.busy}. Run it again with --rerun on an idle one."
        for o in decision.options
        if o.busy
    ]
    free = [o.row for o in decision.options if o.latency is None and o.busy is None]
    if free:
        told.append(f"Without a latency, and so left out where cost is weighed: {', '.join(f'`{row}`' for row in free)}.")
    return told


def difference(option: Option) -> str:
    """A row's difference from the best with its interval, as shown."""
    if option.behind is None:
        return "–"
    interval = option.behind.interval
    return f"{signed(-option.behind.difference)} [{signed(-interval.high)}, {signed(-interval.low)}]"


def _near(decision: Decision) -> list[str]:
    """The cheapest rows within the margin, those that are the same by both costs in one sentence."""
    told: dict[str, tuple[Option, list[Cost]]] = {}
    for of, option in decision.cheapest.items():
        told.setdefault(option.row, (option, []))[1].append(of)
    within = f"within {decision.margin:g} of the best"
    found = []
    for option, kinds in told.values():
        how = " and ".join(_amount(option, of) for of in kinds)
        if option is decision.best and len(decision.options) == 1:
            found.append(f"It takes {how}.")
            continue
        if option is decision.best:
            found.append(f"Nothing cheaper comes {within}: it takes {how}.")
            continue
        sure = "these queries show" if decision.loses_no_more(option) else "these queries do not show"
        found.append(
            f"Cheapest {within}: `{option.row}` ({difference(option)}), which takes {how}; {sure} that it loses no more."
        )
    return found


def _amount(option: Option, of: Cost) -> str:
    """A cost in words, against the best's is for the reader."""
    value = option.cost(of) or 0.0
    return f"{value * 1000:.1f} ms a query" if of == "latency" else f"{_gib(value)} of index and model"


def _gib(value: float) -> str:
    return f"{value:.2f} GiB" if value >= 1 else f"{value * 1024:.1f} MiB"


def _bought(step: Step, of: Cost, alpha: float) -> str:
    gain, interval = step.contrast.difference, step.contrast.interval
    more = f"{step.more * 1000:.1f} ms more a query" if of == "latency" else f"{_gib(step.more)} more of index and model"
    each = f", {gain / step.more:.2g} a {'second' if of == 'latency' else 'GiB'}" if step.more > 0 else ""
    sure = "" if step.contrast.adjusted <= alpha else ", which may be chance"
    gained = f"{signed(gain)} [{signed(interval.low)}, {signed(interval.high)}]"
    return f"`{step.before.row}` → `{step.after.row}`: {more} for {gained}{each}{sure}."
