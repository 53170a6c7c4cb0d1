"""Tables of a collection that machines judged: a note, and the corrected means where people judged some queries."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from harness.compare.calibration import weighed_together
from harness.compare.evidence import Scores
from harness.report.board import Line, Table


def recalibrated(table: Table, scored: Mapping[Line, Scores]) -> tuple[Table, dict[Line, Scores]]:
    """The table with a note on its labels; corrected means replace those of its first measure, best first.

    Args:
        table: without comparisons.
        scored: the scores of its rows by its first measure.
    """
    rows = weighed_together(list(scored.values()))
    found = dict(zip(scored, rows, strict=True))
    first = next(row.calibration for row in rows if row.calibration is not None)
    notes = [f"{rows[0].measure}: {first.sentence}"]
    favoured = [f"`{row.row}`" for row in rows if row.calibration and row.calibration.favoured]
    if favoured and not first.corrected:
        notes.append(f"The judge shares a model with {', '.join(favoured)}: their scores may be too high.")
    if all(row.calibration and row.calibration.corrected for row in rows):
        found = {_with_mean(line, row): row for line, row in found.items()}
        found = dict(sorted(found.items(), key=lambda item: (-item[1].mean, item[0].row)))
    others = [line for line in table.lines if line not in scored]
    return dataclasses.replace(table, lines=(*found, *others), more_notes=(*table.more_notes, *notes)), found


def _with_mean(line: Line, row: Scores) -> Line:
    measures = {row.measure: round(row.mean, 6)}
    records = (dataclasses.replace(record, measures={**record.measures, **measures}) for record in line.records)
    return dataclasses.replace(line, records=tuple(records))
