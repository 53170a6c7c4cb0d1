"""The matrix of pairs, the plot of quality against cost, and what can be saved from the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness import api
from harness.bench.store import Store, StoredRecord
from harness.runtime.context import Context

Opened = Callable[..., Any]


def test_every_pair_has_its_difference_and_what_the_board_says_and_leads_to_its_queries(
    opened: Opened, board: Path
) -> None:
    page = opened(board, state="#view=pairs")
    cells = [[cell.strip() for cell in row.split("\t")] for row in page.locator("#matrix tbody tr").all_inner_texts()]
    assert [cell[0].split()[1] for cell in cells] == ["trained", "dense", "bm25"]
    assert cells[0][1:] == ["", "+0.084", "+0.273"]
    assert cells[2][1:] == ["−0.273", "−0.190", ""]
    assert page.locator("#matrix td.better").count() == page.locator("#matrix td.worse").count() == 3
    page.locator("#matrix tbody tr").nth(1).locator("td a").last.click()
    page.wait_for_selector("#listed button.query")
    assert "A is significantly better than B on the board" in page.locator("#verdict").inner_text()
    assert page.locator("#row-a option:checked").inner_text() == "dense"
    page.go_back()
    assert page.locator("#matrix").is_visible()
    page.fill("#row", "trained")
    assert "Fewer than two rows" in page.locator("#matrix").inner_text()


@pytest.fixture
def many(put: Callable[..., StoredRecord], results: Store, context: Context) -> Path:
    """Ten rows with latencies, one of them far below the others, one with no reliable latency."""
    for i in range(10):
        score = 0.05 if i == 9 else 0.5 + i / 50
        latency = {"p50_ms": 10.0 ** (i % 3) + i, "p95_ms": 200.0} if i else None
        put(f"row{i}", {f"q{n:02}": score for n in range(20)}, latency=latency)
    api.write_leaderboard(results.root, context)
    return results.root / "leaderboard.html"


def test_the_plot_draws_the_front_names_rows_and_sets_far_ones_aside(opened: Opened, many: Path) -> None:
    page = opened(many, state="#view=plots")
    figure = page.locator("#drawn figure").first
    assert figure.locator("svg a").count() == 8
    front = figure.locator(".labels text.front").all_text_contents()
    assert sorted(front) == ["row3", "row6", "row7", "row8"]  # at 4, 7, 17 and 108 ms
    caption = figure.locator("figcaption").inner_text()
    assert "1 row has no measurement of this cost" in caption
    assert "Set aside, far from the others (query p50, ms): row9 (0.0500 at 10.0)" in caption
    page.check("#far")
    assert figure.locator("svg a").count() == 9
    assert "Set aside" not in figure.locator("figcaption").inner_text()
    before = figure.locator("svg a").first.inner_html()
    page.select_option("#scale", "linear")
    assert figure.locator("svg a").first.inner_html() != before
    assert "scale=linear" in page.url


def test_hovering_a_mark_shows_its_row_and_families_differ_by_mark_and_colour(opened: Opened, many: Path) -> None:
    page = opened(many, state="#view=plots")
    figure = page.locator("#drawn figure").first
    figure.locator("svg a path").first.hover(force=True)
    page.wait_for_function("document.querySelector('#drawn figure svg').textContent.includes('95 %:')")
    drawn = "all => all.map(each => each.tagName + each.getAttribute('d'))"
    marks = page.locator(".key svg :is(path, circle)").evaluate_all(drawn)
    assert len(set(marks)) == len(marks) == 10


def saved(page: Any, locator: Any) -> tuple[str, bytes]:
    with page.expect_download() as download:
        locator.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_a_table_is_saved_as_csv_as_it_is_shown(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.fill("#row", "e")
    name, content = saved(page, page.locator("button.csv:visible"))
    assert name == "beir-example-test.csv"
    head, *rows = csv.reader(io.StringIO(content.decode()))
    assert head[:2] == ["row", "nDCG@10"]
    assert [row[0].split()[0] for row in rows] == ["trained", "dense"]
    assert rows[1][1] == "0.6400"
    page.locator("#clear").click()
    page.locator("#tab-share").click()
    name, content = saved(page, page.locator("#all-csv"))
    assert name == "leaderboard.csv"
    assert b"beir/other/test" in content


def test_a_spreadsheet_computes_nothing_of_it(
    opened: Opened, put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    put("=HYPERLINK(1),x", {"q1": 0.5, "q2": 0.3}, method="run/x")
    put("b", {"q1": 0.4, "q2": 0.3})
    api.write_leaderboard(results.root, context)
    page = opened(results.root / "leaderboard.html")
    _, content = saved(page, page.locator("button.csv:visible"))
    first = [row[0] for row in csv.reader(io.StringIO(content.decode()))]
    assert any(cell.startswith("'=HYPERLINK") for cell in first)
    assert not any(cell.startswith("=") for row in csv.reader(io.StringIO(content.decode())) for cell in row)


def test_a_plot_is_saved_as_svg_and_png(opened: Opened, board: Path, evil: Path) -> None:
    page = opened(board, state="#view=plots")
    name, content = saved(page, page.locator("#drawn figure button:text-is('SVG')").first)
    assert name == "nDCG-10-against-query-p50-ms-beir-example-test-.svg"
    root = ElementTree.fromstring(content)
    assert "nDCG@10 against query p50, ms (beir/example/test)" in "".join(root.itertext())
    assert b"var(--" not in content.replace(b"font-family", b"")
    assert not [each for each in root.iter() if each.tag.endswith("}a")]
    name, content = saved(page, page.locator("#drawn figure button:text-is('PNG')").first)
    assert name.endswith(".png")
    assert content.startswith(b"\x89PNG")
    page = opened(evil, state="#view=plots")
    _, content = saved(page, page.locator("#drawn figure button:text-is('SVG')").first)
    assert not {each.tag.rpartition("}")[2] for each in ElementTree.fromstring(content).iter()} & {"script", "img", "a"}


def test_the_page_says_how_to_link_embed_and_reproduce_it(opened: Opened, board: Path) -> None:
    page = opened(board, state="#view=pairs&family=dense")
    page.locator("#how").click()
    assert page.input_value("#link").endswith("leaderboard.html#view=pairs&family=dense")
    source = "leaderboard.html#view=pairs&amp;family=dense&amp;embed=1"
    assert page.input_value("#embedded").startswith(f'<iframe src="{source}"')
    page.locator("#share summary:text-is('beir/other/test')").click()
    assert "harness run --dataset beir/other/test --method bm25" in page.locator("#share").inner_text()
