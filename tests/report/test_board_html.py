"""The board for a notebook: what comes from data is no HTML."""

from __future__ import annotations

from collections.abc import Callable

from harness.bench.store import StoredRecord
from harness.report.board import tables
from harness.report.board_html import as_html


def test_names_and_notes_are_text(put: Callable[..., StoredRecord]) -> None:
    stored = put("run(<b>.trec)", {"q1": 0.5}, notes=["<script>alert(1)</script>"])
    html = as_html(tables([stored.record]))
    assert "<script>" not in html
    assert "&lt;b&gt;.trec" in html
    assert html.count("<table>") == 1
    assert "0.5000" in html
