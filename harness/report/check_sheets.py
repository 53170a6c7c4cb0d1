"""What a check of a collection found, as tables: findings with examples, and counts."""

from __future__ import annotations

from collections import Counter

from harness.datacheck.findings import LEVELS, Report
from harness.report.sheet import Field, Sheet
from harness.report.sheet_formats import Shown

STYLES = {"error": "red", "warning": "yellow", "note": ""}


def shown(report: Report, more: str = "") -> Shown:
    """The verdict on a collection, its findings, the worst first, and what was counted.

    Args:
        report: of the check.
        more: what else is known, a sentence a line.
    """
    levels = Counter(finding.level for finding in report.findings)
    found = [f"{levels[level]} {level}{'' if levels[level] == 1 else 's'}" for level in LEVELS if levels[level]]
    verdict = f"{report.name}: {'usable' if report.usable else 'not usable'}"
    sentence = f"{verdict}, {', '.join(found)}." if found else f"{verdict}, nothing found."
    sheets = [_findings(report)] if report.findings else []
    return Shown([*sheets, _counts(report)], [sentence, *more.splitlines()], {"usable": report.usable})


def _findings(report: Report) -> Sheet:
    found = report.findings
    examples = ["; ".join(finding.examples) for finding in found]
    more = [max(0, finding.count - len(finding.examples)) if finding.examples else 0 for finding in found]
    shown = [f"{text}; {count:,} more" if count else text for text, count in zip(examples, more, strict=True)]
    texts = [
        f"{finding.message} Examples: {example}" if example else finding.message
        for finding, example in zip(found, shown, strict=True)
    ]
    codes = [finding.code for finding in found]
    fields = [
        Field("finding", "finding", codes, codes, right=False),
        Field("level", "level", [f.level for f in found], [f.level for f in found], right=False),
        Field.of("count", "count", [finding.count for finding in found], "{:,}".format),
        Field.words("what it means", texts),
        Field.hidden("message", [finding.message for finding in found]),
        Field.hidden("examples", examples),
    ]
    return Sheet("findings", fields, marks=[STYLES[finding.level] for finding in found], key="findings")


def _counts(report: Report) -> Sheet:
    names, values = list(report.counts), list(report.counts.values())
    texts = [f"{value:,}" if isinstance(value, int) else f"{value:,.2f}" for value in values]
    fields = [Field("finding", "", names, names, right=False), Field("count", "", values, texts)]
    return Sheet("counts", fields, key="counts")
