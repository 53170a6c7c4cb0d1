"""The page in a real browser: clicks, sorting, filters, the query browser, a corpus full of tags, and no request to
anywhere.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.bench.store import Store, StoredRecord
from harness.runtime.context import Context

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

EVIL = "<script>document.title='stolen'</script><img src=x onerror=\"document.title='stolen'\">"
Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Opened]:
    """Opens a page's file; at the end it must have said nothing in the console and asked for nothing but itself."""
    said: list[str] = []
    contexts = []

    def one(path: Path, width: int = 1280, scheme: str = "light", scripts: bool = True) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        url = path.resolve().as_uri()
        page.on(
            "request",
            lambda request: said.append(f"request: {request.url}") if request.url.partition("#")[0] != url else None,
        )
        page.goto(url)
        return page

    yield one
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def board(put: Callable[..., StoredRecord], results: Store, context: Context) -> Path:
    """Three rows on one dataset, one on another; `trained` has two seeds and a learning curve."""
    values = {f"q{i:02}": (i % 10) / 10 for i in range(60)}
    told = {
        "training": [{"recipe": "supervised()", "dev": [[0, 0.5], [5, 0.6]], "loss": [[1, 2.0], [2, 1.0]], "chosen": 5}]
    }
    put("bm25", values, latency={"p50_ms": 1.0, "p95_ms": 2.0})
    put("dense", {q: min(1.0, v + 0.2) for q, v in values.items()}, latency={"p50_ms": 9.0, "p95_ms": 12.0})
    for seed in (0, 1):
        better = {q: min(1.0, v + 0.3 + seed / 100) for q, v in values.items()}
        put("trained", better, seed, method="dense(recipes=(supervised(),))", supervision="train labels", resolved=told)
    put("bm25", values, dataset="beir/other/test")
    api.write_leaderboard(results.root, context)
    return results.root / "leaderboard.html"


@pytest.fixture
def evil(tmp_path: Path, context: Context) -> Path:
    """A collection in which every id, title and text is made of tags."""
    folder = tmp_path / "evil<b>"
    (folder / "qrels").mkdir(parents=True)
    tight = EVIL.replace(" ", "/")
    documents = [{"_id": f"{i}{tight}", "title": f"{EVIL} title {i}", "text": f"word{i} {EVIL}"} for i in range(20)]
    queries = [{"_id": f"q{i}{tight}", "text": f"word{i} {EVIL}"} for i in range(6)]
    for name, rows in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    lines = ["query-id\tcorpus-id\tscore", *(f"q{i}{tight}\t{i}{tight}\t{1 + i % 2}" for i in range(6))]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    results = tmp_path / "results"
    api.run(
        "bm25", "bm25(k1=2)", f"dense(model={'./' + EVIL!r})", dataset=str(folder), results=results, context=context
    )
    api.write_leaderboard(results, context)
    return results / "leaderboard.html"


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
    assert page.locator("#shown").inner_text() == "4 rows"
    page.select_option("#supervision", "train labels")
    assert (names(page), names(page, 1)) == (["trained"], [])
    assert page.locator("#shown").inner_text() == "1 of 4 rows"
    page.locator("#clear").click()
    assert len(names(page)) == 3
    page.select_option("#family", "dense")
    assert names(page) == ["trained", "dense"]
    page.fill("#row", "TRAIN")
    assert names(page) == ["trained"]
    page.locator("#clear").click()
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
    link = dialog.locator("p.files a").first.get_attribute("href")
    assert (board.parent / link).is_file()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_a_mean_across_datasets_leads_to_the_records_it_is_made_of(
    opened: Opened, two_datasets: Callable[..., Any], results: Store, context: Context
) -> None:
    api.write_leaderboard(results.root, context)
    page = opened(results.root / "leaderboard.html")
    row = page.locator("section.across tbody tr[data-name='last']")
    row.locator("td.number a").last.click()
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
    for wanted in (
        "nDCG@10, with 95 % intervals",
        "nDCG@10 of each seed",
        "nDCG@10 against query p50, ms",
        "Learning: supervised, seed 0",
    ):
        assert wanted in titles
    assert "nDCG@10 against index and model, MiB" not in titles  # the same for all rows
    tooltips = page.locator("#drawn svg title").all_text_contents()
    assert any(re.search(r"^bm25\nnDCG@10 0\.4500, 95 %: 0\.\d{3} – 0\.\d{3}\nrank \d", text) for text in tooltips)
    assert not any("undefined" in text for text in tooltips)
    page.locator("#drawn figure svg a").first.click()
    assert "trained" in page.locator("dialog h3").inner_text()
    page.keyboard.press("Escape")
    page.select_option("#family", "bm25")
    assert "Learning: supervised, seed 0" not in page.locator("#drawn h3").all_inner_texts()


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
    assert page.title() == "Leaderboard"
    assert "<script>" in page.locator("#table").inner_text()
    page.locator("#tab-plots").click()
    page.locator("#tab-queries").click()
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
    assert page.title() == "Leaderboard"


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_itself_never_scrolls_sideways(opened: Opened, board: Path, evil: Path, width: int) -> None:
    for path in (board, evil):
        page = opened(path, width)
        for view in ("table", "plots", "queries"):
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
