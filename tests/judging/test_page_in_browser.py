"""People judge in a real browser: by keyboard and by touch, on a phone's width; what they gave is on the disk."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.collection.labels import labels_file, read_labels
from harness.judging.serve import open_server
from harness.judging.session import Session
from harness.judging.target import Target
from harness.runtime.context import Context

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def url(target: Target, context: Context) -> Iterator[str]:
    server = open_server(Session(target, [], context))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def opened(browser: Any, url: str, name: str, said: list[str], width: int = 1280) -> Any:
    page = browser.new_context(viewport={"width": width, "height": 700}, has_touch=width < 600).new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(url) else said.append(request.url))
    page.goto(url)
    page.fill("#name", name)
    page.press("#name", "Enter")
    page.wait_for_selector("#pair:not([hidden])")
    return page


def wait(page: Any, state: str) -> None:
    page.wait_for_function("start => document.getElementById('state').textContent.startsWith(start)", arg=state)


def given(made: Path, name: str) -> list[tuple[str, str, int]]:
    labels = read_labels(labels_file(made))
    assert labels is not None
    return [label[:3] for label in labels.every if label.judge == name]


def test_keys_give_grades_and_backspace_goes_back(browser: Any, url: str, made: Path) -> None:
    said: list[str] = []
    page = opened(browser, url, "ann", said)
    assert page.title() == "Judge"  # the corpus is full of tags
    assert "onerror" in page.text_content("#text")
    assert "dense" not in page.content()
    for count, key in enumerate("3102", start=1):
        page.keyboard.press(key)
        wait(page, f"{count} of 24 pairs")
    assert [grade for *_, grade in given(made, "ann")] == [3, 1, 0, 2]
    page.keyboard.press("Backspace")
    page.wait_for_selector("button.was[data-grade='2']")
    page.keyboard.press("0")
    page.wait_for_selector("button.was", state="detached")
    first = given(made, "ann")
    assert first[-1] == (*first[3][:2], 0)
    page.keyboard.press("x")
    page.reload()
    page.fill("#name", "ann")
    page.press("#name", "Enter")
    wait(page, "4 of 24 pairs")  # nothing is lost when the page is closed
    assert said == []


def test_a_phone_shows_all_grades_and_takes_taps_until_nothing_is_left(browser: Any, url: str, made: Path) -> None:
    said: list[str] = []
    page = opened(browser, url, "bob", said, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in page.query_selector_all("#buttons button"):
        box = button.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["height"] >= 44
    for count in range(1, 25):
        page.tap(f"button[data-grade='{count % 4}']")
        if count < 24:
            wait(page, f"{count} of 24 pairs")
    page.wait_for_selector("#end:not([hidden])")
    assert "8 queries complete" in page.text_content("#last")
    assert len(given(made, "bob")) == 24
    assert said == []


def test_a_name_that_is_taken_is_refused_on_the_page(browser: Any, url: str) -> None:
    page = browser.new_page()
    page.goto(url)
    page.fill("#name", "dense")
    page.press("#name", "Enter")
    page.wait_for_function("document.getElementById('fault').textContent.includes('another judge')")
    page.close()
