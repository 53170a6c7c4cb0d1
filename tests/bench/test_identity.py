"""What is in a row's identity: the code that can change its scores, and no other code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.bench.identity import ROOMS, code_of_row, identity, modules_of_row
from harness.cache import code
from harness.methods import METHODS
from harness.rows import parse_method
from harness.runtime.context import Context

SOURCES = Path(harness.__file__).parent
BM25, DENSE = parse_method("bm25"), parse_method("dense")


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """`edit(path, more)`: as if the module's file in the package ended with `more`; nothing is written."""
    changed: dict[Path, str] = {}
    read = code.read

    def edited(path: Path) -> bytes:
        return read(path) + changed.get(path, "").encode()

    def edit(path: str, more: str) -> None:
        assert (SOURCES / path).is_file()
        changed[SOURCES / path] = f"\n{more}\n"
        code._module.cache_clear()

    monkeypatch.setattr(code, "read", edited)
    yield edit
    code._module.cache_clear()


@pytest.mark.parametrize(
    "path", ["report/latex.py", "cli/app.py", "statistics/family.py", "executors/ray.py", "compare/decision.py"]
)
def test_code_that_cannot_change_a_score_leaves_every_row_up_to_date(path: str, edit, context: Context) -> None:
    before = [identity(method, context) for method in (BM25, DENSE)]
    edit(path, "changed = True")
    assert [identity(method, context) for method in (BM25, DENSE)] == before


@pytest.mark.parametrize("path", ["data/ranking.py", "data/measures.py", "data/queries.py"])
def test_code_that_every_row_goes_through_changes_every_identity(path: str, edit, context: Context) -> None:
    before = [identity(method, context) for method in (BM25, DENSE)]
    edit(path, "changed = True")
    assert all(identity(method, context) != old for method, old in zip((BM25, DENSE), before, strict=True))


def test_the_code_of_a_measure_of_the_room_counts_for_the_rows_that_have_it(edit, context: Context) -> None:
    with_it, without = ["nDCG@10", "CappedRecall@5"], ["nDCG@10", "R@5"]
    before = identity(BM25, context, with_it), identity(BM25, context, without)
    assert identity(BM25, context, reversed(with_it)) == before[0]
    edit("measures/capped_recall.py", "changed = True")
    assert identity(BM25, context, with_it) != before[0]
    assert identity(BM25, context, without) == before[1]
    assert code_of_row(BM25, with_it) != code_of_row(BM25)


def test_a_changed_analyser_changes_the_rows_that_use_it_and_no_other(edit, context: Context) -> None:
    bm25, dense = identity(BM25, context), identity(DENSE, context)
    edit("analyzers/english.py", "changed = True")
    assert identity(BM25, context) != bm25
    assert identity(DENSE, context) == dense


def test_a_comment_changes_no_identity_wherever_it_is(edit, context: Context) -> None:
    before = identity(BM25, context)
    edit("analyzers/english.py", "# a comment")
    edit("methods/bm25.py", "# a comment")
    assert identity(BM25, context) == before

FUNCTION = f"{Path(__file__)}:test_every_room_that_counts_exists_and_is_used_by_some_row"
"""A function in a file, for the row that takes one."""


def test_every_room_that_counts_exists_and_is_used_by_some_row() -> None:
    for room in ROOMS:
        path = SOURCES.joinpath(*room.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), room


@pytest.mark.parametrize("name", [name for name, _ in METHODS.usable()])
def test_the_modules_of_a_row_are_its_own_and_those_of_rooms_that_count(name: str) -> None:
    item: Any = METHODS.get(name)
    needed = {"run": {"path": "a"}, "http": {"url": "http://localhost:1/search"}, "python": {"file": FUNCTION}}
    needed |= {engine: {"url": "http://localhost:1"} for engine in ("elasticsearch", "opensearch")}
    found = modules_of_row(item(**needed[name]) if name in needed else parse_method(name))
    assert item.__module__ in found
    assert all(f"{module}.".startswith(tuple(f"harness.{room}." for room in ROOMS)) for module in found)


def test_code_of_other_packages_is_part_of_the_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "elsewhere.py"
    text = (
        "from dataclasses import dataclass\nfrom harness.choices.value import Value\n"
        "@dataclass(frozen=True)\nclass Elsewhere(Value):\n    room = 'x'\n    shift: int = {}\n"
    )
    file.write_text(text.format(1))
    monkeypatch.syspath_prepend(str(tmp_path))
    value = importlib.import_module("elsewhere").Elsewhere()
    before = modules_of_row(value)
    code._module.cache_clear()  # each module is read once in a process
    file.write_text(text.format(2))
    assert {name for name in before if not name.startswith("harness.")} == {"elsewhere"}
    assert modules_of_row(value)["elsewhere"] != before["elsewhere"]
    assert code_of_row(value) != ""
    sys.modules.pop("elsewhere")
