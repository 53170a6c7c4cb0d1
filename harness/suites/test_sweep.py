"""Sweeps as tests: `pytest suites/test_sweep.py --sweep sweep.toml` does what `harness sweep` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.api import sweep
from harness.base.errors import HarnessError, NoScores, Unavailable
from harness.runtime.context import Context
from harness.suites.options import Suites
from harness.suites.summary import Reporter


def test_sweep(sweep_file: Path, context: Context, options: Suites, reporter: Reporter) -> None:
    """Every row has scores or is skipped by name, and the row chosen on dev is not worse on test than a baseline."""
    try:
        sweeps = sweep(sweep_file, options.executor, options.results, context)
    except Unavailable as error:
        pytest.skip(str(error))
    except NoScores as error:
        if error.skipped:
            pytest.skip(str(error))
        pytest.fail(str(error), pytrace=False)
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    for swept in sweeps:
        reporter.sweep(swept)
    failed, worse = [], []
    for swept in sweeps:
        result = swept.found
        failed += [f"{trial.row}: {trial.problem}" for trial in result.tried if trial.problem and not trial.skipped]
        failed += [result.problem] if result.problem is not None else []
        verdicts = result.tested.verdicts if result.tested is not None else ()
        worse += [verdict.sentences[0] for verdict in verdicts if verdict.finding == "worse"]
    assert not failed
    assert not worse
