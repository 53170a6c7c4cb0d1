"""The picture of a link to the page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from harness.bench.record import Record
from harness.report.board import tables
from harness.report.page_data import page_data
from harness.report.page_preview import LONGEST, MOST_ROWS, preview, preview_image

SVG = "{http://www.w3.org/2000/svg}"


def data_of(*records: Record) -> dict[str, Any]:
    found = tables(records)
    return page_data([[t] for t in found], [[[{}] * len(ln.records) for ln in t.lines] for t in found])


def test_the_best_rows_are_bars_as_long_as_their_scores(made: Callable[..., Record]) -> None:
    root = ElementTree.fromstring(preview(data_of(*(made(f"r{i}", 0.1 + i / 20) for i in range(10)))))
    bars = [float(bar.get("width", "0")) for bar in root.iter(f"{SVG}rect")][1:]
    assert len(bars) == MOST_ROWS
    assert bars == sorted(bars, reverse=True)
    assert [text.text for text in root.iter(f"{SVG}text")][2:4] == ["r9", "0.5500"]


def test_names_add_no_element_and_are_cut(made: Callable[..., Record]) -> None:
    name = "</text><script>alert(1)</script>\x1b" + 100 * "x"
    root = ElementTree.fromstring(preview(data_of(made(name, 0.5))))
    assert {each.tag for each in root.iter()} == {f"{SVG}{tag}" for tag in ("svg", "rect", "text")}
    shown = [text.text or "" for text in root.iter(f"{SVG}text")][2]
    assert shown.startswith("</text><script>")
    assert len(shown) == LONGEST
    address = preview_image(data_of(made(name, 0.5)))
    assert base64.b64decode(address.partition(",")[2]).decode() == preview(data_of(made(name, 0.5)))


def test_without_scores_there_is_none(skipped: Callable[..., Record]) -> None:
    assert preview_image(data_of(skipped("a"))) == ""
    assert preview_image(data_of()) == ""
