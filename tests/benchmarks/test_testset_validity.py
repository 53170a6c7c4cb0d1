"""The arithmetic of the benchmark on made test sets."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from harness.rows import parse_method
from harness.statistics.family import family


@pytest.fixture
def validity(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import testset_validity

    return testset_validity


def test_tau_ap_weighs_the_top(validity: ModuleType) -> None:
    real = [5.0, 4.0, 3.0, 2.0, 1.0]
    assert validity.tau_ap(real, real) == 1
    assert validity.tau_ap(real[::-1], real) == -1
    top, bottom = [4.0, 5.0, 3.0, 2.0, 1.0], [5.0, 4.0, 3.0, 1.0, 2.0]
    assert validity.tau_ap(top, real) < validity.tau_ap(bottom, real) < 1
    # by hand: made order is rows 1, 0, 2, 3, 4; C(i)/(i − 1) = 0, 1, 1, 1
    assert validity.tau_ap(top, real) == pytest.approx(2 / 4 * 3 - 1)


def test_wrong_signs_and_the_top_group_are_counted(validity: ModuleType) -> None:
    rng = np.random.default_rng(0)
    base = rng.random((60, 1))
    values = base + np.array([0.3, 0.0, -0.3]) + 0.05 * rng.standard_normal((60, 3))
    better = family([values]).better()
    made, real = values.mean(0).tolist(), [0.2, 0.5, 0.1]
    comparison = type("Stub", (), {"better": better})()
    found = validity.agreement(made, real, comparison, ["a", "a", "b"])
    assert (found.significant, found.wrong, found.best_in_top) == (3, 1, False)
    assert found.tau == pytest.approx(1 / 3)
    assert found.shifts == {"a": 0.0, "b": 0.0}


def test_twelve_different_rows(validity: ModuleType) -> None:
    rows = {parse_method(row) for family_rows in validity.FAMILIES.values() for row in family_rows}
    assert len(rows) == 12
