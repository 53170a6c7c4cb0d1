"""The progress bar that shows nothing."""

from __future__ import annotations

import pytest

from harness.runtime.progress import quiet


def test_quiet_progress_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet("encode", 3, "documents") as advance:
        advance()
        advance(2)
    assert capfd.readouterr() == ("", "")
