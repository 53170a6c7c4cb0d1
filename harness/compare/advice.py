"""A decision in plain words."""

from __future__ import annotations

from harness.base.counts import all_of, counted, sentence, some_of
from harness.compare.control import is_control
from harness.compare.decision import Cost, Decision, Option, Upgrade
from harness.compare.documents import FEWEST_QUERIES
from harness.compare.judge_errors import favours
from harness.compare.ties import best_sentence, family_sentence
from harness.compare.verdict import signed, spread
from harness.statistics.family import Difference


def sentences(decision: Decision) -> list[str]:
    """The decision in plain words, the verdict first."""
    scores = decision.best.scores
    if scores.mean == 0:
        return ["Every score is 0: check with `harness data check` that relevant documents are in the corpus."]
    lines = [best_sentence(decision.comparison, scores.measure, scores.mean), *in_short(decision)]
    for of, upgrades in decision.upgrades.items():
        lines += [_upgrade(upgrade, of) for upgrade in upgrades]
    if busy := [option for option in decision.options if option.busy]:
        names = ", ".join(f"`{option.row}`" for option in busy)
        example = "" if len(busy) == 1 else f" for `{busy[0].row}`"
        lines.append(
            f"Without a reliable latency, because the machine was busy: {names} ({busy[0].busy}{example}). Measure "
            "again with --rerun on an idle machine."
        )
    unknown = [f"`{o.row}`" for o in decision.options if o.latency is None and o.busy is None]
    if unknown:
        lines.append(f"Without a latency, and therefore left out of comparisons of cost: {', '.join(unknown)}.")
    if family := family_sentence(decision.comparison):
        lines.append(family)
    return lines


def in_short(decision: Decision) -> list[str]:
    """What a reader of the verdict must know next: a best row that learns nothing, the best row on new documents, a
    cheaper one, who judged.
    """
    return [*_control(decision), *on_new_documents(decision), *_near(decision), *calibration(decision)]


def _control(decision: Decision) -> list[str]:
    """What to think of a control that has the highest mean; empty if another row has it."""
    if not is_control(decision.best.scores.records[0].method):
        return []
    other = next((o for o in decision.options if not is_control(o.scores.records[0].method)), None)
    best = f"; of the other rows `{other.row}` has the highest mean, {other.scores.mean:.4f}" if other else ""
    return [
        f"`{decision.best.row}` is a control: it learns nothing and looks up which documents answered similar training "
        f"queries, which does not help on new documents{best}."
    ]


def calibration(decision: Decision) -> list[str]:
    """Whether the scores rest on machine labels, and which rows the judge favours; empty if only people judged."""
    found = [(option.row, own) for option in decision.options if (own := option.scores.calibration) is not None]
    if not found:
        return []
    first = found[0][1]
    lines = [first.sentence]
    if first.corrected:
        return lines
    favoured = {row: own.favoured for row, own in found if own.favoured}
    if favoured:
        judges = ", ".join(sorted({judge for own in favoured.values() for judge in own}))
        rows = ", ".join(f"`{row}`" for row in favoured)
        lines.append(f"The judge ({judges}) shares a model with {rows}: their scores may be too high.")
    return [*lines, favours(first.judges)]


def difference(option: Option) -> str:
    """A row's difference from the best with its simultaneous interval, as shown; a dash for the best."""
    return "–" if option.behind is None else with_interval(option.behind)


def with_interval(difference: Difference) -> str:
    """A difference with its interval, without it if there are too few queries."""
    return f"{signed(difference.mean)}{spread(difference.interval)}"


def on_new_documents(decision: Decision) -> list[str]:
    """Which row is best on queries about new documents, and how the best row of all queries does there.

    Empty if no row used labels or no query asks about old documents.
    """
    if not decision.parts:
        return []
    new = next((part for part in decision.parts if part.part == "new"), None)
    every = len(decision.best.scores.ids)
    if new is None:
        asked = sentence(all_of(every, "the only query asks", "queries ask"))
        return [f"{asked} about old documents, so nothing here shows a score on new ones."]
    first = new.rows[0]
    n = counted(new.queries, "query", "queries")
    on_them = f"On new documents ({n} of {every:,})"
    interval = new.comparison.intervals[0]
    mean = f"{first.measure} {first.mean:.4f}"
    if new.queries >= FEWEST_QUERIES:
        mean += f" [{interval.low:.3f}, {interval.high:.3f}]"
    behind = new.behind(0)
    if behind is None:
        tied = sum(difference.tied for difference in new.comparison.behind[1:])
        others = some_of(tied, len(new.rows) - 1, "other row", "tied with it")
        return [f"{on_them} it is the best too, {mean}; {others}."]
    against = "tied with it" if behind.tied else "significantly worse"
    return [
        f"{on_them} the best is `{first.row}`, {mean}; `{decision.best.row}` has {new.mean(0):.4f} there "
        f"({with_interval(behind)}), {against}."
    ]


def _near(decision: Decision) -> list[str]:
    """The cheapest rows within the margin, those that are the same by both costs in one sentence."""
    cheapest: dict[str, tuple[Option, list[Cost]]] = {}
    for of, option in decision.cheapest.items():
        cheapest.setdefault(option.row, (option, []))[1].append(of)
    within = f"within {decision.margin:g} of the best"
    lines = []
    for option, kinds in cheapest.values():
        how = " and ".join(_amount(option, of) for of in kinds)
        if option is not decision.best:
            ruled_out = "is ruled out" if decision.loses_no_more(option) else "is not ruled out"
            lines.append(
                f"Cheapest {within}: `{option.row}` ({difference(option)}), which takes {how}; a larger loss "
                f"{ruled_out} by these queries."
            )
        elif len(decision.options) == 1:
            lines.append(f"It takes {how}.")
        else:
            lines.append(f"No cheaper row is {within}: it takes {how}.")
    return lines


def _amount(option: Option, of: Cost) -> str:
    """A cost in words."""
    value = option.cost(of) or 0.0
    if of == "latency":
        return f"{value * 1000:.1f} ms a query"
    return f"{_gib(value)} of index and model"


def _gib(value: float) -> str:
    return f"{value:.2f} GiB" if value >= 1 else f"{value * 1024:.1f} MiB"


def _upgrade(upgrade: Upgrade, of: Cost) -> str:
    more, unit = f"{_gib(upgrade.more)} more of index and model", "GiB"
    if of == "latency":
        more, unit = f"{upgrade.more * 1000:.1f} ms more a query", "second"
    gain = with_interval(upgrade.gain)
    if upgrade.more > 0:
        gain += f", {upgrade.gain.mean / upgrade.more:.2g} per {unit}"
    if upgrade.gain.tied:
        gain += ", not significant: the two are tied"
    return f"`{upgrade.before.row}` → `{upgrade.after.row}`: {more} for {gain}."
