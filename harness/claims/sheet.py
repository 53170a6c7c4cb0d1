"""The verdicts on all claims as a table."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims.assess import Assessment
from harness.claims.document import counts, verdict_of
from harness.report import formats
from harness.report.sheet import Field, Sheet
from harness.report.sheet_formats import Shown

STYLES = {"reproduced": "green", "opposite": "red", "too small to tell": "", "not run": "dim"}

HOW = "The commands that make missing records are in --format json or csv, and on the page that --out writes."


def shown(found: Sequence[Assessment], measure: str) -> Shown:
    """How many claims have which verdict, and a row for each claim.

    Args:
        found: what the records say of each.
        measure: of the differences.
    """
    names = [each.claim.id for each in found]
    pooled = [each.pooled for each in found]
    done, of = [len(each.estimates) for each in found], [len(each.claim.collections) for each in found]
    fields = [
        Field("claim", "claim", names, names, right=False),
        Field.words("verdict", [verdict_of(each) for each in found]),
        Field.hidden("verdict", [each.verdict for each in found]),
        Field.label(f"{measure}, 95 %", [formats.difference(each) for each in pooled], 1),
        Field.hidden("difference", [None if each is None else each.mean for each in pooled]),
        Field.hidden("difference_low", [None if each is None else each.interval.low for each in pooled]),
        Field.hidden("difference_high", [None if each is None else each.interval.high for each in pooled]),
        Field.label("collections", [f"{n} of {all}" for n, all in zip(done, of, strict=True)], 3, right=True),
        Field.hidden("collections", done),
        Field.hidden("collections_wanted", of),
        Field.of("queries", "queries", [each.queries for each in found], "{:,}".format, 4),
        Field.hidden("part", [each.claim.part for each in found]),
        Field.words("says", [each.claim.says for each in found], 5, key="says"),
        Field.hidden("paper", [each.claim.paper for each in found]),
        Field.hidden("contrast", [each.claim.contrast for each in found]),
        Field.hidden("command", [each.command for each in found]),
    ]
    notes = [HOW] if any(each.command for each in found) else []
    marks = [STYLES[each.verdict] for each in found]
    return Shown([Sheet("", fields, marks=marks, notes=notes, key="claims")], [counts(found)], {"measure": measure})
