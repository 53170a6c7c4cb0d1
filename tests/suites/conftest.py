"""Runs `pytest suites/` in a process of its own, in the test's own folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What pytest said, and its exit status."""

    status: int
    out: str
    err: str

    def counts(self) -> dict[str, int]:
        """`{"passed": 1, "failed": 1}` from the last line."""
        last = self.out.strip().splitlines()[-1]
        return {
            what.rstrip("s"): int(n)
            for n, what in re.findall(r"(\d+) (passed|failed|skipped|errors?|deselected)", last)
        }


@pytest.fixture
def suites(tmp_path: Path) -> Callable[..., Outcome]:
    """`suites("--benchmark", …)`; `file` is one of the suites, all by default."""

    def run(*arguments: object, file: str = "", **environment: str) -> Outcome:
        settings = ["-c", ROOT / "pyproject.toml", "--rootdir", ROOT, "-o", f"cache_dir={tmp_path / 'pytest'}"]
        command = [sys.executable, "-m", "pytest", ROOT / "suites" / file, *settings, *arguments]
        env = {
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "COLUMNS": "160",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **environment,
        }
        env.pop("PYTEST_ADDOPTS", None)
        done = subprocess.run(
            [str(c) for c in command], capture_output=True, text=True, cwd=tmp_path, env=env, timeout=120, check=False
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
