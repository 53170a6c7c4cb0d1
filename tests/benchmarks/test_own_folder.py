"""A folder of files, a made set, a verdict, people on the page, another verdict: the whole way, on a small folder."""

from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    root = Path(__file__).parents[2]
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    monkeypatch.setenv("PYTHONPATH", str(root))
    import own_folder

    return own_folder


def test_the_files_are_real_text(own: ModuleType, tmp_path: Path) -> None:
    assert own.pages(tmp_path / "pages", 20) == 20
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "pages").iterdir()]
    assert len(texts) == len(set(texts)) == 20
    assert all(text.startswith("# ") and len(text.split()) > own.WORDS for text in texts)


def test_a_person_looks_for_the_words(own: ModuleType) -> None:
    assert own.opinion("open the file", "Open a file, or the folder of it") == 3
    assert own.opinion("open the file", "the end") == 1
    assert own.opinion("open", "closed") == 0
    state = "1,050 of 1,710 pairs judged; 12 queries complete, 3 more until they correct the scores"
    assert (own.judged(state), own.complete(state)) == (1050, 12)


def test_people_change_what_decide_says(own: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if own.chromium() is None:
        pytest.skip("no chromium on this machine")
    rows = ("bm25", "dense(precision='fp32')")
    made, before, sat, after = own.steps(tmp_path / "own", files=60, queries=20, pairs=0, people=10, rows=rows)
    assert "uncalibrated" in made.out
    assert "Uncalibrated: all labels are by panel" in before.out
    assert "10 queries judged completely by people" in sat.out
    assert "Calibrated: panel judged all" in after.out
    assert "people 10 of them" in after.out
    assert "Uncalibrated" not in after.out
    assert all(step.wall > 0 < step.cpu for step in (made, before, sat, after))
