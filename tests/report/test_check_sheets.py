"""A check of a collection as tables."""

from harness.datacheck.findings import Finding, Report
from harness.report.check_sheets import shown

REPORT = Report(
    "./mine",
    (
        Finding("error", "missing-file", 1, "there is no corpus.", ("corpus.jsonl",)),
        Finding("warning", "duplicate-text", 7, "documents are alike.", ("line 1", "line 2")),
        Finding("note", "trimmed-ids", 2, "white space.", ()),
    ),
    {"documents": 1234, "mean words": 2.5},
)


def test_the_verdict_counts_findings_and_the_worst_are_first() -> None:
    what = shown(REPORT)
    assert what.sentences == ["./mine: not usable, 1 error, 1 warning, 1 note."]
    assert what.facts == {"usable": False}
    findings, counts = what.sheets
    assert list(findings.fields[0].values) == ["missing-file", "duplicate-text", "trimmed-ids"]
    words = findings.visible[-1].texts
    assert words[1] == "documents are alike. Examples: line 1; line 2; 5 more"
    assert words[2] == "white space."
    assert list(counts.fields[1].texts) == ["1,234", "2.50"]


def test_a_collection_without_findings() -> None:
    what = shown(Report("./mine", (), {"documents": 3}))
    assert what.sentences == ["./mine: usable, nothing found."]
    assert len(what.sheets) == 1
