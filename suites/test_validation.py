"""The validation gate: with `--baseline`, each row must be better than each baseline, or equivalent to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from harness.base.errors import HarnessError
from harness.bench.runner import Bench
from harness.compare.validate import validate
from harness.compare.verdict import Verdict
from harness.methods import Method
from harness.rows import parse_method


class Cell(Protocol):
    """A row on a dataset; made by `conftest.py`."""

    dataset: str
    method: Method


def test_validation(
    cell: Cell, bench: Bench, request: pytest.FixtureRequest, judged: Callable[[Verdict], None], results: Path
) -> None:
    """Worse fails, and so does a row that is tied, with the number of queries that would tell the two apart.

    Intervals and p-values are corrected for the baselines of a row, not for the rows.
    """
    options = request.config.option
    others = [baseline for baseline in options.baseline if parse_method(baseline) != cell.method]
    if not others:
        pytest.skip("it is the baseline")
    try:
        record = bench.run(cell.dataset, cell.method).record
        if record.status == "skipped":
            pytest.skip(f"{record.row}: {(record.problem or {}).get('reason')}")
        found = validate(
            cell.method,
            others,
            cell.dataset,
            str(bench.measures[0]),
            options.seeds,
            options.margin,
            results,
            bench.context,
        )
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    for verdict in found:
        judged(verdict)
    failed = [v for v in found if v.finding in ("worse", "cannot tell")]
    if failed:
        pytest.fail("\n".join(" ".join(v.sentences) for v in failed), pytrace=False)
