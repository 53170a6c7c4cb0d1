"""What all tests share: a context whose cache is the test's own folder, and no way to the network or the user's data."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cache.folders import Cache
from harness.context import Context


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HARNESS_DATA", "HARNESS_BEIR_URL", "HARNESS_OFFLINE", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(cache=Cache(tmp_path / "cache"))
