"""The page in a real browser: clicks, sorting, filters, the query browser, a corpus full of tags, and no request to
anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.bench.store import Store
from harness.runtime.context import Context

Opened = Callable[..., Any]


def names(page: Any, place: int = 0) -> list[str]:
    rows = page.locator(f"section.dataset[data-place='{place}'] tbody tr:visible th.name code")
    return list(rows.all_inner_texts())


def test_a_column_is_sorted_by_a_click_and_the_other_way_by_another(opened: Opened, board: Path) -> None:
    page = opened(board)
    assert names(page) == ["trained", "dense", "bm25"]
    head = page.locator("section.dataset[data-place='0'] th:has(button:text-is('nDCG@10'))")
    assert head.get_attribute("aria-sort") == "descending"
    head.locator("button").click()
    assert (head.get_attribute("aria-sort"), names(page)) == ("ascending", ["bm25", "dense", "trained"])
    latency = page.locator("section.dataset[data-place='0'] th button:text-is('query p50 ms')")
    latency.click()
    assert names(page)[0] == "bm25"
    latency.click()
    assert names(page)[0] == "dense"
    assert head.get_attribute("aria-sort") == "none"


def test_sorting_works_by_keyboard(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.locator("section.dataset[data-place='0'] th button:text-is('row')").focus()
    page.keyboard.press("Enter")
    assert names(page) == ["bm25", "dense", "trained"]


def test_filters_leave_the_rows_that_answer_to_them(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.select_option("#dataset", label="all tables")
    assert page.locator("#shown").inner_text() == "4 rows"
    page.select_option("#labels", "train labels")
    assert (names(page), names(page, 1)) == (["trained"], [])
    assert page.locator("#shown").inner_text() == "1 of 4 rows"
    page.locator("#clear").click()
    assert len(names(page)) == 3
    page.select_option("#family", "dense")
    assert names(page) == ["trained", "dense"]
    page.fill("#row", "TRAIN")
    assert names(page) == ["trained"]
    page.locator("#clear").click()
    assert len(names(page)) == 3
    page.select_option("#dataset", label="beir/other/test")
    assert (names(page), names(page, 1)) == ([], ["bm25"])
    assert not page.locator("section.across").first.is_visible()


def test_a_number_leads_to_its_record_and_its_command_and_escape_leads_back(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.locator("section.dataset[data-place='0'] tbody tr").first.locator("td.number a").first.click()
    dialog = page.locator("dialog")
    assert dialog.is_visible()
    assert (
        "harness run --dataset beir/example/test --method 'dense(recipes=(supervised(),))' --seed 1"
        in dialog.inner_text()
    )
    assert (board.parent / dialog.locator("p.files code").first.inner_text()).is_file()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_a_mean_across_datasets_leads_to_the_records_it_is_made_of(
    opened: Opened, two_datasets: Callable[..., Any], results: Store, context: Context
) -> None:
    api.write_leaderboard(results.root, context)
    page = opened(results.root / "leaderboard.html", state="#dataset=across")
    row = page.locator("section.across tbody tr[data-name='last']")
    row.locator("td.number:visible a").last.click()
    dialog = page.locator("dialog")
    assert "last across datasets" in dialog.inner_text()
    dialog.locator("p a:has-text('best')").click()
    assert "best across datasets" in dialog.inner_text()
    dialog.locator("dl a:text-is('d2')").click()
    assert "harness run --dataset d2 --method best" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_plots_are_drawn_with_intervals_frontier_learning_and_seeds(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.locator("#tab-plots").click()
    titles = page.locator("#drawn h3").all_inner_texts()
    assert titles == ["nDCG@10 against query p50, ms", "nDCG@10, with 95 % intervals", "nDCG@10 of each seed"]
    page.select_option("#cost", label="index and model, MiB")
    assert page.locator("#drawn figure svg").first.get_attribute("aria-label") == (
        "nDCG@10 against index and model, MiB on beir/example/test"
    )
    names = page.locator("#drawn figure").nth(1).locator("a [aria-label], a[aria-label]")
    assert [re.sub(r"0\.\d{4}$", "#", text) for text in names.evaluate_all("all => all.map(e => e.ariaLabel)")] == [
        "trained #",
        "dense #",
        "bm25 #",
    ]
    page.locator("#drawn figure").nth(1).locator("svg a").first.click()
    assert "trained" in page.locator("dialog h3").inner_text()
    page.keyboard.press("Escape")
    fold = page.locator("#learning summary")
    assert fold.inner_text() == "Learning curves of 2 trainings"
    fold.click()
    assert page.locator("#learning h3").all_inner_texts() == ["supervised, seed 0", "supervised, seed 1"]
    page.select_option("#family", "bm25")
    assert not fold.is_visible()


def test_tabs_turn_by_arrow_keys(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.locator("#tab-table").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#plots").is_visible()
    assert page.locator("#tab-plots").get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowLeft")
    assert page.locator("#table").is_visible()


def test_two_rows_are_compared_query_by_query(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.locator("#tab-queries").click()
    page.wait_for_selector("#listed tbody tr")
    page.select_option("#row-a", label="dense")
    page.select_option("#row-b", label="bm25")
    summary = page.locator("#summary").inner_text()
    assert (
        "A 0.6400, B 0.4500, difference +0.1900 over 60 queries. A is better on 60, equal on 0, worse on 0." in summary
    )
    assert (
        "A is significantly better than B on the board, corrected for 3 pairs of 3 rows"
        in page.locator("#verdict").inner_text()
    )
    assert (
        "harness compare dense bm25 --dataset beir/example/test --measure nDCG@10"
        in page.locator("#verdict").inner_text()
    )
    shown = [
        float(t.replace("−", "-").replace("±", ""))
        for t in page.locator("#listed tbody td:nth-child(4)").all_inner_texts()
    ]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == 50
    page.locator("#more").click()
    assert page.locator("#listed tbody tr").count() == 60
    page.locator("#swap").click()
    assert "difference −0.19" in page.locator("#summary").inner_text()
    page.fill("#words", "q07")
    assert page.locator("#listed tbody tr").count() == 1


def test_slices_and_top_lists_come_from_a_collection_at_hand(
    opened: Opened, small_folder: Path, context: Context
) -> None:
    results = small_folder.parent / "results"
    api.run("bm25", "bm25(k1=2, b=0)", dataset=str(small_folder), results=results, context=context)
    api.write_leaderboard(results, context)
    page = opened(results / "leaderboard.html")
    page.locator("#tab-queries").click()
    page.wait_for_selector("#slices table")
    assert page.locator("#slices caption").all_inner_texts() == ["By length", "By term overlap"]
    page.locator("#slices button:text-is('below ⅓')").click()
    ids = page.locator("#listed button.query small").all_inner_texts()
    assert len(ids) == 10
    assert all(i.strip().startswith("asked") for i in ids)
    page.locator("#slices button:text-is('below ⅓')").click()
    page.fill("#words", "name0")
    page.locator("#listed button.query").click()
    lists = page.locator(".side ol")
    assert lists.count() == 2
    assert "d00" in lists.first.locator("li").first.inner_text()
    assert "grade 2" in lists.first.inner_text()
    page.locator("#listed button.query").click()
    assert page.locator(".side").count() == 0


def test_a_corpus_full_of_tags_is_shown_as_text(opened: Opened, evil: Path) -> None:
    page = opened(evil)
    assert page.title().startswith("Retrieval leaderboard: ")
    assert "<script>" in page.locator("#table").inner_text()
    for view in ("plots", "pairs", "share", "queries"):
        page.locator(f"#tab-{view}").click()
    page.wait_for_selector("#listed button.query")
    for button in page.locator("#listed button.query").all():
        button.click()
    shown = page.locator("#listed").inner_text()
    assert "<script>document.title" in shown
    assert "onerror=" in shown
    assert "grade 1" in shown
    page.locator("#tab-table").click()
    page.locator("#table tbody th.name a").last.click()
    assert "<img" in page.locator("dialog").inner_text()
    assert page.locator("img").count() == 0
    assert page.title().startswith("Retrieval leaderboard: ")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_itself_never_scrolls_sideways(opened: Opened, board: Path, evil: Path, width: int) -> None:
    for path in (board, evil):
        page = opened(path, width)
        for view in ("table", "plots", "pairs", "queries", "share"):
            page.locator(f"#tab-{view}").click()
            page.wait_for_timeout(100)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_differ_and_text_can_be_read_on_both(opened: Opened, board: Path) -> None:
    def light(colour: str) -> float:
        return sum(float(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) / 765

    for scheme, dark in (("light", False), ("dark", True)):
        page = opened(board, scheme=scheme)
        paper, ink = (page.evaluate(f"getComputedStyle(document.body).{what}") for what in ("backgroundColor", "color"))
        assert (light(paper) < light(ink)) is dark
        assert abs(light(paper) - light(ink)) > 0.7


def test_without_scripts_the_tables_and_records_are_there(opened: Opened, board: Path) -> None:
    page = opened(board, scripts=False)
    assert names(page) == ["trained", "dense", "bm25"]
    assert page.locator("#record-0-0 pre.command").first.is_visible()


def test_print_has_the_tables_and_no_controls(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.emulate_media(media="print")
    assert page.locator("section.dataset table").first.is_visible()
    assert not page.locator("#filters").is_visible()
    assert not page.locator(".tabs").is_visible()
