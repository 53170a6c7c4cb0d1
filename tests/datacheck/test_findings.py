from __future__ import annotations

from harness.datacheck.findings import EXAMPLES, Findings, Report


def test_one_kind_is_one_finding_and_errors_come_first() -> None:
    found = Findings()
    found.add("note", "small", "of no matter")
    for n in range(EXAMPLES + 2):
        found.add("warning", "odd", "looks odd", f"line {n}")
    found.add("error", "bad", "is bad", count=3)
    closed = found.closed()
    assert [(f.level, f.code, f.count) for f in closed] == [
        ("error", "bad", 3),
        ("warning", "odd", EXAMPLES + 2),
        ("note", "small", 1),
    ]
    assert closed[1].examples == tuple(f"line {n}" for n in range(EXAMPLES))


def test_plain_text() -> None:
    found = Findings()
    for n in range(EXAMPLES + 2):
        found.add("warning", "odd", "looks odd.", f"line {n}")
    report = Report("beir/x", found.closed(), {"documents": 12345, "mean": 1.5})
    assert report.usable
    assert str(report).splitlines()[:5] == [
        "beir/x: usable",
        "  documents        12,345",
        "  mean               1.50",
        f"warning: odd ({EXAMPLES + 2}): looks odd.",
        "    line 0",
    ]
    assert str(report).endswith("    … and 2 more")


def test_an_error_makes_it_unusable() -> None:
    found = Findings()
    found.add("error", "bad", "is bad")
    assert not Report("x", found.closed(), {}).usable
