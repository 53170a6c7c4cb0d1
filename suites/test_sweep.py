"""Sweeps as tests: `pytest suites/test_sweep.py --sweep sweep.toml` does what `harness sweep` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.api import sweep
from harness.base.errors import HarnessError, NoFigures, Unavailable
from harness.runtime.context import Context
from harness.sweep.run import FinishedSweep


def test_sweep(
    sweep_file: Path,
    context: Context,
    results: Path,
    tell_swept: Callable[[FinishedSweep], None],
    request: pytest.FixtureRequest,
) -> None:
    """Every row gives figures or is skipped by name, and what dev chose is not worse on test than the baselines."""
    try:
        found = sweep(sweep_file, request.config.getoption("--executor"), results, context)
    except Unavailable as error:
        pytest.skip(str(error))
    except NoFigures as error:
        if error.skipped:
            pytest.skip(str(error))
        pytest.fail(str(error), pytrace=False)
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    for swept in found:
        tell_swept(swept)
    failed = [
        f"{one.row}: {one.problem}" for swept in found for one in swept.found.tried if one.problem and not one.skipped
    ]
    failed += [swept.found.problem for swept in found if swept.found.problem is not None]
    assert not failed
    verdicts = [verdict for swept in found if swept.found.tested is not None for verdict in swept.found.tested.verdicts]
    assert not [verdict.sentences[0] for verdict in verdicts if verdict.finding == "worse"]
