"""Held against published figures: every BEIR dataset on disk for which a row's figures were published by others.

The expected scores are data, in `published/*.json`, each file with its source. A verdict is OK within the tolerance,
`off` within ten times it (shown, and passed: other library versions move the last digits), FAIL beyond.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from harness import api
from harness.base.errors import HarnessError
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.runtime.context import Context

OFF = 10


class Expected(Protocol):
    """Published figures of one row on one dataset; made by `conftest.py`."""

    source: str
    row: str
    tolerance: float
    dataset: str
    figures: dict[str, float]


def test_published(expected: Expected, context: Context, tmp_path: Path, held_against: Callable[..., None]) -> None:
    """The row's figures are the published ones, within the tolerance."""
    method = api.methods_of([expected.row])[0]
    bench = Bench([method], [expected.dataset], context, Store(tmp_path), list(expected.figures), depth=1000)
    try:
        record = bench.run(expected.dataset, method).record
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    if record.status != "ok":
        pytest.fail(f"{record.status}: {(record.problem or {}).get('reason')}", pytrace=False)
    failed = []
    for measure, published in expected.figures.items():
        difference = record.measures[measure] - published
        verdict = _verdict(abs(difference), expected.tolerance)
        held_against(expected, measure, published, record.measures[measure], verdict)
        if verdict == "FAIL":
            failed.append(f"{measure}: {record.measures[measure]:.5f} here, {published} published by {expected.source}")
    assert not failed, "; ".join(failed)


def _verdict(difference: float, tolerance: float) -> str:
    rounded = round(difference, 6)  # 0.0005 apart must not fail by the last bit of a binary fraction
    return "OK" if rounded <= tolerance else "off" if rounded <= OFF * tolerance else "FAIL"
