"""A changed record accepted from a folder of new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import RecordError, SettingError
from harness.bench.run_rows import run_rows
from harness.compare.accept import accept
from harness.runtime.context import Context


def test_a_new_record_replaces_the_stored_one_with_its_reason(
    small_folder: Path, tmp_path: Path, context: Context
) -> None:
    new, stored, dataset = tmp_path / "new", tmp_path / "stored", str(small_folder)
    with pytest.raises(RecordError, match=r"new has no record of bm25 .* with seed 0; run pytest suites/"):
        accept("bm25", "changed", dataset, new=new, results=stored, context=context)
    run_rows("bm25", dataset=dataset, results=new, context=context)
    record = accept("bm25", "changed", dataset, new=new, results=stored, context=context)
    assert record.accepted[0]["why"] == "changed"
    assert list(stored.glob("*/bm25/seed0.json"))


def test_several_rows_or_no_reason_are_refused(small_folder: Path, tmp_path: Path, context: Context) -> None:
    with pytest.raises(SettingError, match=r"default names \d+ rows; accept one at a time"):
        accept("default", "changed", str(small_folder), new=tmp_path, results=tmp_path, context=context)
