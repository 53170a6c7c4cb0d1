"""Comparison with published scores, on every BEIR dataset on this machine for which others published them.

The expected scores are data, in `published/*.json`, each file with its source. A verdict is OK within the tolerance,
`off` within ten times it (shown, and passed: other library versions move the last digits), FAIL beyond.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import api
from harness.base.errors import HarnessError
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.runtime.context import Context
from harness.suites.selection import PublishedCell
from harness.suites.summary import Reporter

OFF = 10


def test_published(published_cell: PublishedCell, context: Context, tmp_path: Path, reporter: Reporter) -> None:
    """The row's scores are the published ones, within the tolerance."""
    method = api.methods_of([published_cell.row], "fp32")[0]  # what others published was computed in fp32
    bench = Bench([method], [published_cell.dataset], context, Store(tmp_path), list(published_cell.scores), depth=1000)
    try:
        record = bench.run(published_cell.dataset, method).record
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    if record.status != "ok":
        pytest.fail(f"{record.status}: {(record.problem or {}).get('reason')}", pytrace=False)
    failed = []
    for measure, published in published_cell.scores.items():
        difference = record.measures[measure] - published
        verdict = _verdict(abs(difference), published_cell.tolerance)
        reporter.published(published_cell, measure, record.measures[measure], verdict)
        if verdict == "FAIL":
            failed.append(
                f"{measure}: {record.measures[measure]:.5f} here, {published} published by {published_cell.source}"
            )
    assert not failed, "; ".join(failed)


def _verdict(difference: float, tolerance: float) -> str:
    rounded = round(difference, 6)  # 0.0005 apart must not fail by the last bit of a binary fraction
    if rounded <= tolerance:
        return "OK"
    return "off" if rounded <= OFF * tolerance else "FAIL"
