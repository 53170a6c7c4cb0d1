"""The pages of the reference, made from the code: commands, everything that can be chosen, columns, the Python API."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
import typer.main
from typer.cli import get_docs_for_click

import harness
from harness import api
from harness.base.files import write_text
from harness.choices._text import shown
from harness.choices.room import Room
from harness.cli.app import app
from harness.cli.listing import ROOMS, TITLES
from harness.report.across_columns import OVERALL
from harness.report.columns import COSTS, POSITION
from harness.report.markdown import code, escaped, grid
from harness.rows import DEFAULT_ROWS

ROOT = Path(__file__).parents[1]
SHARED = ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")
"""Pages of the repository that are on the site too."""


def write(folder: Path) -> None:
    """Writes all pages; one that has not changed keeps its time, so that it is not rendered again."""
    folder.mkdir(exist_ok=True)
    for name, text in pages().items():
        place = folder / f"{name}.md"
        if not place.is_file() or place.read_text(encoding="utf-8") != text:
            write_text(place, text)


def pages() -> dict[str, str]:
    """Name → Markdown."""
    found = {"commands": commands(), "rows": rows(), "columns": columns(), "api": python()}
    found |= {name: room_page(name, room) for name, room in ROOMS.items()}
    return found | {_name(shared): copied(shared) for shared in SHARED}


def commands() -> str:
    """Every command with its options, as `--help` has them, by typer's own writer."""
    command = typer.main.get_command(app)
    context = command.context_class(command, info_name="harness")
    text = get_docs_for_click(obj=command, ctx=context, name="harness", title="Commands")
    text = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+", "", text)  # summaries that are cut, of sections that follow
    return re.sub(r"^\* (`-)", r"- \1", text, flags=re.MULTILINE)


def rows() -> str:
    """The default rows."""
    lines = [[code(name), code(text)] for name, text in DEFAULT_ROWS.items()]
    table = grid(["row", "the same in full"], lines, words=(0, 1))
    return f"# Default rows\n\n`harness run` without `--method` runs these.\n\n{table}\n"


def columns() -> str:
    """What the columns of the boards mean."""
    tables = {"The table of a dataset": (*POSITION, *COSTS), "The table across datasets": OVERALL}
    parts = ["# Columns", "A column for each measure, and these. What has no value in a row is `–`."]
    for title, found in tables.items():
        helps = {each.heading: each.help.replace("|", "\\|") for each in reversed(found)}
        lines = [[escaped(name), text or _elsewhere(name, helps)] for name, text in reversed(helps.items())]
        parts += [f"## {title}", grid(["column", "what it is"], lines, words=(0, 1))]
    return "\n\n".join(parts) + "\n"


def _elsewhere(name: str, helps: Mapping[str, str]) -> str:
    """The explanation of another column that explains this one too."""
    return next((text for text in helps.values() if f"`{name}`" in text), "")


def room_page(name: str, room: Room[Any]) -> str:
    """Each item of a room with its settings, from the docstring of its class; then what an item must provide."""
    parts = [f"# {TITLES.get(name, name).capitalize()}"]
    for item, found in room.usable():
        parts += [f"## {item}", prose(found), _settings(found)]
    contract = f"{room.base.__module__}.{room.base.__qualname__}"
    parts += ["## What an item must provide", _directive("autoclass", contract, "members:", "no-index:")]
    return "\n\n".join(part for part in parts if part) + "\n"


def prose(item: type) -> str:
    """The docstring without its sections, as Markdown: code is in backticks, the rest is text."""
    text = re.split(r"^(?:Args|Raises|Returns):", inspect.getdoc(item) or "", maxsplit=1, flags=re.MULTILINE)[0]
    return "\n\n".join(escaped(paragraph) for paragraph in re.split(r"\n\s*\n", text.strip()))


def _settings(item: type) -> str:
    """A table of the settings that an expression may have."""
    explained = explanations(item)
    lines = [
        [code(field.name), code(_default(field)), escaped(explained.get(field.name, ""))]
        for field in dataclasses.fields(item)
        if field.init
    ]
    return grid(["setting", "default", "what it is"], lines, words=(0, 1, 2)) if lines else ""


def explanations(item: type) -> dict[str, str]:
    """Setting → what it is: from the section `Args` of the class and of those that it inherits settings from, or the
    text below the setting.
    """
    found: dict[str, str] = {}
    for each in reversed(item.__mro__):
        text = inspect.cleandoc(vars(each).get("__doc__") or "")
        section = re.search(r"^Args:.*\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
        entries = re.finditer(r"^    (\w[\w, ]*): (.*(?:\n     .*)*)", section[1] if section else "", re.MULTILINE)
        for names, words in (entry.groups() for entry in entries):
            found |= dict.fromkeys(names.split(", "), " ".join(words.split()))
        if dataclasses.is_dataclass(each):
            found |= dict(re.findall(r'^    (\w+): .*\n    """(.*?)"""', inspect.getsource(each), re.MULTILINE))
    return found


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return str(field.default_factory())
    return "required" if field.default is dataclasses.MISSING else shown(field.default)


def python() -> str:
    """What `harness` and `harness.api` have."""
    parts = ["# Python", "## harness", "The names that `from harness import …` gives, imported when first used."]
    parts += [_directive("autoclass", path, "members:") for path in _public(classes=True)]
    parts += [_directive("autofunction", path) for path in _public(classes=False)]
    parts += ["## harness.api", "One function for each use; the commands call them."]
    for name in sorted(api.__all__):
        found = getattr(api, name)
        if callable(found) and not isinstance(found, type):
            parts.append(_directive("autofunction", f"harness.api.{name}"))
    return "\n\n".join(parts) + "\n"


def _public(*, classes: bool) -> Iterator[str]:
    for name in harness.__all__:
        found = getattr(harness, name)
        if isinstance(found, type) is classes and not (not classes and name in api.__all__):
            yield f"{found.__module__}.{found.__qualname__}"


def copied(path: str) -> str:
    """A page of the repository, its links leading to pages of the site."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for shared in SHARED:
        text = text.replace(f"]({shared}", f"]({_name(shared)}.md")
    return text.replace("](docs/", "](../").replace("](../docs/", "](../")


def _name(path: str) -> str:
    return Path(path).stem.lower() if "/" not in path else Path(path).parts[0]


def _directive(name: str, target: str, *options: str) -> str:
    lines = "".join(f"   :{option}\n" for option in options)
    return f"```{{eval-rst}}\n.. {name}:: {target}\n{lines}```"
