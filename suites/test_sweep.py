"""Sweeps as tests: `pytest suites/test_sweep.py --sweep sweep.toml` does what `harness sweep` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import HarnessError, NoFigures, Unavailable
from harness.runtime.context import Context
from harness.sweep.run import sweep
from suites.options import Suites
from suites.summary import Reporter


def test_sweep(sweep_file: Path, context: Context, options: Suites, reporter: Reporter) -> None:
    """Every row has scores or is skipped by name, and the row chosen on dev is not worse on test than a baseline."""
    try:
        sweeps = sweep(sweep_file, options.executor, options.results, context)
    except Unavailable as error:
        pytest.skip(str(error))
    except NoFigures as error:
        if error.skipped:
            pytest.skip(str(error))
        pytest.fail(str(error), pytrace=False)
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    for swept in sweeps:
        reporter.sweep(swept)
    failed = [
        f"{one.row}: {one.problem}" for swept in sweeps for one in swept.found.tried if one.problem and not one.skipped
    ]
    failed += [swept.found.problem for swept in sweeps if swept.found.problem is not None]
    assert not failed
    verdicts = [
        verdict for swept in sweeps if swept.found.tested is not None for verdict in swept.found.tested.verdicts
    ]
    assert not [verdict.sentences[0] for verdict in verdicts if verdict.finding == "worse"]
