"""A sweep for other programs."""

from __future__ import annotations

import csv

from harness.report.sweep_data import as_csv
from harness.sweep.result import SweepResult


def test_csv_has_a_line_for_each_row_and_seed_and_the_chosen_on_test(found: SweepResult) -> None:
    lines = list(csv.DictReader(as_csv(found).splitlines()))
    assert len(lines) == (4 + 3) * 2 + 2
    assert {line["split"] for line in lines} == {"dev", "test"}
    assert [line["row"] for line in lines if line["chosen"] == "True"] == ["a"] * 4
    first = lines[0]
    assert float(first["low"]) < float(first["value"]) < float(first["high"])
