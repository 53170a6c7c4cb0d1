"""The hash of code changes with what runs, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.analyzers.english import English
from harness.analyzers.standard import Standard
from harness.cache import code
from harness.cache.code import CARRIERS, code_of, modules_of, source_of, versions
from harness.methods.bm25 import BM25
from harness.rows import parse_method


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], str]]:
    """`package("words", "STOP = 1")` writes a module of a package that is installed apart; gives its dotted name."""
    folder = tmp_path / "apart_for_code"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("apart_for_code")

    def write(name: str, text: str) -> str:
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        source_of.cache_clear()
        code._module.cache_clear()
        return f"apart_for_code.{name}"

    yield write
    for name in [name for name in sys.modules if name.startswith("apart_for_code")]:
        del sys.modules[name]
    source_of.cache_clear()
    code._module.cache_clear()


BEFORE = '''
"""A module."""
from typing import TYPE_CHECKING

STOP = {"the", "a"}
"""Words that are left out."""


def terms(text: str, least: int = 1) -> list[str]:
    """Its terms."""
    if least < 1:
        raise ValueError(f"least must be 1, not {least}")
    return [word for word in text.split() if word not in STOP]  # in order
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Another description.\n\nWith more lines.\n"""'),
        ("  # in order", ""),
        ('"""Words that are left out."""', '"""What is not indexed."""'),
        ('"""Its terms."""', ""),
        ('f"least must be 1, not {least}"', '"give 1 or more"'),
        (
            "[word for word in text.split() if word not in STOP]",
            "[\n        word\n        for word in text.split()\n        if word not in STOP\n    ]",
        ),
        (
            "from typing import TYPE_CHECKING\n",
            "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from harness.base.errors import X\n",
        ),
    ],
)
def test_what_decides_nothing_leaves_the_hash(package: Callable[[str, str], str], old: str, new: str) -> None:
    before = code_of(package("words", BEFORE))
    assert old in BEFORE
    assert code_of(package("words", BEFORE.replace(old, new))) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"the", "a"}', '{"the"}'),
        ("least: int = 1", "least: int = 2"),
        ("least < 1", "least <= 1"),
        ("not in STOP", "in STOP"),
        ("text.split()", 'text.split(" ")'),
        ("ValueError", "KeyError"),
        ('raise ValueError(f"least must be 1, not {least}")', "return []"),
        ("return [", "yield ["),
    ],
)
def test_what_runs_changes_the_hash(package: Callable[[str, str], str], old: str, new: str) -> None:
    before = code_of(package("words", BEFORE))
    assert old in BEFORE
    assert code_of(package("words", BEFORE.replace(old, new))) != before


def test_a_module_counts_with_what_it_imports_wherever_it_does(package: Callable[[str, str], str]) -> None:
    package("deep", "ONE = 1")
    package("near", "def f():\n    from . import deep\n    return deep.ONE\n")
    package("aside", "THREE = 3")
    top = package(
        "top",
        "import apart_for_code.near\nfrom apart_for_code.near import f\nfrom harness.data.ranking import "
        "select\nimport json\n",
    )
    found = modules_of(top)
    assert set(found) == {
        "harness.data.ranking",
        "harness.data.corpus",
        "harness.data.documents",
        *(f"apart_for_code.{name}" for name in ("top", "near", "deep")),
        "apart_for_code",
    }
    before = code_of(top)
    package("aside", "THREE = 4")
    assert code_of(top) == before
    package("deep", "ONE = 2")
    assert code_of(top) != before
    assert code_of(top, without=["apart_for_code.deep"]) != code_of(top)


def test_a_value_counts_with_the_values_in_it() -> None:
    named = modules_of(BM25(analyzer=English()))
    assert {
        "harness.methods.bm25",
        "harness.analyzers.english",
        "harness.lexical.postings",
        "harness.data.corpus",
    } <= set(named)
    assert code_of(Standard()) != code_of(English())
    nested = modules_of(parse_method("rerank(first=bm25, scorer=dense)"))
    assert "harness.models.encoder" in nested


def test_what_every_step_goes_through_is_followed_only_where_it_is_named() -> None:
    assert not {
        "harness",
        "harness.base.errors",
        "harness.runtime.context",
        "harness.methods",
        "harness.base.files",
    } & set(modules_of(BM25()))
    assert "harness.base.errors" in modules_of("harness.base.errors")


def test_every_carrier_is_a_module() -> None:
    assert [name for name in code.CARRIERS if source_of(name) is None] == []


def test_what_has_no_source_is_no_fault() -> None:
    assert modules_of("__main__.nothing", "math", "json.no_such") == dict.fromkeys(
        ["__main__.nothing", "json.no_such", "math"], ""
    )


def test_versions_are_those_installed_without_the_mark_of_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    assert versions("no-such-package") == {}
    monkeypatch.setattr(code.importlib.metadata, "version", lambda name: "2.13.0+cpu")
    assert versions("torch") == {"torch": "2.13.0"}
    before = code_of("harness.data.ranking", libraries=["torch"])
    monkeypatch.setattr(code.importlib.metadata, "version", lambda name: "2.14.0")
    assert code_of("harness.data.ranking", libraries=["torch"]) != before


def test_the_hash_is_the_same_in_every_process() -> None:
    told = "from harness.cache.code import code_of; print(code_of('harness.lexical.bm25', 'harness.training.loop'))"
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == code_of("harness.lexical.bm25", "harness.training.loop")


@pytest.mark.parametrize("name", sorted(CARRIERS))
def test_every_carrier_exists(name: str) -> None:
    assert source_of(name) is not None


def test_a_module_to_leave_out_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no module harness\.models\.golden"):
        code_of("harness.data.ranking", without=["harness.models.golden"])
