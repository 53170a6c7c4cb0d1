"""Published scores of others, shown next to what was measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.base.errors import RecordError
from harness.bench.store import Store
from harness.exchange.import_published import import_published
from harness.report.notes import notes_of
from harness.runtime.context import Context

ROW = "bm25(k1=1.2)"


@pytest.fixture
def ran(small_folder: Path, tmp_path: Path, context: Context) -> tuple[Path, Path]:
    """The folder of the collection and the results of a row over it."""
    api.run(ROW, "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context)
    return small_folder, tmp_path / "results"


def published(place: Path, **changed: Any) -> Path:
    held = {"title": "their BM25", "source": "their page", "note": "k1=0.9", "figures": {}, **changed}
    place.write_text(json.dumps(held), encoding="utf-8")
    return place


def test_published_scores_are_shown_and_change_nothing_that_was_measured(
    ran: tuple[Path, Path], tmp_path: Path, context: Context
) -> None:
    _, results = ran
    name = Store(results).all()[0][0].dataset["name"]
    before, over, _ = api.write_leaderboard(results, context)
    given = published(
        tmp_path / "theirs.json", figures={name: {"nDCG@10": 0.99, "R@5": 0.5}, "beir/other/test": {"R@5": 0.5}}
    )
    lines = import_published([given], results)
    assert lines[-1] == "shown once a row is measured there: beir/other/test"
    (table,), again, faults = api.write_leaderboard(results, context)
    assert faults == []
    ((title, scores),) = table.published_rows
    assert (title, scores["nDCG@10"]) == ("published/their BM25", "0.9900")
    assert {score for measure, score in scores.items() if measure != "nDCG@10"} == {"–"}
    assert (table.lines, table.power, table.decision, again) == (
        before[0].lines,
        before[0].power,
        before[0].decision,
        over,
    )
    assert table.best("nDCG@10") != "0.9900"
    note = "`published/their BM25`: published scores, not measured here: their page; k1=0.9"
    assert note in notes_of(table)
    text = (results / "leaderboard.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| `published/their BM25`")]
    assert "*(not measured here)*" in row
    assert "0.9900" in row
    assert "**0.9900**" not in row
    assert len(row) == len(next(line for line in text.splitlines() if line.startswith("| `bm25`")))
    (line,) = [line for line in (results / "leaderboard.csv").read_text().splitlines() if "their BM25" in line]
    head = (results / "leaderboard.csv").read_text().splitlines()[0]
    assert line.startswith(f"{name},published/their BM25,published/their BM25,,published,nDCG@10,0.990000,")
    assert line.count(",") == head.count(",")
    latex = (results / "leaderboard.tex").read_text(encoding="utf-8")
    assert latex.count(r"\midrule") == 2
    assert "scores published by others, not measured here" in latex
    page = (results / "leaderboard.html").read_text(encoding="utf-8")
    (marked,) = re.findall(r'<tr class="published"[^>]*>.*?</tr>', page, re.DOTALL)
    assert "published/their BM25" in marked
    assert "not measured here" in marked


@pytest.mark.parametrize(("name", "full"), [("scifact", "beir/scifact/test"), ("msmarco", "beir/msmarco/dev")])
def test_beirs_collections_may_be_named_alone(tmp_path: Path, name: str, full: str) -> None:
    given = published(tmp_path / "theirs.json", figures={name: {"nDCG@10": 0.5}})
    import_published([given], tmp_path / "results")
    held = json.loads((tmp_path / "results" / "published" / "their-BM25.json").read_text())
    assert held["figures"] == {full: {"nDCG@10": 0.5}}


def test_several_models_come_from_one_file(tmp_path: Path) -> None:
    models = {
        "a/x": {"scifact": {"nDCG@10": 0.5, "mteb_version": None, "revision": "r"}},
        "b/y": {"scifact": {"R@100": 0.9}},
    }
    given = tmp_path / "many.json"
    given.write_text(json.dumps({"models": models}), encoding="utf-8")
    import_published([given], tmp_path / "results")
    assert sorted(path.name for path in (tmp_path / "results" / "published").iterdir()) == ["a-x.json", "b-y.json"]


def test_the_projects_own_published_figures_can_be_imported(tmp_path: Path) -> None:
    paths = sorted((Path(__file__).parents[2] / "harness" / "suites" / "published").glob("*.json"))
    assert paths
    import_published(paths, tmp_path / "results")
    assert len(list((tmp_path / "results" / "published").iterdir())) == len(paths)


def test_an_absent_or_broken_file_is_a_record_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"there is no .*absent\.json"):
        import_published([tmp_path / "absent.json"], tmp_path / "results")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(RecordError, match=r"broken\.json is not JSON"):
        import_published([tmp_path / "broken.json"], tmp_path / "results")
