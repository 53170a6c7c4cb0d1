"""A decision in plain words."""

from __future__ import annotations

from harness.compare.decision import Cost, Decision, Option, Upgrade
from harness.compare.verdict import signed, spread
from harness.statistics.family import Difference


def sentences(decision: Decision) -> list[str]:
    """The decision in plain words, the verdict first."""
    best, scores = decision.best, decision.best.scores
    n = f"{len(scores.ids):,} {'query' if len(scores.ids) == 1 else 'queries'}"
    around = f" [{best.interval.low:.3f}, {best.interval.high:.3f}]" if len(scores.ids) > 1 else ""
    if scores.mean == 0:
        return ["Every score is 0: check with `harness data check` that relevant documents are in the corpus."]
    lines = [
        f"Best: `{best.row}`, {scores.measure} {scores.mean:.4f}{around} over {n}.",
        *_tied(decision),
        *_near(decision),
    ]
    for of, upgrades in decision.upgrades.items():
        lines += [_upgrade(upgrade, of) for upgrade in upgrades]
    lines += [
        f"The latency of `{option.row}` is left out because the machine was busy: {option.busy}. Measure it again with "
        "--rerun on an idle machine."
        for option in decision.options
        if option.busy
    ]
    unknown = [f"`{o.row}`" for o in decision.options if o.latency is None and o.busy is None]
    if unknown:
        lines.append(f"Without a latency, and therefore left out of comparisons of cost: {', '.join(unknown)}.")
    return lines


def difference(option: Option) -> str:
    """A row's difference from the best with its simultaneous interval, as shown; a dash for the best."""
    return "–" if option.behind is None else with_interval(option.behind)


def with_interval(difference: Difference) -> str:
    """A difference with its interval, without it if there are too few queries."""
    return f"{signed(difference.mean)}{spread(difference.interval)}"


def _tied(decision: Decision) -> list[str]:
    """Which rows are tied with the best and how many are significantly worse, by the printed intervals."""
    others, tied = decision.options[1:], decision.tied
    if not others:
        return []
    by = f"simultaneous 95 % intervals of {decision.comparison.corrected}"
    if not tied:
        return [
            f"Every other row is significantly worse ({by}); the next is `{others[0].row}` ({difference(others[0])})."
        ]
    names = ", ".join(f"`{o.row}` ({difference(o)})" for o in tied)
    lines = [f"Statistically tied with the best ({by}): {names}."]
    if rest := len(others) - len(tied):
        lines.append(f"{rest} other {'row is' if rest == 1 else 'rows are'} significantly worse.")
    return lines


def _near(decision: Decision) -> list[str]:
    """The cheapest rows within the margin, those that are the same by both costs in one sentence."""
    cheapest: dict[str, tuple[Option, list[Cost]]] = {}
    for of, option in decision.cheapest.items():
        cheapest.setdefault(option.row, (option, []))[1].append(of)
    within = f"within {decision.margin:g} of the best"
    lines = []
    for option, kinds in cheapest.values():
        how = " and ".join(_amount(option, of) for of in kinds)
        if option is decision.best and len(decision.options) == 1:
            lines.append(f"It takes {how}.")
            continue
        if option is decision.best:
            lines.append(f"No cheaper row is {within}: it takes {how}.")
            continue
        lines.append(
            f"Cheapest {within}: `{option.row}` ({difference(option)}), which takes {how}; a larger loss "
            f"{'is ruled out' if decision.loses_no_more(option) else 'is not ruled out'} by these queries."
        )
    return lines


def _amount(option: Option, of: Cost) -> str:
    """A cost in words."""
    value = option.cost(of) or 0.0
    return f"{value * 1000:.1f} ms a query" if of == "latency" else f"{_gib(value)} of index and model"


def _gib(value: float) -> str:
    return f"{value:.2f} GiB" if value >= 1 else f"{value * 1024:.1f} MiB"


def _upgrade(step: Upgrade, of: Cost) -> str:
    more = (
        f"{step.more * 1000:.1f} ms more a query" if of == "latency" else f"{_gib(step.more)} more of index and model"
    )
    gain = step.gain.mean
    each = f", {gain / step.more:.2g} a {'second' if of == 'latency' else 'GiB'}" if step.more > 0 else ""
    tied = ", not significant: the two are tied" if step.gain.tied else ""
    return f"`{step.before.row}` → `{step.after.row}`: {more} for {with_interval(step.gain)}{each}{tied}."
