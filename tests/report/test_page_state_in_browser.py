"""What the page shows is in its address: links, the back button, hostile links; the verdict and the opening."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from harness import api
from harness.bench.published import Published, write
from harness.bench.store import Store
from harness.runtime.context import Context

Opened = Callable[..., Any]


def names(page: Any) -> list[str]:
    return list(page.locator("#table tbody tr:visible th.name > :first-child").all_inner_texts())


def test_it_opens_on_a_verdict_and_on_the_dataset_with_most_scores(opened: Opened, board: Path) -> None:
    page = opened(board)
    assert page.locator("#dataset option:checked").inner_text() == "beir/example/test"
    (best,) = page.locator("#verdicts .best:visible").all_inner_texts()
    assert best.startswith("beir/example/test: Best: trained, nDCG@10 0.7")
    assert page.locator("#verdicts details:visible li").first.is_visible()
    assert page.locator("#table td:visible", has_text="–").count() < page.locator("#table td:visible").count() / 3
    page.locator("#tab-plots").click()
    assert page.locator("#verdicts .best:visible").count() == 1
    assert not page.locator("#verdicts li").first.is_visible()


def test_a_row_without_a_score_on_every_dataset_is_shown_on_demand(opened: Opened, board: Path) -> None:
    page = opened(board, state="#dataset=across")
    assert names(page) == ["bm25"]
    button = page.locator("button.incomplete:visible")
    assert button.inner_text() == "Show the 2 rows without a score on every dataset"
    button.click()
    assert sorted(names(page)) == ["bm25", "dense", "trained"]
    assert "partial=1" in page.url
    page.locator("#tab-plots").click()
    assert page.locator("#drawn h2").inner_text() == "across datasets, nDCG@10"


def test_a_link_brings_back_what_was_shown(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.fill("#row", "e")
    page.locator("section.dataset[data-place='0'] th button:text-is('row')").click()
    page.select_option("#family", "dense")
    shown, state = names(page), page.url.partition("#")[2]
    assert shown == ["dense", "trained"]
    again = opened(board, state=f"#{state}")
    assert names(again) == shown
    assert (again.input_value("#row"), again.input_value("#family")) == ("e", "dense")

    page.locator("#clear").click()
    page.locator("#tab-queries").click()
    page.wait_for_selector("#listed button.query")
    page.select_option("#row-a", label="bm25")
    page.fill("#words", "q1")
    page.locator("#listed button.query").nth(2).click()
    query = page.locator("#listed button.query").nth(2).inner_text()
    again = opened(board, state=f"#{page.url.partition('#')[2]}")
    again.wait_for_selector(".side")
    assert again.locator("button.query[aria-expanded=true]").inner_text() == query
    assert again.locator("#row-a option:checked").inner_text() == "bm25"
    assert again.locator("#listed button.query").count() == 10


def test_back_and_forward_go_through_tabs_records_and_filters(opened: Opened, board: Path) -> None:
    page = opened(board)
    page.locator("#tab-plots").click()
    page.select_option("#cost", "size")
    page.locator("#tab-table").click()
    page.locator("#table tbody th.name a:visible").first.click()
    assert page.locator("dialog h3").inner_text() == "trained on beir/example/test"
    assert "record=trained+on+beir/example/test" in page.url
    page.go_back()
    assert not page.locator("dialog").is_visible()
    page.go_back()
    assert page.locator("#plots").is_visible()
    assert page.input_value("#cost") == "size"
    page.go_back()
    assert page.input_value("#cost") == "latency"
    page.go_forward()
    assert page.input_value("#cost") == "size"
    for _ in range(2):
        page.go_back()
    assert page.locator("#table").is_visible()


@pytest.mark.parametrize("form", ["#record-0-2", "#record=bm25+on+beir/example/test"])
def test_a_record_has_a_link(opened: Opened, board: Path, form: str) -> None:
    page = opened(board, state=form)
    assert page.locator("dialog h3").inner_text() == "bm25 on beir/example/test"
    page.keyboard.press("Escape")
    page.wait_for_function("!location.hash")  # the dialog reports a moment later that it was closed


EVIL = "<img src=x onerror=\"document.title='stolen'\">"


def test_a_hostile_or_outdated_link_shows_the_page_as_it_is(opened: Opened, board: Path) -> None:
    fields = ("view", "dataset", "measure", "labels", "family", "row", "kind", "sort", "cost", "scale", "a", "query")
    evil = "&".join(f"{name}={quote(EVIL)}" for name in (*fields, "words", "slice", "record", "__proto__", "unknown"))
    page = opened(board, state=f"#{evil}")
    assert page.locator("#table").is_visible()
    assert page.input_value("#row") == EVIL
    assert names(page) == []
    page.locator("#tab-queries").click()
    page.wait_for_selector("#listed td.text")
    for view in ("plots", "pairs", "share"):
        page.locator(f"#tab-{view}").click()
    assert page.locator("img").count() == 0
    assert EVIL not in page.input_value("#embedded")
    assert page.title().startswith("Retrieval leaderboard: ")
    page = opened(board, state="#view=nothing&dataset=gone&measure=P@7&record=gone&%E0%A4%A")
    assert names(page) == ["trained", "dense", "bm25"]


def test_published_rows_are_sorted_and_filtered_with_the_rest(
    opened: Opened, board: Path, results: Store, context: Context
) -> None:
    write(results.root, Published("theirs", "a paper", {"beir/example/test": {"nDCG@10": 0.5}}))
    api.write_leaderboard(results.root, context)
    page = opened(board)
    theirs = "published/theirs"
    assert names(page) == ["trained", "dense", theirs, "bm25"]
    assert "not measured here" in page.locator("section.dataset[data-place='0'] tr.published th").inner_text()
    page.locator("section.dataset[data-place='0'] th.of-measure.chosen button").click()
    assert names(page) == ["bm25", theirs, "dense", "trained"]
    page.fill("#row", "THEIRS")
    assert names(page) == [theirs]
    page.locator("#clear").click()
    page.select_option("#kind", "measured")
    assert len(names(page)) == 3
    page.select_option("#kind", "published")
    assert names(page) == [theirs]
    assert page.locator("#shown").inner_text() == "1 of 4 rows"


def test_an_embedded_page_has_its_content_alone(opened: Opened, board: Path) -> None:
    page = opened(board, state="#view=plots&embed=1")
    assert not page.locator("h1").is_visible()
    assert not page.locator(".tabs").is_visible()
    assert page.locator("#drawn figure svg").first.is_visible()
