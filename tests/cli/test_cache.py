"""The options of `harness cache` reach the work; what it does is in `test_cache_report.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import cache_report
from harness.cli.declaration import Status


def test_the_options_of_gc_reach_the_work(harness_command, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []

    def gc(*arguments: object) -> Status:
        calls.append(arguments)
        return Status.FAILED

    monkeypatch.setattr(cache_report, "gc", gc)
    options = ["--older-than", "30", "--max-size", "0.5", "--dry-run", "-y", "--cache-dir", "c"]
    assert harness_command("cache", "gc", *options).status == 1
    assert harness_command("cache", "gc").status == 1
    assert calls == [(Path("c"), 30.0, 0.5, True, True), (None, None, None, False, False)]


@pytest.mark.parametrize("command", ["ls", "verify"])
def test_the_folder_reaches_the_work(command: str, harness_command, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path | None] = []

    def work(folder: Path | None, *_: str) -> Status:
        calls.append(folder)
        return Status.OK

    monkeypatch.setattr(cache_report, command, work)
    assert harness_command("cache", command, "--cache-dir", "c").status == 0
    assert calls == [Path("c")]
