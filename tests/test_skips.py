"""A skip that is not on the list fails a strict session, and only that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import skips

WHOLE = """
import pytest
pytest.importorskip("no_such_library_at_all")
def test_never(): pass
"""
ONE = """
import pytest
def test_runs(): pass
def test_skips(): pytest.skip({reason!r})
@pytest.mark.xfail
def test_fails(): assert 0
"""


def outcome(folder: Path, *options: str, ci: str = "") -> tuple[int, str]:
    (folder / "conftest.py").write_text(Path(skips.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    given = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-p", "no:cacheprovider", *options, str(folder)]
    environment = {
        **os.environ,
        "CI": ci,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # those of other packages take seconds
    done = subprocess.run(given, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_file_or_a_test_that_skips_without_need_fails_the_session_and_is_named(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    (tmp_path / "test_whole.py").write_text(WHOLE, encoding="utf-8")
    (tmp_path / "test_one.py").write_text(ONE.format(reason="mteb is not installed"), encoding="utf-8")
    status, said = outcome(tmp_path, *workers, "--no-unexpected-skips")
    assert status == 1
    assert "test_one.py::test_skips: mteb is not installed" in said
    assert "test_whole.py: could not import 'no_such_library_at_all'" in said
    assert "2 skipped without need" in said
    assert "test_fails" not in said


def test_ci_is_strict_and_a_laptop_is_not(tmp_path: Path) -> None:
    (tmp_path / "test_whole.py").write_text(WHOLE, encoding="utf-8")
    (tmp_path / "test_one.py").write_text(ONE.format(reason="openvino is not installed"), encoding="utf-8")
    assert outcome(tmp_path, ci="true")[0] == 1
    assert outcome(tmp_path, ci="false")[0] == 0
    assert outcome(tmp_path)[0] == 0


def test_an_expected_skip_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(ONE.format(reason="no chromium on this machine"), encoding="utf-8")
    status, said = outcome(tmp_path, ci="1")
    assert status == 0
    assert "unexpected" not in said


def test_a_failure_keeps_its_status(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_wrong(:\n", encoding="utf-8")
    assert outcome(tmp_path, ci="1")[0] == 2


@pytest.mark.parametrize(
    "reason", ["beir is not installed", "could not import 'ray'", "needs openvino", "dense: no model", ""]
)
def test_a_missing_library_is_not_on_the_list(reason: str) -> None:
    assert not skips.expected(reason)


def test_each_entry_says_why() -> None:
    assert all(len(why.split()) > 3 for why in skips.EXPECTED.values())
