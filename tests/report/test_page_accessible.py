"""No view of the page violates a rule of axe-core, light or dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
STATES = ("#", "#dataset=all", "#view=plots", "#view=pairs", "#view=queries&query=q01", "#view=share")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_violates_a_rule(opened: Callable[..., Any], board: Path, scheme: str) -> None:
    page = opened(board, scheme=scheme)
    for state in (*STATES, "#record=trained+on+beir/example/test"):
        page.evaluate("state => { location.hash = state; }", state)
        if "queries" in state:
            page.wait_for_selector(".side")
        page.wait_for_timeout(100)
        found = axe.Axe().run(page).response
        assert found["passes"]
        violations = [(each["id"], each["nodes"][0]["target"]) for each in found["violations"]]
        assert violations == [], state
