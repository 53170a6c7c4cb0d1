"""The board as CSV: one line per dataset, row, seed and measure, with what made it.

Text from data is without control characters, and where a spreadsheet would take it for a formula, as `=HYPERLINK(…)`,
an apostrophe goes before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from harness.base.plain import plain
from harness.bench.published import FOLDER
from harness.report.board import Table

HEAD = (
    "dataset",
    "row",
    "seed",
    "status",
    "measure",
    "value",
    "judged",
    "value_if_unjudged_relevant",
    "supervision",
    "fit_seconds",
    "index_seconds",
    "search_seconds",
    "query_p50_ms",
    "query_p95_ms",
    "query_busy",
    "index_bytes",
    "model_bytes",
    "parameters",
    "depth",
    "dataset_revision",
    "method",
    "identity",
    "commit",
    "dirty",
    "started",
)

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""First characters of what spreadsheets compute."""


def leaderboard(found: Sequence[Table]) -> str:
    """All records, long form, the lines in the order of the tables; published figures have that status and nothing
    else.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for table in found:
        for line in table.lines:
            for r in line.records:
                latency = r.latency or {}
                tail = (
                    r.supervision,
                    *(r.seconds.get(kind, "") for kind in ("fit", "index", "search")),
                    *(latency.get(name, "") for name in ("p50_ms", "p95_ms", "busy")),
                    *(r.size.get(name, "") for name in ("index_bytes", "model_bytes", "parameters")),
                    r.depth,
                    r.dataset["revision"],
                    r.method,
                    r.identity,
                    r.provenance.get("commit") or "",
                    r.provenance.get("dirty"),
                    r.started,
                )
                measured = [(m, f"{r.measures[m]:.6f}") for m in table.measures if m in r.measures] or [("", "")]
                for measure, value in measured:
                    told = r.unjudged.get(measure, {})
                    bound = (told.get("judged", ""), told.get("all_relevant", ""))
                    writer.writerow(
                        map(cell, (table.dataset, line.row, r.seed, r.status, measure, value, *bound, *tail))
                    )
        for each in table.published:
            for measure in table.measures:
                if (figure := each.figures[table.dataset].get(measure)) is not None:
                    head = (table.dataset, each.row, "", FOLDER, measure, f"{figure:.6f}")
                    writer.writerow(map(cell, (*head, *("" for _ in HEAD[len(head) :]))))
    return out.getvalue()


def cell(value: object) -> object:
    """A cell that is what it says in every spreadsheet; numbers stay as they are."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text
