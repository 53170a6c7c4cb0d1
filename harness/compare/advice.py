"""A decision in plain words."""

from __future__ import annotations

from harness.compare.decision import Cost, Decision, Option, Step
from harness.compare.verdict import signed, spread
from harness.statistics.family import Difference


def sentences(decision: Decision) -> list[str]:
    """The decision in plain words, the verdict first."""
    best, scores = decision.best, decision.best.scores
    n = f"{len(scores.ids):,} {'query' if len(scores.ids) == 1 else 'queries'}"
    around = f" [{best.interval.low:.3f}, {best.interval.high:.3f}]" if len(scores.ids) > 1 else ""
    if scores.mean == 0:
        return ["Every score is 0: is anything judged relevant, and in the corpus? `harness data check` says."]
    told = [
        f"Best: `{best.row}`, {scores.measure} {scores.mean:.4f}{around} over {n}.",
        *_tied(decision),
        *_near(decision),
    ]
    for of, steps in decision.steps.items():
        told += [_bought(step, of) for step in steps]
    told += [
        f"The latency of `{o.row}` is left out, since the machine was busy: {o.busy}. Run it again with --rerun on an "
        f"idle one."
        for o in decision.options
        if o.busy
    ]
    free = [o.row for o in decision.options if o.latency is None and o.busy is None]
    if free:
        told.append(
            f"Without a latency, and so left out where cost is weighed: {', '.join(f'`{row}`' for row in free)}."
        )
    return told


def difference(option: Option) -> str:
    """A row's difference from the best with its simultaneous interval, as shown."""
    return "–" if option.behind is None else with_interval(option.behind)


def with_interval(found: Difference) -> str:
    """A difference with its interval, without it where there is none."""
    return f"{signed(found.mean)}{spread(found.interval)}"


def _tied(decision: Decision) -> list[str]:
    """Which rows are tied with the best and how many are worse, by the intervals that are printed with it."""
    others, tied = decision.options[1:], decision.tied
    if not others:
        return []
    by = f"simultaneous 95 % intervals of {decision.comparison.corrected}"
    if not tied:
        return [
            f"Every other row is significantly worse ({by}); the next is `{others[0].row}` ({difference(others[0])})."
        ]
    names = ", ".join(f"`{o.row}` ({difference(o)})" for o in tied)
    told = [f"Tied with it ({by}): {names}."]
    if rest := len(others) - len(tied):
        told.append(f"{rest} other {'row is' if rest == 1 else 'rows are'} significantly worse.")
    return told


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
            f"Cheapest {within}: `{option.row}` ({difference(option)}), which takes {how}; {sure} that it loses no "
            f"more."
        )
    return found


def _amount(option: Option, of: Cost) -> str:
    """A cost in words."""
    value = option.cost(of) or 0.0
    return f"{value * 1000:.1f} ms a query" if of == "latency" else f"{_gib(value)} of index and model"


def _gib(value: float) -> str:
    return f"{value:.2f} GiB" if value >= 1 else f"{value * 1024:.1f} MiB"


def _bought(step: Step, of: Cost) -> str:
    more = (
        f"{step.more * 1000:.1f} ms more a query" if of == "latency" else f"{_gib(step.more)} more of index and model"
    )
    gain = step.gain.mean
    each = f", {gain / step.more:.2g} a {'second' if of == 'latency' else 'GiB'}" if step.more > 0 else ""
    tied = ", which may be chance: the two are tied" if step.gain.tied else ""
    return f"`{step.before.row}` → `{step.after.row}`: {more} for {with_interval(step.gain)}{each}{tied}."
