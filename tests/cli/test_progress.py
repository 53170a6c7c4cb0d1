"""Bars on a terminal, nothing elsewhere."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from harness.base.doing import doing
from harness.cli.progress import Activity, bars
from harness.report.screen import Screen
from harness.runtime.progress import quiet


def shown(unit: str, total: int, steps: list[int], monkeypatch: pytest.MonkeyPatch) -> str:
    """What a bar writes to a terminal of 120 columns, one second per step."""
    now = [0.0]
    console = Console(file=io.StringIO(), force_terminal=True, width=120, get_time=lambda: now[0])
    with bars(console)("encode documents", total, unit) as advance:
        for n in steps:
            now[0] += 1
            advance(n)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_no_bar_where_there_is_no_terminal() -> None:
    console = Console(file=io.StringIO(), force_terminal=False)
    assert bars(console) is quiet


def test_a_bar_tells_what_how_far_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown("documents", 6000, [2000, 2000, 2000], monkeypatch)
    assert "encode documents" in text
    assert "6000/6000" in text
    assert "2,000 documents/s" in text


def test_a_slow_bar_has_a_decimal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "2.0 documents/s" in shown("documents", 6, [2, 2, 2], monkeypatch)


def test_bytes_are_told_in_mebibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "4.0 MiB/s" in shown("bytes", 12 << 20, [4 << 20] * 3, monkeypatch)


def test_a_bar_that_has_not_moved_tells_no_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown("documents", 5, [], monkeypatch)
    assert "0/5" in text
    assert "– documents/s" in text


def activity(terminal: bool, patience: float = 20.0) -> tuple[Activity, Screen]:
    screen = Screen(stderr=True, width=100)
    screen.file = io.StringIO()
    screen._force_terminal = screen.is_interactive = terminal
    return Activity(screen, patience), screen


def written(screen: Screen) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_a_terminal_shows_what_is_being_done_from_the_start_and_takes_it_away() -> None:
    shown, screen = activity(terminal=True)
    shown.start()
    try:
        assert "starting" in written(screen)
        doing("load beir/scifact")
        with shown.bar("encode documents", 10, "texts") as advance:
            advance(5)
        shown._live.refresh()  # type: ignore[union-attr]
    finally:
        shown.stop()
    assert "load beir/scifact" in written(screen)
    before = written(screen)
    doing("something else")
    assert written(screen) == before


def test_results_take_the_display_away_until_something_else_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    shown, screen = activity(terminal=True)
    shown.start()
    try:
        Screen().say("a result")
        assert not shown._is_shown
        assert capsys.readouterr().out == "a result\n"
        doing("search x")
        assert shown._is_shown
        screen.say("a row is done")  # the display's own console prints above it
        assert shown._is_shown
    finally:
        shown.stop()


def test_a_log_gets_a_line_if_it_would_be_silent_for_long() -> None:
    shown, screen = activity(terminal=False, patience=0.05)
    shown.start()
    try:
        doing("train dense+supervised")
        deadline = time.monotonic() + 20
        while "train" not in written(screen) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        shown.stop()
    assert re.search(r"^… train dense\+supervised \(\d+ s\)$", written(screen), re.MULTILINE)


def test_a_quick_command_leaves_a_log_as_it_is() -> None:
    shown, screen = activity(terminal=False)
    shown.start()
    doing("load x")
    with shown.bar("encode", 3, "texts") as advance:
        advance()
    shown.stop()
    assert written(screen) == ""
