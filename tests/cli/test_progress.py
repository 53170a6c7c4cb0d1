"""Bars on a terminal, nothing elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.cli.progress import bars
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
