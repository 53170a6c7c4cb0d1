"""What the plots show besides the rows: published scores, and costs that were measured on a busy machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.bench.published import Published, write
from harness.bench.store import Store, StoredRecord
from harness.runtime.context import Context

Opened = Callable[..., Any]
VALUES = {f"q{i:02}": (i % 10) / 10 for i in range(60)}


def busy(milliseconds: float) -> dict[str, Any]:
    return {"p50_ms": milliseconds, "p95_ms": 9.0, "busy": True, "others": 2.0, "cores": 2}


def figure(page: Any, place: int = 0) -> Any:
    return page.locator("#drawn figure").nth(place)


def marks(drawn: Any) -> list[str]:
    return list(drawn.locator("svg a").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))"))


@pytest.fixture
def two_rows(put: Callable[..., StoredRecord], results: Store, context: Context) -> Callable[..., Path]:
    def written(low: dict[str, Any], high: dict[str, Any]) -> Path:
        put("low", VALUES, latency=low)
        put("high", {q: min(1.0, v + 0.1) for q, v in VALUES.items()}, latency=high)
        api.write_leaderboard(results.root, context)
        return results.root / "leaderboard.html"

    return written


def test_published_scores_are_lines_and_hollow_points(
    opened: Opened, board: Path, results: Store, context: Context
) -> None:
    for name, score in (("near", 0.5), ("far", 0.01)):
        write(results.root, Published(name, "a paper", {"beir/example/test": {"nDCG@10": score}}))
    api.write_leaderboard(results.root, context)
    page = opened(board, state="#view=plots")
    plot = figure(page)
    assert plot.locator("svg [aria-label='near: 0.5000, published']").count() == 1
    assert plot.locator(".labels .published").all_text_contents() == ["near"]
    caption = plot.locator("figcaption").inner_text()
    assert "Dotted lines: published scores, not measured here, of unknown cost." in caption
    assert "Published, beyond the axis: far (0.0100)." in caption
    names = figure(page, 1).locator("svg").text_content()
    assert "near" in names
    assert "far" in names
    assert "published, not measured here" in page.locator("#drawn ul.key").inner_text()
    page.select_option("#kind", "measured")
    assert figure(page).locator(".labels .published").count() == 0
    assert "near" not in figure(page, 1).locator("svg").text_content()
    page.select_option("#kind", "published")
    names = page.locator("#drawn figure svg").first.text_content()
    assert "near" in names
    assert "trained" not in names


def test_latencies_of_a_busy_machine_are_hollow_and_on_no_front(opened: Opened, two_rows: Callable[..., Path]) -> None:
    page = opened(two_rows(busy(1.5), busy(2.5)), state="#view=plots")
    plot = figure(page)
    assert marks(plot) == ["high: 0.5500 at (2.500)", "low: 0.4500 at (1.500)"]
    fills = plot.locator("svg a path").evaluate_all("all => all.map(each => getComputedStyle(each).fill)")
    assert fills == [page.evaluate("getComputedStyle(document.body).backgroundColor")] * 2
    caption = plot.locator("figcaption").inner_text()
    assert caption.startswith("All latencies are from a busy machine and unreliable, so no front is drawn;")
    assert "Ringed" not in caption


def test_reliable_latencies_make_the_front_next_to_hollow_ones(opened: Opened, two_rows: Callable[..., Path]) -> None:
    page = opened(two_rows({"p50_ms": 1.0, "p95_ms": 2.0}, busy(0.5)), state="#view=plots")
    caption = figure(page).locator("figcaption").inner_text()
    assert caption.startswith("Ringed, on the dashed line: the Pareto front")
    assert "Hollow: from a busy machine, so the latency is unreliable and the row is not on the front;" in caption
    assert marks(figure(page)) == ["high: 0.5500 at (0.5000)", "low: 0.4500 at 1.000"]
    fills = figure(page).locator("svg a path").evaluate_all("all => all.map(each => getComputedStyle(each).fill)")
    assert fills[0] != fills[1]


def test_a_family_in_the_key_is_shown_alone_and_all_again(opened: Opened, board: Path) -> None:
    page = opened(board, state="#view=plots")
    assert len(marks(figure(page))) == 3
    page.locator(".key button", has_text="bm25").click()
    assert page.input_value("#family") == "bm25"
    assert "family=bm25" in page.url
    pressed = page.locator(".key button[aria-pressed=true]")
    assert pressed.inner_text() == "bm25"
    pressed.click()
    assert page.input_value("#family") == ""
    assert len(marks(figure(page))) == 3
