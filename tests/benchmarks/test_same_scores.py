"""Two results folders are compared by rankings and measures, not by what was timed."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from harness.api import run
from harness.runtime.context import Context


@pytest.fixture
def same_scores(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import same_scores

    return same_scores


def test_what_differs_is_named_and_times_do_not_count(
    same_scores: ModuleType, small_folder: Path, tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    run("bm25", "bm25(b=0)", dataset=str(small_folder), results=before, context=context)
    shutil.copytree(before, after)
    (path,) = [p for p in after.rglob("seed0.json") if p.parent.name == "bm25"]
    record = json.loads(path.read_text())
    record["seconds"]["search"] += 10
    path.write_text(json.dumps(record))
    assert same_scores.main([str(before), str(after)]) == 0
    assert "2 records with the same ranking and measures, 0 that differ" in capsys.readouterr().out
    record["run_sha256"] = "0" * 64
    record["measures"]["nDCG@10"] = 0.1
    path.write_text(json.dumps(record))
    assert same_scores.main([str(before), str(after)]) == 1
    told = capsys.readouterr().out
    assert "differs: bm25 on folder/" in told
    assert "the ranking, nDCG@10" in told


def test_nothing_to_compare_is_no_success(same_scores: ModuleType, tmp_path: Path) -> None:
    assert same_scores.main([str(tmp_path), str(tmp_path)]) == 1
