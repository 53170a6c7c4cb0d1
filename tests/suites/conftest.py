"""Runs `pytest suites/` in a process of its own, in the test's own folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
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


class Warm:
    """Runs pytest in forks of a process that has imported what it needs (`tests/suites/warm.py`)."""

    def __init__(self) -> None:
        code = (Path(__file__).parent / "warm.py").read_text(encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, folder: Path, arguments: list[str], environment: dict[str, str]) -> Outcome:
        """Runs pytest in a folder; after two minutes it is killed."""
        place = folder / "pytest"
        place.mkdir(exist_ok=True)
        out, err = place / "out", place / "err"
        for file in (out, err):
            file.write_bytes(b"")
        given = {"folder": folder, "arguments": arguments, "environment": environment, "out": out, "err": err}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(given, default=str) + "\n")
        self._process.stdin.flush()
        killer = threading.Timer(120, os.kill, (int(self._process.stdout.readline()), signal.SIGKILL))
        killer.start()
        status = int(self._process.stdout.readline())
        killer.cancel()
        return Outcome(status, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm | None]:
    """One process for all tests here; none where a process cannot be forked."""
    if not hasattr(os, "fork"):
        yield None
        return
    running = Warm()
    yield running
    running.close()


@pytest.fixture
def suites(tmp_path: Path, warm: Warm | None) -> Callable[..., Outcome]:
    """`suites("--benchmark", …)`; `file` is one of the suites, all by default; `cold` starts Python for it."""

    def run(*arguments: object, file: str = "", cold: bool = False, **environment: str) -> Outcome:
        settings = ["-c", ROOT / "pyproject.toml", "--rootdir", ROOT, "-o", f"cache_dir={tmp_path / 'pytest'}"]
        given = [str(each) for each in (ROOT / "suites" / file, *settings, *arguments)]
        env = {
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "COLUMNS": "160",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **environment,
        }
        env.pop("PYTEST_ADDOPTS", None)
        if warm is not None and not cold:
            return warm.run(tmp_path, given, env)
        command = [sys.executable, "-m", "pytest", *given]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, timeout=120, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
