"""Standard output that is closed, full or ASCII: words, a fitting status and no traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.report.streams import ASCII

COMMAND = [sys.executable, "-m", "harness"]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def run(command: str, tmp_path: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    """A shell's command line in which `harness` is this one."""
    root = Path(__file__).parents[1]
    called = " ".join(f"'{part}'" for part in COMMAND)
    environment = {**os.environ, "PYTHONPATH": str(root), **changed}
    shell = shutil.which("bash")
    assert shell
    line = f"set -o pipefail; {command.replace('harness', called)}"
    return subprocess.run(
        [shell, "-c", line], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120, check=False
    )


@needs_full
@pytest.mark.parametrize("command", ["list rows", "cache ls", "--help"])
def test_a_full_disk_behind_standard_output_is_said_in_one_line(command: str, tmp_path: Path) -> None:
    done = run(f"harness {command} > /dev/full", tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("harness: ")
    assert "no space left on device. Free some space" in line
    assert "standard output" in line or command == "--help"  # typer's own text


@needs_full
def test_a_full_disk_behind_standard_error_ends_no_work(tmp_path: Path, small_folder: Path) -> None:
    done = run(f"harness run -d {small_folder} -m bm25 2> /dev/full", tmp_path)
    assert done.returncode == 0
    assert "nDCG@10" in done.stdout


@pytest.mark.parametrize("end", ["| true", ">&-"])
def test_a_reader_that_is_gone_is_no_error(end: str, tmp_path: Path) -> None:
    done = run(f"harness list {end}", tmp_path)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.stderr == ""
    assert done.returncode == 0


def test_ascii_gets_what_it_can_show(tmp_path: Path, small_folder: Path) -> None:
    folder = tmp_path / "ordner-ö"
    small_folder.rename(folder)
    done = run(f"harness run -d {folder} -m bm25", tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert "ordner-\\xf6" in done.stdout
    assert "0." in done.stdout
    done.stdout.encode("ascii")
    done.stderr.encode("ascii")


def test_what_is_spelled_in_ascii_is_ascii() -> None:
    assert all(not key.isascii() and value.isascii() for key, value in ASCII.items())
