"""What a newcomer copies from README.md and docs/any-system.md runs as it is written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.files import read_text

ROOT = Path(__file__).parents[1]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "any-system.md"


def block(page: Path, of: str) -> str:
    """The only Python code of a page with these words."""
    (found,) = [code for code in re.findall(r"```python\n(.*?)```", read_text(page), re.DOTALL) if of in code]
    return found


def command(page: Path, of: str) -> list[str]:
    """The arguments of the only command of a page with these words."""
    (found,) = [line for line in read_text(page).splitlines() if line.startswith("harness ") and of in line]
    return shlex.split(found)[1:]


@pytest.fixture
def mine(small_folder: Path, tmp_path: Path) -> Path:
    """The folder of a newcomer, with a collection `my-corpus`."""
    small_folder.rename(tmp_path / "my-corpus")
    return tmp_path


@pytest.mark.parametrize(("page", "of"), [(README, "def index(corpus)"), (PAGE, "words.items()")])
def test_a_function_is_a_row(page: Path, of: str, mine: Path, harness_command: Callable[..., object]) -> None:
    (mine / "my_search.py").write_text(block(page, of), encoding="utf-8")
    said = harness_command(*command(README, "my_search.py:search --method bm25"))
    assert said.status == 0, said  # type: ignore[attr-defined]
    assert "my_search.py:search on folder/my-corpus/test: nDCG@10" in said.err  # type: ignore[attr-defined]


def test_a_plug_in_brings_an_analyser_and_a_measure(mine: Path, harness_command: Callable[..., object]) -> None:
    (mine / "my_things.py").write_text(block(PAGE, "class Codes"), encoding="utf-8")
    said = harness_command(*command(PAGE, "--plugin my_things.py"))
    assert said.status == 0, said  # type: ignore[attr-defined]
    assert "FirstHit" in said.out  # type: ignore[attr-defined]
    assert "bm25(analyzer=codes)" in said.out  # type: ignore[attr-defined]
