"""A sweep as tables: its rows on dev, best first, and what it will take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.compare.verdict import ends, signed
from harness.report import formats
from harness.report.sheet import Field, Sheet
from harness.report.sheet_fields import interval_fields
from harness.sweep.estimate import Planned
from harness.sweep.result import SweepResult
from harness.sweep.trial import Trial

MOST = 20
"""Rows of a sweep that a terminal shows, besides the baselines."""


def sweep_sheet(sweep: SweepResult, most: int | None = MOST) -> Sheet:
    """The rows of a sweep on dev, best first, the chosen one marked, and the baselines.

    Args:
        sweep: its result.
        most: rows besides the baselines; None shows all.
    """
    rows = [*sweep.tried[:most], *sweep.baselines]
    first = next((row for row in sweep.baselines if row.ok), None)
    names = [sweep.names(row.row) for row in rows]
    labels = [f"{name} (baseline)" if row in sweep.baselines else name for row, name in zip(rows, names, strict=True)]
    gaps = [None if first is None or row is first or not row.ok else row.against(first) for row in rows]
    fields = [
        Field("name", "row", names, labels, right=False),
        Field.hidden("row", [row.row for row in rows]),
        Field.hidden("baseline", [row in sweep.baselines for row in rows]),
        Field.of("training_queries", "training queries", [row.size for row in rows], "{:,}".format, 3),
        Field.of(sweep.measure, sweep.measure, [row.mean if row.ok else None for row in rows], formats.score),
        *interval_fields([row.interval if row.ok else None for row in rows], 2),
        Field.label("from the chosen", [_mark(sweep, row) for row in rows], right=True),
        Field.of("seconds", "seconds a seed", [row.seconds if row.ok else None for row in rows], "{:.0f}".format, 5),
        Field.hidden("chosen", [row is sweep.chosen for row in rows]),
        Field.hidden("problem", [row.problem for row in rows]),
    ]
    if first is not None:
        texts = ["–" if gap is None else f"{signed(gap[0])} {ends(gap[1], 3)}" for gap in gaps]
        heading = f"from {sweep.names(first.row)}"
        fields.append(Field.label(heading, [text.replace("-", "−") for text in texts], 4, right=True))
        fields.append(Field.hidden("from_first_baseline", [gap and gap[0] for gap in gaps]))
    count = len(sweep.tried)
    more = "" if most is None or count <= most else f", the best {most}"
    marks = ["bold green" if row is sweep.chosen else "" for row in rows]
    unclear = [row.row for row in rows if row.row in sweep.names.unclear]
    legend = [(sweep.names(row), row) for row in dict.fromkeys(unclear)]
    groups = [len(rows) - len(sweep.baselines)] if sweep.baselines else []
    facts = f"dev, {count:,} {'row' if count == 1 else 'rows'}{more}"
    return Sheet(sweep.dataset, fields, facts, marks=marks, groups=groups, legend=legend)


def _mark(sweep: SweepResult, row: Trial) -> str:
    if not row.ok:
        return "skipped" if row.skipped else "failed"
    if row is sweep.chosen or sweep.chosen is None:
        return "chosen" if row is sweep.chosen else "–"
    return signed(row.mean - sweep.chosen.mean).replace("-", "−")


def planned_sheets(
    plans: Mapping[str, Sequence[Planned]], dollars: Callable[[float], float | None]
) -> tuple[list[Sheet], str]:
    """What a sweep will take: a table for each dataset with a line for each part of the sweep, and a sentence.

    Args:
        plans: dataset as requested → its parts.
        dollars: what a number of seconds costs.
    """
    sheets = [_planned(dataset, parts, dollars) for dataset, parts in plans.items()]
    parts = [part for each in plans.values() for part in each]
    known = [part.left for part in parts if part.left is not None]
    cells, kept = sum(part.cells for part in parts), sum(part.kept for part in parts)
    rest = "an unknown time" if not known else time_left(sum(known), dollars)
    more = " and more" if known and len(known) < len(parts) else ""
    return sheets, f"{cells - kept:,} of {cells:,} cells are left, which take {rest}{more}."


def _planned(dataset: str, parts: Sequence[Planned], dollars: Callable[[float], float | None]) -> Sheet:
    labels = [part.label for part in parts]
    fields = [
        Field("part", "part", labels, labels, right=False),
        Field.of("rows", "rows", [part.rows for part in parts], "{:,}".format, 3),
        Field.of("cells", "cells", [part.cells for part in parts], "{:,}".format, 1),
        Field.of("done", "done", [part.kept for part in parts], "{:,}".format, 1),
        Field.of("seconds_a_cell", "seconds a cell", [part.seconds for part in parts], "{:.0f}".format, 2),
        Field.of("seconds_left", "left", [part.left for part in parts], lambda left: time_left(left, dollars)),
        Field.words("by", [part.source for part in parts], 4, key="by"),
    ]
    return Sheet(dataset, fields)


def time_left(seconds: float, dollars: Callable[[float], float | None]) -> str:
    """A duration, with what it costs if that is known."""
    time = f"{seconds:.0f} s"
    if seconds >= 5400:
        time = f"{seconds / 3600:.1f} h"
    elif seconds >= 90:
        time = f"{seconds / 60:.0f} min"
    money = dollars(seconds)
    return time if money is None else f"{time}, {money:.2f} dollars"
