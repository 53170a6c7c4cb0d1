"""Gates in one's own tests: what passes, what fails, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.base.errors import NoScores, SettingError
from harness.methods.bm25 import BM25
from harness.runtime.context import Context
from harness.suites.gate import RowUnderTest, assert_not_worse


def test_a_row_within_the_margin_passes_and_gives_its_verdict(
    small_folder: Path, context: Context, tmp_path: Path
) -> None:
    more = {"on": str(small_folder), "results": tmp_path / "results", "context": context}
    verdict = harness.assert_not_worse("bm25(k1=0.9001)", than="bm25", margin=0.01, **more)
    assert verdict.finding in ("equivalent", "better")
    assert verdict.within.low > -0.01


def test_a_worse_row_fails_with_the_evidence(small_folder: Path, context: Context, tmp_path: Path) -> None:
    (tmp_path / "poor.trec").write_text("name0 Q0 d10 1 1 poor\n")
    with pytest.raises(AssertionError, match=r"may be as low as -0\.\d+, which is beyond the margin of 0.01"):
        assert_not_worse(
            f"run/{tmp_path / 'poor.trec'}", "bm25", str(small_folder), results=tmp_path / "results", context=context
        )


def test_bad_input_is_no_failed_assertion(small_folder: Path, context: Context, tmp_path: Path) -> None:
    more = {"results": tmp_path / "results", "context": context}
    with pytest.raises(SettingError, match="needs a baseline other than itself"):
        assert_not_worse("bm25", "bm25", str(small_folder), **more)
    with pytest.raises(NoScores, match="nowhere"):
        assert_not_worse("run/nowhere.trec", "bm25", str(small_folder), **more)


def test_a_row_has_scores_by_any_measure_and_is_run_once(small_folder: Path, context: Context, tmp_path: Path) -> None:
    row = RowUnderTest(BM25(), str(small_folder), tmp_path / "results", context)
    assert 0 < row.score() == row.record.measures["nDCG@10"]
    assert 0 < row.score("P@5") <= 1
    assert repr(row) == f"<bm25 on {small_folder}>"
    with pytest.raises(NoScores, match="has no scores"):
        RowUnderTest("run/nowhere.trec", str(small_folder), tmp_path / "results", context).score()
