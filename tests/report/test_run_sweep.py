"""A sweep in one line writes its reports, and says where nothing is gained."""

from __future__ import annotations

from pathlib import Path

from harness import api
from harness.report.sweep_sentences import sentences
from harness.runtime.context import Context


def test_that_nothing_is_better_is_said(small_folder: Path, tmp_path: Path, context: Context) -> None:
    (found,) = api.tune("bm25", "k1=0.9", dataset=str(small_folder), results=tmp_path / "r", context=context)
    assert "It is a baseline itself: no other row was better on dev. On test it has nDCG@10 " in " ".join(
        sentences(found.found)
    )
    assert {"sweep.md", "sweep.json", "sweep.csv"} <= {path.name for path in found.folder.iterdir()}
