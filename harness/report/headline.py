"""What a board says first: the best row in one sentence, for a dataset and across datasets, and what limits it."""

from __future__ import annotations

from collections import Counter

from harness.base.counts import counted, some_of
from harness.compare.control import CONTROL, AgainstControl
from harness.compare.ties import best_sentence
from harness.report.across import Across
from harness.report.board import Table

HOW = {"better": "significantly better than", "tied": "tied with", "worse": "significantly worse than"}


def verdict(table: Table) -> str:
    """The best row and those tied with it; empty without a comparison."""
    line = next((line for line in table.lines if line.position is not None), None)
    if table.comparison is None or line is None or len(table.comparison.rows) < 2:
        return ""
    return best_sentence(table.comparison, table.measures[0], line.value(table.measures[0]) or 0.0)


def across_verdict(over: Across) -> str:
    """The best row across datasets and those tied with it; empty without a comparison."""
    first = next((row for row in over.rows if row.overall), None)
    if over.comparison is None or first is None or len(over.comparison.rows) < 2:
        return ""
    sentence = best_sentence(over.comparison, f"mean {over.measure}", first.mean or 0.0)
    return f"Across {len(over.datasets)} datasets, {sentence[0].lower()}{sentence[1:]}"


def caveats(table: Table) -> list[str]:
    """What limits the verdict: new documents, cost, who judged, the control, what the queries can detect."""
    lines = [*table.caveats]
    if table.lacks_control:
        lines.append(f"No row `{CONTROL}` was run: whether training beats looking up the judged documents is open.")
    elif table.against_control:
        lines.append(_control(list(table.against_control.values())))
    if table.power:
        lines.append(f"{table.power}.")
    return lines


def across_caveats(over: Across) -> list[str]:
    """How many datasets the verdict is about, which rows it leaves out, and the notes on its evidence."""
    partial = sum(row.mean is None for row in over.rows)
    if not partial:
        return [*over.notes]
    rows = counted(partial, "row lacks", "rows lack")
    return [f"{rows} a score on some dataset and {'has' if partial == 1 else 'have'} no mean.", *over.notes]


def _control(compared: list[AgainstControl]) -> str:
    """How many trained rows beat the control, on new documents if there are queries about them."""
    new = Counter(each.new for each in compared if each.new is not None)
    on, found = ("On queries about new documents", new) if new else ("On all queries", _on_all(compared))
    if found.total() == 1 and (only := HOW.get(next(iter(found)) or "")):
        return f"{on}, the trained row is {only} the control, which only looks up judged documents."
    better = some_of(found["better"], found.total(), "trained row", "significantly better than the control")
    return (
        f"{on}, {better}, which only looks up judged documents; {found['tied']} tied, {found['worse']} significantly "
        "worse."
    )


def _on_all(compared: list[AgainstControl]) -> Counter[str | None]:
    return Counter(each.every or each.old for each in compared)
