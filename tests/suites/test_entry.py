"""The suites by their package's name, and the marker and fixture for tests of one's own rows."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "harness.suites.entry", "-p", "no:cacheprovider")
SEARCH = """
def search(query, k):
    return []
"""


@pytest.fixture
def own(pytester: pytest.Pytester, small_folder: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of someone else, with a collection `./mine` and a search function that finds nothing."""
    (pytester.path / "mine").symlink_to(small_folder, target_is_directory=True)
    pytester.makepyfile(my_search=SEARCH)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return pytester


def test_the_package_declares_the_entry_point() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    assert declared["pytest11"] == {"retrieval-harness": "harness.suites.entry"}


def test_loading_it_imports_nothing_but_pytest() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import harness.suites.entry; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "['harness', 'harness.suites', 'harness.suites.entry']"


def test_the_tests_of_others_get_no_option_and_no_hook(own: pytest.Pytester) -> None:
    own.makepyfile(
        """
        import sys
        def test_theirs(cell):
            assert not {"torch", "typer", "harness.api", "harness.cli"} & set(sys.modules)
        """
    )
    own.makeconftest("import pytest\n@pytest.fixture\ndef cell(): return 1\n")
    outcome = own.runpytest_subprocess(*PLUGIN, "--strict-markers")
    outcome.assert_outcomes(passed=1)
    outcome = own.runpytest_subprocess(*PLUGIN, "--benchmark")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR


def test_the_suites_run_by_their_name_next_to_tests_of_others(own: pytest.Pytester) -> None:
    own.makepyfile("def test_theirs(): pass")
    named = ("--pyargs", "harness.suites.test_leaderboard", own.path)
    outcome = own.runpytest_subprocess(
        *PLUGIN, "--benchmark", *named, "--dataset", "./mine", "--method", "bm25", "-v"
    )
    outcome.assert_outcomes(passed=2)
    outcome.stdout.fnmatch_lines(["*::test_leaderboard?./mine-bm25? PASSED*"])
    assert next((own.path / "results").glob("*/bm25/seed0.json")).is_file()


def test_a_marker_names_rows_and_collections(own: pytest.Pytester) -> None:
    own.makepyfile(
        """
        import pytest
        @pytest.mark.harness("bm25", "my_search.py:search", on="./mine", results="scores")
        def test_ours(row):
            row.assert_not_worse(than="bm25(k1=0.91)", margin=0.02)
        @pytest.mark.harness("bm25", on=["./mine"], results="scores")
        def test_score(row):
            assert 0 < row.score() <= 1
            assert repr(row) == "<bm25 on ./mine>"
        def test_no_marker(row):
            pass
        """
    )
    outcome = own.runpytest_subprocess(*PLUGIN, "--strict-markers", "-v")
    outcome.assert_outcomes(passed=2, failed=1, errors=1)
    outcome.stdout.fnmatch_lines(
        [
            "*test_ours?./mine-bm25? PASSED*",
            "*test_ours?./mine-my_search.py:search? FAILED*",
            "*test_score?./mine-bm25? PASSED*",
            "*the fixture row needs a marker that names rows*",
            "*AssertionError: the difference may be as low as -*, which is beyond the margin of 0.02. *than bm25*",
        ]
    )
