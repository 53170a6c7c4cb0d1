"""The documentation is true of the tree: files, names, links, commands and rows that it mentions exist."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.core
import typer.main

from harness.choices.expression import parse
from harness.cli.app import app
from harness.data.measures import DEFAULT, parse_measures
from harness.executors import EXECUTORS
from harness.rows import ROOMS, parse_method

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
ROOT_FOLDERS = "harness|tests|benchmarks|suites|docs|results"
ADDED = re.compile(r"```python\n.*?```", re.DOTALL)
GROUPS = {"recipes", "tuned-baselines"}
"""Names that stand for several rows."""
UsageError = typer.BadParameter.__base__


EXAMPLES = {
    "methods": "random_order",
    "recipes": "titles",
    "losses": "ranknet",
    "measures": "best_grade",
    "indexes": "leading",
    "datasets": "faq",
    "generators": "opening",
    "rewriters": "repeated",
}
"""Room → the item that CONTRIBUTING adds to it; `tests/test_contributing.py` does as it says."""
EXAMPLE_NAMES = {*EXAMPLES.values(), "random", "codes"}
EXAMPLE_MEASURES = ("BestGrade", "FirstHit")
"""Names that pages bring themselves; `tests/test_any_system_docs.py` runs those of docs/any-system.md."""
ADDED_FILES = {
    f"{top}/{room}/{prefix}{name}.py"
    for room, item in EXAMPLES.items()
    for name in (item, "contract", "__init__")
    for top, prefix in (("harness", ""), ("tests", "test_"))
}


@pytest.fixture(params=PAGES, ids=lambda page: page.name if page.parent != ROOT / "benchmarks" else "benchmarks")
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_files_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(rf"(?<![\w./-])((?:{ROOT_FOLDERS})/[\w/.-]+\.(?:py|toml|json|md|html))\b", text(page)))
    missing = {name for name in named if not (ROOT / name).exists() and not (page.parent / name).exists()}
    if page.name == "CONTRIBUTING.md":
        missing -= ADDED_FILES
    assert not missing


def test_python_files_are_named_with_their_folder(page: Path) -> None:
    """A bare `family.py` cannot be found by a reader, nor checked here."""
    bare = re.findall(r"`([a-z_]+\.py)`", text(page))
    assert not [name for name in bare if name != "__init__.py" and not (page.parent / name).exists()]


def test_modules_and_their_names_can_be_imported(page: Path) -> None:
    for name in set(re.findall(r"(?<![\w./])harness(?:\.\w+)+", ADDED.sub("", text(page)))):
        *package, last = name.split(".")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(".".join(package)), last), name


def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text(page)):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text(file), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\s-]", "", h.lower()).replace(" ", "-") for h in headings}, anchor


def commands(page: Path) -> Iterator[tuple[str, bool]]:
    """Every `harness …` in the page, and whether it is a whole command: in prose, `harness decide` is only a name."""
    for block in re.findall(r"```\w*\n(.*?)```", text(page), re.DOTALL):
        yield from ((line, True) for line in block.splitlines() if line.startswith("harness "))
    prose = re.sub(r"```.*?```", "", text(page), flags=re.DOTALL)
    yield from ((" ".join(code.split()), False) for code in re.findall(r"`(harness [^`]+)`", prose))


def is_pattern(line: str) -> bool:
    """Whether a command stands for several, or has places to fill in."""
    if "-completion" in line:  # parsing it would install it
        return True
    return bool(re.search(r"…|\||\[|\b[A-Z]{3,}\b|ROW|FILE", line.partition("#")[0].replace("OPENAI_API_KEY", "")))


def parsed(line: str) -> dict[str, Any]:
    """The options of a command, read by the command line itself without running it.

    Raises:
        UsageError: there is no such command or option.
    """
    command = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    parent = None
    while isinstance(command, typer.core.TyperGroup):
        parent = command.context_class(command, info_name=command.name, parent=parent)
        _, inner, words = command.resolve_command(parent, words)
        assert inner is not None
        command = inner
    return command.make_context(command.name, words, parent=parent).params


def test_commands_can_be_parsed_and_rows_exist(page: Path) -> None:
    for line, whole in commands(page):
        if is_pattern(line):
            continue
        try:
            options = parsed(line)
        except UsageError as error:
            if not whole and type(error).__name__ == "MissingParameter":
                continue
            raise
        for row in options.get("method") or ():
            if row not in GROUPS and not EXAMPLE_NAMES & set(re.findall(r"\w+", row)):
                assert parse_method(row)
        if options.get("measure"):
            measure = options["measure"]
            named = [measure] if isinstance(measure, str) else measure
            parse_measures([name for name in named if not name.startswith(EXAMPLE_MEASURES)] or DEFAULT)
        if options.get("executor"):
            parse(options["executor"], EXECUTORS, ROOMS)


def test_a_command_that_does_not_exist_is_found() -> None:
    with pytest.raises(UsageError):
        parsed("harness run --methodd bm25")
    with pytest.raises(UsageError):
        parsed("harness runn")


def test_rows_in_tables_exist(page: Path) -> None:
    """Tables whose first column is `row`."""
    for table in re.findall(r"^\| row .*\n((?:\|.*\n)+)", text(page), re.MULTILINE):
        for cell in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE):
            for row in re.findall(r"`([^`]+)`", cell):
                if "…" not in row and not row.startswith(("run/", "feedback=", "extractive(")):
                    assert parse_method(row)


def test_prose_has_lines_of_at_most_120_characters(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", text(page), flags=re.DOTALL)
    assert not [line for line in prose.splitlines() if len(line) > 120 and not line.startswith("|")]
