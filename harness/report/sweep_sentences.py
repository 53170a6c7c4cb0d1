"""A sweep in sentences: which row was chosen, its scores on dev and on test, break-even points, failures."""

from __future__ import annotations

from harness.base.counts import counted
from harness.compare.verdict import ends, signed
from harness.report import formats
from harness.statistics.bootstrap import Interval
from harness.statistics.curves import ALWAYS, NEVER, BreakEven
from harness.sweep.ends import at_the_end
from harness.sweep.result import Curve, OnTest, SweepResult
from harness.sweep.trial import Trial


def sentences(sweep: SweepResult) -> list[str]:
    """The chosen row and its scores, one plain sentence each."""
    chosen = sweep.chosen
    if chosen is None:
        return ["Nothing was chosen: no row has scores for every seed."]
    seeds = f", the mean of {len(chosen.cells)} seeds" if len(chosen.cells) > 1 else ""
    trained = f" with {chosen.size:,} training queries" if chosen.size is not None else ""
    score = f"{sweep.measure} {formats.score(chosen.mean)} [{formats.interval(chosen.interval)}]"
    lines = [
        f"Chosen on dev: `{sweep.names(chosen.row)}`{trained}, {score} on {len(chosen.ids):,} dev queries{seeds}; "
        f"the best of {counted(len(sweep.whole), 'row')}."
    ]
    lines += _ends(sweep, chosen)
    if sweep.tested is not None:
        lines += _on_test(sweep, sweep.tested)
    else:
        lines.append(sweep.problem or "It has not been evaluated on test yet.")
    for curve in sweep.best_curves:
        lines += [f"On dev, {_passes(sweep, curve, row, even)}." for row, even in curve.breaks.items()]
    problems = dict.fromkeys((row.row, row.problem) for row in (*sweep.tried, *sweep.baselines) if row.problem)
    return [*lines, *(f"`{sweep.names(row)}` has no scores: {problem}" for row, problem in problems)]


def _ends(sweep: SweepResult, chosen: Trial) -> list[str]:
    """Whether more values should be tried."""
    ends = at_the_end(chosen, sweep.whole)
    if not ends:
        return []
    named = " and ".join(
        f"{name} = {value:g} is the {'largest' if is_largest else 'smallest'}"
        for name, (value, is_largest) in ends.items()
    )
    return [f"{named} value that was tried: a better one may be beyond."]


def _on_test(sweep: SweepResult, tested: OnTest) -> list[str]:
    lines = _gain(sweep, tested)
    if sweep.chosen is not None and sweep.chosen.method in [row.method for row in sweep.baselines]:
        lines.append(
            f"It is a baseline itself: no other row was better on dev. On test it has {sweep.measure} "
            f"{formats.score(tested.scores.mean)}."
        )
    lines += [f"On test, {' '.join(verdict.short)}" for verdict in tested.verdicts]
    lines += tested.verdicts[0].seen if tested.verdicts else []
    if tested.curve is not None:
        lines += [f"On test, {_passes(sweep, tested.curve, row, even)}." for row, even in tested.curve.breaks.items()]
    if len(tested.looked) > 1:
        others = [f"`{sweep.names(row)}`" for row in tested.looked if sweep.chosen is None or row != sweep.chosen.row]
        lines.append(
            f"This sweep was evaluated on test {len(tested.looked)} times: it also chose {', '.join(others)}, among "
            "other settings or with other code. Each evaluation on test makes the last one less reliable."
        )
    return lines


def _gain(sweep: SweepResult, tested: OnTest) -> list[str]:
    """The gain over the first baseline on dev and on test, and how much of their difference is due to the choice."""
    gain = tested.optimism
    against = {verdict.contrast.baseline.row: verdict for verdict in tested.verdicts}
    first = next((row for row in sweep.baselines if row.ok and sweep.names(row.row) in against), None)
    if gain is None or first is None:
        return []
    name = sweep.names(first.row)
    interval = against[name].contrast.interval
    only = "only " if gain.difference > 0 else ""
    return [
        f"Gain over `{name}` on dev {signed(gain.looked)}, on test {only}{signed(gain.found)} "
        f"{ends(interval)}{_between(gain.interval)}.",
        f"Choosing among {counted(len(sweep.whole), 'row')} on {len(sweep.whole[0].ids):,} queries overstates the best "
        f"by about {max(0.0, sweep.curse):.4f} (bootstrap{_uncounted(sweep)}); the rest of the difference is due to "
        "dev and test being different queries.",
    ]


def _uncounted(sweep: SweepResult) -> str:
    """Rows that a search stopped before they had all training queries cannot win a resample."""
    return "" if sweep.search.startswith("grid") else "; rows that the search stopped early are not counted"


def _between(interval: Interval | None) -> str:
    """The interval of the difference between both gains, dev and test being two samples of queries."""
    if interval is None:
        return ""
    return f" (difference {signed(interval.low)} to {signed(interval.high)} at 95 %)"


def _passes(sweep: SweepResult, curve: Curve, row: str, even: BreakEven) -> str:
    """Where a curve passes a baseline, in words."""
    least, most = curve.spots[0].size, curve.spots[-1].size
    low, high = _size(even.low, least, most), _size(even.high, least, most)
    spread = f" (95 %: {low} to {high})" if low != high else ""
    config, row = sweep.names(curve.config), sweep.names(row)
    if even.at == NEVER:
        sizes = f"{least:,} to {most:,} training queries"
        return f"`{config}` does not pass `{row}` within the sizes tried, {sizes}{spread}"
    if even.at == ALWAYS:
        return f"`{config}` is above `{row}` from the smallest size tried on, {least:,} training queries{spread}"
    return f"`{config}` passes `{row}` at about {even.at:,.0f} training queries{spread}"


def _size(at: float, least: int, most: int) -> str:
    if at == ALWAYS:
        return f"fewer than {least:,}"
    return f"more than {most:,}" if at == NEVER else f"{at:,.0f}"
