"""The arithmetic of the benchmark on made test sets."""

import json
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
    made, real = values.mean(0).tolist(), [0.2, 0.5, 0.1]
    found = validity.agreement(made, real, family([values]), ["a", "a", "b"])
    assert (found.significant, found.wrong, found.best_in_top) == (3, 1, False)
    assert found.tau == pytest.approx(1 / 3)
    assert found.shifts == {"a": 0.0, "b": 0.0}


def test_the_width_of_a_collection_does_not_use_its_own_judgements(validity: ModuleType) -> None:
    wrong = {name: {"shared": 1.0, "apart": 0.5} for name in "abc"} | {"d": {"shared": 9.0, "apart": 9.0}}
    assert validity.bounds_without("d", wrong, "panel").shared == 1.0
    assert validity.bounds_without("a", wrong, "panel").shared > 9.0


def test_measured_sets_are_kept(validity: ModuleType, tmp_path: Path) -> None:
    """What is written is read again, and the largest wrong difference is by relation to the judge."""
    rng = np.random.default_rng(0)
    relations = ("words", "words", "judge's model")
    real = {measure: rng.random((30, 3)) + np.array([0.0, 1.0, 2.0]) for measure in validity.MEASURES}
    made = {measure: rng.random((30, 3)) + np.array([1.0, 0.0, 5.0]) for measure in validity.MEASURES}
    one = validity.Measured("x", 3, relations, ("title",) * 30, real, dict.fromkeys(validity.LABELS, made))
    one.write(tmp_path / "one.npz")
    again = validity.Measured.read(tmp_path / "one.npz")
    assert (again.dataset, again.seed, again.relations, again.kinds) == ("x", 3, relations, ("title",) * 30)
    assert validity.largest([again], "dense", shared=True) == 0
    assert validity.largest([again], "dense", shared=False) > 2
    both = [validity.largest([again], "panel", shared=shared) for shared in (True, False)]
    assert both == [validity.largest([again], "dense", shared=False)] * 2  # of all pairs
    every = validity.stored({name: [again] for name in "abcd"}, 30)
    figures = validity.figures(every)
    assert set(figures["judges"]) == {"panel", "dense"}
    assert figures["judges"]["panel"]["a"]["wrong"] == 0
    assert figures["judges"]["dense"]["d"]["largest_wrong"] == every["judges"]["dense"]["largest_wrong"]["d"]
    lines = validity.markdown(every).split("\n")
    assert sum("| a | panel | 3 | 30 |" in line for line in lines) == 1  # of the first measure only
    assert any(line.startswith("| **bound** | **") and "| **0.00** |" in line for line in lines)


def test_the_page_has_the_stored_figures(validity: ModuleType) -> None:
    """docs/testset.md is what `python benchmarks/validity_table.py --docs docs/testset.md` writes."""
    import validity_table

    every = json.loads(validity_table.STORED.read_text(encoding="utf-8"))
    page = (Path(__file__).parents[2] / "docs" / "testset.md").read_text(encoding="utf-8")
    assert validity_table.put(validity_table.markdown(every), page) == page
    assert json.loads(validity.FILE.read_text(encoding="utf-8")) == validity.figures(every)
    with pytest.raises(SystemExit, match="no marks"):
        validity_table.put("text", "a page")


def test_different_rows(validity: ModuleType) -> None:
    from validity_sets import relation

    rows = [parse_method(row) for row in validity.ROWS]
    assert len(set(rows)) == len(rows) >= 12
    assert {"words", "other", "judge's model"} == {relation(row) for row in rows}
