"""A folder is built once; a cached one counts the seconds of its building as saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.runtime.build_once import build_once
from harness.runtime.context import Context


def test_only_a_cached_folder_saves_its_seconds(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[float] = []
    monkeypatch.setattr(context.ledger, "saved", saved.append)

    def build(folder: Path) -> None:
        (folder / "content").write_text("content")

    first = build_once(context, "bm25", "abc", {}, build)
    assert (first / "content").read_text() == "content"
    assert saved == []
    assert build_once(context, "bm25", "abc", {}, build) == first
    assert saved == [context.cache.meta(first)["seconds"]]
