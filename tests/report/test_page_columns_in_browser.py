"""Which columns the tables of the page show: the main ones, a reader's choice, and its link; what fits the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.bench.store import Store, StoredRecord
from harness.runtime.context import Context

Opened = Callable[..., Any]
MAIN = ["row", "nDCG@10", "95 %", "rank", "ranks", "fit + index", "query p50 ms"]
HEADS = "section.dataset[data-place='0'] thead th:visible"


def heads(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(HEADS).all_inner_texts()]


def chosen(page: Any, name: str) -> Any:
    return page.locator("#chooser .panel label", has_text=name).locator("input")


def test_the_main_columns_are_shown_and_others_on_demand(opened: Opened, board: Path) -> None:
    page = opened(board)
    assert heads(page) == MAIN
    page.locator("#chooser summary").click()
    assert chosen(page, "fit + index").is_checked()
    chosen(page, "p95 ms").check()
    chosen(page, "fit + index").uncheck()
    assert heads(page) == [*MAIN[:5], "query p50 ms", "p95 ms"]
    cells = page.locator("section.dataset[data-place='0'] tbody tr:visible").first.locator("th:visible, td:visible")
    assert cells.count() == len(heads(page))
    state = page.url.partition("#")[2]
    again = opened(board, state=f"#{state}")
    assert heads(again) == heads(page)
    page.go_back()
    assert heads(page) == [*MAIN, "p95 ms"]
    assert chosen(page, "fit + index").is_checked()


def test_all_columns_and_back_to_the_main_ones(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.locator("#chooser summary").click()
    page.locator("#chooser button:text-is('All')").click()
    assert page.url.endswith("#columns=all")
    assert {"labels used", "family", "from the best", "parameters"} < set(heads(page))
    chosen(page, "family").uncheck()
    assert "family" not in heads(page)
    page.locator("#chooser button:text-is('The main ones')").click()
    assert heads(page) == MAIN
    page.keyboard.press("Escape")
    assert not page.locator("#chooser .panel").is_visible()


def test_the_measure_that_orders_the_table_is_always_shown(opened: Opened, board: Path) -> None:
    page = opened(board, state="#columns=-nDCG@10,-rank,-gone,gone")
    assert heads(page) == [head for head in MAIN if head != "rank"]


def test_a_csv_has_the_columns_that_are_shown(opened: Opened, board: Path) -> None:
    page = opened(board, state="#columns=family,-95+%25,-ranks")
    with page.expect_download() as download:
        page.locator("section.dataset[data-place='0'] button.csv").click()
    first = Path(download.value.path()).read_text(encoding="utf-8").splitlines()[0]
    assert first == "row,nDCG@10,rank,family,fit + index,query p50 ms"


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844)])
def test_the_first_score_is_seen_without_scrolling(
    opened: Opened, put: Callable[..., StoredRecord], results: Store, context: Context, width: int, height: int
) -> None:
    values = {f"q{i:02}": (i % 10) / 10 for i in range(60)}
    for i in range(12):
        name = f"hybrid(methods=(bm25, dense), depth={i + 50})"
        trained = {"supervision": "train labels"} if i % 2 else {}
        put(name, {q: min(1.0, v + i / 100) for q, v in values.items()}, **trained)
    api.write_leaderboard(results.root, context)
    page = opened(results.root / "leaderboard.html", width)
    page.set_viewport_size({"width": width, "height": height})
    score = page.locator("#table tbody tr:visible td.number:visible").first.bounding_box()
    assert score["y"] + score["height"] < height
    assert score["x"] + score["width"] <= width


def test_filters_are_behind_a_fold_on_a_phone_unless_one_is_set(opened: Opened, board: Path) -> None:
    page = opened(board, 390)
    assert not page.locator("#family").is_visible()
    page.locator("#narrowing > summary").click()
    assert page.locator("#family").is_visible()
    assert opened(board, 390, state="#family=dense").locator("#family").is_visible()
    wide = opened(board, 1280)
    assert wide.locator("#family").is_visible()
    assert not wide.locator("#narrowing > summary").is_visible()
