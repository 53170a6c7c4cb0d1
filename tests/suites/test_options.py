"""The options of the suites as values."""

from __future__ import annotations

from pathlib import Path

from harness.indexes.exact import Exact
from harness.suites.options import Suites


def test_indexes_are_those_named_or_all_with_exact_first() -> None:
    assert Suites(index=["exact", "exact"]).indexes == [Exact()]
    every = Suites(index=["all"]).indexes
    assert every[0] == Exact()
    assert len(every) > 5
    assert Suites().indexes == every


def test_a_sweep_runs_without_benchmark() -> None:
    assert not Suites().active
    assert Suites(sweep=[Path("a.toml")]).active
    assert Suites(benchmark=True).active
