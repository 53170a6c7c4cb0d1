"""The audit of a row, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.audit.row import audit
from harness.base.errors import ComparisonError
from harness.runtime.context import Context


def test_a_lexical_row_has_a_metric_audit_and_no_encoder(small_folder: Path, tmp_path: Path, context: Context) -> None:
    found = audit("bm25", str(small_folder), results=tmp_path / "results", context=context)
    assert found.encoders == ()
    assert found.run.value == pytest.approx(
        found.run.conventions["any grade above 0 counts 1 (sentence-transformers)"], abs=0.2
    )
    assert found.run.worst_ties <= found.run.value <= found.run.best_ties


def test_every_encoder_of_a_row_is_looked_at_once(
    small_folder: Path, tmp_path: Path, context: Context, tiny_encoder: Path
) -> None:
    dense = f'dense(model="{tiny_encoder}", query_prompt="ask: ", max_length=6)'
    row = f"rerank(first=hybrid(methods=(bm25, {dense})), scorer={dense})"
    found = audit(row, str(small_folder), results=tmp_path / "results", context=context)
    (encoder,) = found.encoders
    assert encoder.prompts == ("ask: ", "")
    assert encoder.documents is not None
    assert encoder.documents.limit == 6
    assert encoder.documents.cut > 0
    assert [drift.way for drift in encoder.drifts] == ["one at a time", "in bf16"]


def test_a_row_that_cuts_documents_late_cuts_nothing_off(
    small_folder: Path, tiny_encoder: Path, tmp_path: Path, context: Context
) -> None:
    row = f'late_chunks(dense(model="{tiny_encoder}", precision="fp32", max_length=6), words=3, shared=1)'
    assert audit(row, str(small_folder), results=tmp_path / "results", context=context).encoders == ()


def test_a_row_without_figures_is_told(small_folder: Path, tmp_path: Path, context: Context) -> None:
    with pytest.raises(ComparisonError, match="has no scores"):
        audit("run/nowhere", str(small_folder), results=tmp_path / "results", context=context)


def test_the_command_prints_it(harness_command: Any, small_folder: Path) -> None:
    said = harness_command("audit", "bm25", "-d", small_folder, "--measure", "P@3")
    assert said.status == 0
    assert "P@3" in said.out
    assert "unanswered queries" in said.out
