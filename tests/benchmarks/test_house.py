"""The measurements of a package's source, on sources small enough to count by hand."""

import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import house

    return house


def package(folder: Path, **sources: str) -> Path:
    """A package `pkg`; `room__module` is `room/module.py`."""
    for name, source in {"__init__": "", **sources}.items():
        path = folder / "pkg" / f"{name if name == '__init__' else name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
    return folder / "pkg"


def test_sizes_and_rooms(house: ModuleType, tmp_path: Path) -> None:
    long = "def f():\n" + "    x = 1\n" * 50
    measured = house.measure(package(tmp_path, loose=long, api="a = 1\n", room__one="b = 1\n" * 251, room__two=""))
    assert measured["modules"] == "5"
    assert measured["loose modules at the top level"] == "1"  # api belongs there
    assert measured["rooms (folders with modules at the top level)"] == "1"
    assert measured["modules over 250 lines"] == "1"
    assert measured["module lines: median / p90 / max"] == "1 / 251 / 251"
    assert measured["functions over 50 lines"] == "1 (100.0%)"
    assert measured["lines in total"] == "303"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 1", 1),
        ("return 1 if a else 2", 2),
        ("return a and b and c", 3),
        ("return [x for x in a if x if b]", 4),
        ("for x in a:\n        if x:\n            pass", 3),
        ("def inner():\n        return 1 if a else 2\n    return inner", 1),
    ],
)
def test_complexity_is_counted_as_radon_counts_it(house: ModuleType, body: str, expected: int) -> None:
    tree = house.ast.parse(f"def f(a, b, c):\n    {body}\n")
    assert house.complexity(tree.body[0]) == expected


def test_density_comments_and_words_are_per_1000_lines(house: ModuleType, tmp_path: Path) -> None:
    source = """\
    from typing import Any
    a = 1 if True else 2  # told
    b = [[x for x in y] for y in []]
    c = [x for y in [] for x in y]
    d = [x for x in []]
    """
    measured = house.measure(package(tmp_path, one=source.replace("    ", "") + "told_twice = held = 1\n" * 5))
    assert measured["ternaries per 1,000 lines"] == "100.0"
    assert measured["nested comprehensions per 1,000 lines"] == "200.0"
    assert measured["comments per 1,000 lines"] == "100.0"
    assert measured["`Any` per 1,000 lines"] == "100.0"
    assert measured["words of the private idiom per 1,000 lines"] == "1100.0"


def test_a_cycle_through_imports_inside_functions_counts(house: ModuleType, tmp_path: Path) -> None:
    one = "def f():\n    from pkg.room.two import g\n"
    three = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.room import one\n"
    folder = package(tmp_path, room__one=one, room__two="from . import three\nimport pkg.room.one\n", room__three=three)
    assert house.measure(folder)["modules in the largest import cycle"] == "2"
    (folder / "room" / "three.py").write_text("from .one import f\n", encoding="utf-8")
    assert house.measure(folder)["modules in the largest import cycle"] == "3"
    (folder / "room" / "one.py").write_text("", encoding="utf-8")
    assert house.measure(folder)["modules in the largest import cycle"] == "0"


def test_a_folder_without_python_is_refused(house: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no Python file"):
        house.measure(tmp_path)


def test_packages_are_columns_of_one_table(
    house: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = package(tmp_path, one="x = 1\n")
    monkeypatch.setattr(sys, "argv", ["house.py", str(folder), str(folder)])
    house.main()
    head, rule, first, *_ = capsys.readouterr().out.splitlines()
    assert head == f"|  | {folder} | {folder} |"
    assert rule == "| --- | --: | --: |"
    assert first == "| lines in total | 1 | 1 |"
