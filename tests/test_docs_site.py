"""The documentation site: its generated pages have everything that there is, and its contents name every page.

`tox -e docs` builds it, with warnings as errors.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import harness
from harness import api
from harness.cli.listing import ROOMS
from harness.report.across_columns import OVERALL
from harness.report.columns import COSTS, POSITION
from harness.rows import DEFAULT_ROWS
from tests.cli.test_table_parameters import commands

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    sys.path.insert(0, str(DOCS))
    try:
        import generate  # it is next to the site's configuration, not in a package
    finally:
        sys.path.remove(str(DOCS))
    return generate


@pytest.fixture(scope="module")
def pages(generate: ModuleType) -> dict[str, str]:
    return generate.pages()


def test_the_contents_name_every_page_once(pages: dict[str, str]) -> None:
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), re.DOTALL)
    named = [line for block in blocks for line in block.splitlines() if line and line[0] != ":"]
    written = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    assert sorted(named) == sorted({*written, *(f"reference/{name}" for name in pages)})


def test_every_item_and_setting_is_explained(generate: ModuleType, pages: dict[str, str]) -> None:
    for name, room in ROOMS.items():
        for item, found in room.usable():
            section = pages[name].partition(f"## {item}\n")[2].partition("\n## ")[0]
            explained = generate.explanations(found)
            for field in dataclasses.fields(found):
                if field.init:
                    assert explained.get(field.name), f"{name}: {item}: {field.name}"
                    assert f"| `{field.name}` " in section


def test_every_command_and_option_is_listed(pages: dict[str, str]) -> None:
    for name, options in commands().items():
        section = pages["commands"].partition(f"## `harness {name}`\n")[2].partition("\n## ")[0]
        assert section, name
        assert not [option for option in options if option[0] == "-" and option not in section]


def test_default_rows_and_columns_are_listed(pages: dict[str, str]) -> None:
    assert all(f"| `{name}` " in pages["rows"] for name in DEFAULT_ROWS)
    headings = {column.heading for column in (*POSITION, *COSTS, *OVERALL)}
    assert not [heading for heading in headings if f"| {heading} " not in pages["columns"]]


def test_every_public_name_is_listed(pages: dict[str, str]) -> None:
    for name in harness.__all__:
        assert re.search(rf":: harness\.[\w.]*\b{name}\n", pages["api"]), name
    functions = [name for name in api.__all__ if callable(found := getattr(api, name)) and not isinstance(found, type)]
    assert not [name for name in functions if f":: harness.api.{name}\n" not in pages["api"]]


def test_shared_pages_link_to_pages_of_the_site(generate: ModuleType) -> None:
    for shared in generate.SHARED:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", generate.copied(shared)):
            there = DOCS / "reference" / target
            assert there.resolve().is_file() or target.removesuffix(".md") in generate.pages(), f"{shared}: {target}"


def test_an_unchanged_page_is_not_written_again(generate: ModuleType, tmp_path: Path) -> None:
    generate.write(tmp_path)
    (tmp_path / "rows.md").write_text("old")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    generate.write(tmp_path)
    changed = {path.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed == {"rows.md"}
