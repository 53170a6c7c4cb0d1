"""A row held against baselines, end to end on the made-up collection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import ComparisonError, SettingError, UnknownName
from harness.bench.runner import Result
from harness.compare import validate as validation
from harness.compare.validate import validate
from harness.recipes import trains
from harness.rows import parse_method
from harness.runtime.context import Context


@pytest.fixture
def place(small_folder: Path, tmp_path: Path, context: Context) -> dict[str, Any]:
    return {"dataset": str(small_folder), "results": tmp_path / "results", "context": context}


def test_each_baseline_has_a_verdict_from_the_values_of_its_queries(place: dict[str, Any]) -> None:
    told: list[Result] = []
    found = validate("bm25", ["bm25(b=0)", "bm25(k1=0)"], **place, tell=told.append)
    assert [v.contrast.baseline.row for v in found] == ["bm25(b=0)", "bm25(k1=0)"]
    assert {v.contrast.row.row for v in found} == {"bm25"}
    assert [r.record.row for r in told] == ["bm25", "bm25(b=0)", "bm25(k1=0)"]
    first = found[0].contrast
    assert first.planned == 2
    assert first.row.mean == pytest.approx(told[0].record.measures["nDCG@10"], abs=1e-6)
    assert len(first.row.ids) == told[0].record.dataset["queries"]


def test_what_was_run_is_not_run_again(place: dict[str, Any]) -> None:
    validate("bm25", ["bm25(b=0)"], **place)
    told: list[Result] = []
    validate("bm25(b=0)", ["bm25"], **place, tell=told.append)
    assert [r.kept for r in told] == [True, True]


def test_a_trained_row_is_run_once_a_seed_and_others_once(place: dict[str, Any], tiny_encoder: Path) -> None:
    row = f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke")'
    told: list[Result] = []
    (found,) = validate(row, ["bm25"], **place, seeds=3, tell=told.append)
    assert sorted(r.record.seed for r in told if r.record.row != "bm25") == [0, 1, 2]
    assert [r.record.seed for r in told if r.record.row == "bm25"] == [0]
    assert found.contrast.row.values.shape[1] == 3
    assert found.contrast.baseline.values.shape[1] == 1
    assert found.contrast.query_part is not None
    assert any("trained with other seeds" in sentence for sentence in found.sentences)


def test_another_measure_may_decide(place: dict[str, Any]) -> None:
    (found,) = validate("bm25", ["bm25(b=0)"], **place, measure="P@3")
    assert found.contrast.row.measure == "P@3"
    assert "P@3" in found.sentences[0]


@pytest.mark.parametrize(
    ("row", "trained"),
    [
        ("bm25", False),
        ("hybrid-convex", False),
        ("dense+supervised", True),
        ("bm25>>ce", True),
        ("hybrid(methods=(bm25, dense+supervised))", True),
    ],
)
def test_which_rows_a_seed_changes(row: str, trained: bool) -> None:
    assert trains(parse_method(row)) == trained


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"baselines": []}, "bm25 needs a baseline other than itself"),
        ({"baselines": ["bm25"]}, "bm25 needs a baseline other than itself"),
        ({"margin": 0.0}, "margin must be above 0"),
        ({"seeds": 0}, "seeds must be 1 or more"),
        ({"measure": "nDCG@10 R@5"}, "one measure decides, not nDCG@10 and R@5"),
        ({"measure": "nDGC"}, "is not a measure"),
    ],
)
def test_bad_input_is_told_before_anything_is_run(
    place: dict[str, Any], monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], told: str
) -> None:
    monkeypatch.setattr(validation, "run_rows", lambda *_, **__: pytest.fail("was run"))
    with pytest.raises(SettingError, match=told):
        validate("bm25", **{"baselines": ["bm25(b=0)"], **place, **changed})


def test_a_row_that_is_not_known_is_told(place: dict[str, Any]) -> None:
    with pytest.raises(UnknownName, match="bm52"):
        validate("bm52", ["bm25"], **place)


def test_a_row_without_figures_is_told_with_the_reason(place: dict[str, Any]) -> None:
    with pytest.raises(
        ComparisonError, match=r'run\(path="nowhere"\) has no scores \(error\): there is no run file nowhere'
    ):
        validate("bm25", ["run/nowhere"], **place)


# The commands


@pytest.fixture
def useless(small_folder: Path, language: Any) -> str:
    """A run that answers each test query with a document that is not relevant."""
    file = small_folder.parent / "useless.trec"
    wrong = {
        q: next(i for i, _, _ in language.documents if i not in grades) for q, grades in language.qrels["test"].items()
    }
    file.write_text("".join(f"{q} Q0 {d} 1 1.0 useless\n" for q, d in wrong.items()))
    return f"run/{file}"


def test_validate_prints_the_verdict_and_its_status_says_it(
    harness_command: Any, small_folder: Path, useless: str
) -> None:
    same = harness_command("validate", "bm25", "-b", "bm25(k1=0.9)", "-b", "bm25(b=0.41)", "-d", small_folder)
    assert "equivalent within 0.01" in same.out or "are tied with" in same.out
    worse = harness_command("validate", useless, "-b", "bm25", "-d", small_folder)
    better = harness_command("validate", "bm25", "-b", useless, "-d", small_folder)
    assert (worse.status, better.status) == (1, 0)
    assert 'useless.trec is significantly worse than bm25: nDCG@10 0.0000 against ' in worse.out
    assert better.out.startswith("bm25 is significantly better than")


def test_what_cannot_be_told_has_a_status_of_its_own(harness_command: Any, small_folder: Path) -> None:
    said = harness_command("validate", "bm25", "-b", "bm25(k1=0, b=1)", "-d", small_folder, "--margin", "1e-9")
    assert said.status == 4, said.out
    assert "are tied with" in said.out


def test_validate_without_a_baseline_is_bad_input(harness_command: Any) -> None:
    assert harness_command("validate", "bm25").status == 2
    said = harness_command("validate", "bm25", "-b", "bm25")
    assert (said.status, "needs a baseline" in said.err) == (2, True)


def test_compare_shows_the_queries_on_which_each_gains_most(
    harness_command: Any, small_folder: Path, useless: str
) -> None:
    said = harness_command("compare", "bm25", useless, "-d", small_folder, "--top", "2")
    assert said.status == 0
    assert "queries on which bm25 and run path=useless.trec differ most" in said.out
    assert "+1.0000" in said.out
    listed = [line for line in said.out.splitlines() if "documents:" not in line]
    assert len([line for line in listed if "+1.0000" in line or "+0." in line]) <= 4
    same = harness_command("compare", "bm25", "bm25(k1=0.9)", "-d", small_folder)
    assert "needs a baseline" in same.err, "k1=0.9 is bm25 itself"
