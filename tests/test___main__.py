"""`python -m harness`."""

from __future__ import annotations

import subprocess
import sys


def test_the_package_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "decide" in done.stdout
