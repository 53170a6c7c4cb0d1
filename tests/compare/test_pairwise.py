"""Two rows query by query."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.compare.pairwise import QueryPair, compare
from harness.runtime.context import Context


def test_gains_and_losses_are_sorted_and_at_most_top(small_folder: Path, tmp_path: Path, context: Context) -> None:
    comparison = compare("bm25", "bm25(k1=0, b=0)", str(small_folder), top=3, results=tmp_path / "r", context=context)
    assert comparison.rows[0] == "bm25"
    assert len(comparison.gains) <= 3
    assert len(comparison.losses) <= 3
    gains = [pair.value - pair.other for pair in comparison.gains]
    losses = [pair.other - pair.value for pair in comparison.losses]
    assert gains + losses
    assert all(gain > 0 for gain in gains + losses)
    assert gains == sorted(gains, reverse=True)
    assert losses == sorted(losses, reverse=True)
    assert all(pair.text for pair in (*comparison.gains, *comparison.losses))
    first = comparison.verdict.sentences[0]
    assert repr(comparison) == f"<Comparison: {first}>"
    text, html = str(comparison), comparison._repr_html_()
    assert text.startswith(first)
    assert html.count("<tr>") == 1 + len(comparison.gains) + len(comparison.losses)
    for pair in (*comparison.gains, *comparison.losses):
        assert f"  {pair.id}: {pair.value:.4f}, {pair.other:.4f}: {pair.text}" in text
        assert f"<td>{pair.id}</td><td>{pair.text}</td>" in html


def test_texts_of_queries_are_escaped_in_a_notebook(small_folder: Path, tmp_path: Path, context: Context) -> None:
    comparison = compare("bm25", "bm25(k1=0, b=0)", str(small_folder), results=tmp_path / "r", context=context)
    bad = dataclasses.replace(comparison, gains=(QueryPair("<q>", 1.0, 0.5, "a <b>\nline"),), losses=())
    assert "<td>&lt;q&gt;</td><td>a &lt;b&gt; line</td><td>1.0000</td><td>0.5000</td><td>+0.5000</td>" in (
        bad._repr_html_()
    )


def test_a_comparison_is_by_one_measure(small_folder: Path, tmp_path: Path, context: Context) -> None:
    with pytest.raises(SettingError, match="one measure decides, not P@3 and P@5"):
        compare("bm25", "bm25(b=0)", str(small_folder), "P@3 P@5", results=tmp_path / "r", context=context)
