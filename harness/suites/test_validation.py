"""The validation gate: with `--baseline`, each row must be better than each baseline, or equivalent to it."""

from __future__ import annotations

import pytest

from harness.base.errors import HarnessError
from harness.bench.runner import Bench
from harness.compare.validate import validate
from harness.rows import parse_method
from harness.suites.options import Suites
from harness.suites.selection import Cell
from harness.suites.summary import Reporter


def test_validation(cell: Cell, bench: Bench, options: Suites, reporter: Reporter) -> None:
    """A row that is worse fails, and so does one that is tied, with the number of queries that a test would need.

    Intervals and p-values are corrected for the baselines of a row, not for the rows.
    """
    others = [baseline for baseline in options.baselines if parse_method(baseline) != cell.method]
    if not others:
        pytest.skip("this row is the baseline")
    try:
        record = bench.run(cell.dataset, cell.method).record
        if record.status == "skipped":
            pytest.skip(f"{record.row}: {(record.problem or {}).get('reason')}")
        verdicts = validate(
            cell.method,
            others,
            cell.dataset,
            str(bench.measures[0]),
            options.seeds,
            options.margin,
            options.results,
            bench.context,
        )
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    for verdict in verdicts:
        reporter.verdict(verdict)
    failed = [v for v in verdicts if v.finding in ("worse", "cannot tell")]
    if failed:
        pytest.fail("\n".join(" ".join(v.sentences) for v in failed), pytrace=False)
