"""A sweep in one line: its space, its faults, and what comes of it on the made-up collection."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.base.errors import HarnessError, Unavailable
from harness.report.sweep_sentences import sentences
from harness.rows import row_name
from harness.runtime.context import Context
from harness.searches import Range, points
from harness.sweep.one_line import tuned


def test_every_combination_and_the_row_as_it_is() -> None:
    spec = tuned("bm25>>dense", ["first.k1=0.6,0.9", "depth=50:200"], ["x"])
    rows = [row_name(spec.method(point)) for point in points(spec.space, "grid")]
    assert len(rows) == 2 * 9 + 1
    assert rows[0] == "rerank(first=bm25(k1=0.6), depth=50)"
    assert rows[-1] == "bm25>>dense"
    assert [row_name(each) for each in spec.baselines] == ["bm25>>dense"]
    assert spec.name == "tune-bm25__dense" or spec.name.startswith("tune-bm25")


def test_a_search_that_draws_gets_the_span() -> None:
    pytest.importorskip("optuna")
    spec = tuned("bm25", ["k1=0.6:1.6"], ["x"], search="optuna(trials=3)")
    assert spec.space[0]["k1"] == Range(0.6, 1.6)


@pytest.mark.parametrize(
    ("row", "settings", "message"),
    [
        ("bm25", [], r"nothing to choose: name settings of bm25"),
        ("bm25", ["k1=1", "k1=2"], r"k1 is given twice"),
        ("bm25", ["kk=1,2"], r"tune: unknown setting of bm25 'kk'; did you mean 'k1'"),
        ("bm25", ["b=0.5:1.5"], r"tune: bm25: b must be between 0 and 1, not 1\.1"),
        ("bm52", ["b=0.5"], r"unknown method 'bm52'; did you mean 'bm25'"),
        ("dense", ["queries=10,20"], r"tune: queries needs a recipe"),
        ("run/some.trec", ["path=a"], r"a run file (has rankings|ranks)"),
    ],
)
def test_faults_are_those_of_the_line(row: str, settings: list[str], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        tuned(row, settings, ["x"])


def test_one_is_chosen_on_dev_and_reported_once_with_its_optimism(
    small_folder: Path, tmp_path: Path, context: Context
) -> None:
    tried: list[str] = []

    def tune() -> Any:
        (found,) = api.tune(
            "bm25", "k1=0.1,0.9,3", "b=0,1", dataset=str(small_folder), results=tmp_path / "r", context=context,
            tell=lambda cell: tried.append(cell.row),
        )
        return found

    found = tune()
    assert len(found.found.tried) == 7
    chosen = found.found.chosen
    assert chosen is not None
    assert chosen.mean == max(trial.mean for trial in found.found.tried)
    assert found.found.tested is not None
    assert found.found.tested.looked == (chosen.row,)
    said = " ".join(sentences(found.found))
    assert f"Chosen on dev: `{chosen.row}`" in said
    expected = "Choosing among 7 rows" if chosen.row != "bm25" else "It is a baseline itself: no other row was better"
    assert expected in said
    records = list((tmp_path / "r").glob("*/*/seed0.json"))
    assert len(records) == len({chosen.row, "bm25"})  # test has seen no other row
    assert tune().found.chosen.row == chosen.row  # type: ignore[union-attr]
    data = json.loads((found.folder / "sweep.json").read_text(encoding="utf-8"))
    assert data["chosen"] == chosen.method.full()


def test_without_dev_queries_folds_are_the_way(small_folder: Path, tmp_path: Path, context: Context) -> None:
    (small_folder / "qrels" / "train.tsv").unlink()
    with pytest.raises(Unavailable, match=r"no dev queries to choose on.*--folds"):
        api.tune("bm25", "k1=0.1,3", dataset=str(small_folder), results=tmp_path / "r", context=context)


def test_the_command(harness_command: Callable[..., Any], small_folder: Path) -> None:
    said = harness_command("tune", "bm25", "k1=0.5,2", "-d", small_folder, "--results", "r")
    assert said.status == 0
    assert "Chosen on dev: " in said.out
    dry = harness_command("tune", "bm25", "k1=0.5:2", "b=0:1", "-d", small_folder, "--results", "r", "--dry-run")
    assert dry.status == 0
    wrong = harness_command("tune", "bm25", "k1=2:1", "-d", small_folder)
    assert wrong.status == 2
    assert "'k1=2:1' is not a range" in wrong.err
