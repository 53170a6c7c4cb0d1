"""The names that users give to rows, on the command line and in the `[rows]` table of a TOML file."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from harness.base.errors import HarnessError, SettingError
from harness.base.redaction import check_name
from harness.base.toml_files import File, read
from harness.choices.aliases import LONGEST, split
from harness.choices.expression import parse
from harness.choices.items import normalised
from harness.methods import METHODS, Method
from harness.rows import GROUPS, NAMED, ROOMS, methods_of, parse_method

PROJECT = "pyproject.toml"
TABLE = ("tool", "harness", "rows")
"""The table of `pyproject.toml`; any other file has `[rows]`."""


def aliases_of(rows: Sequence[str | Method], precision: str | None = None) -> dict[Method, str]:
    """The names that rows are given, as `best` in `best=hybrid(…)`; without the rows that are given none.

    Args:
        rows: values or text.
        precision: see `harness.rows.methods_of`.

    Raises:
        SettingError: a name that cannot be one, one name for several rows, or several for one.
    """
    aliases: dict[Method, str] = {}
    for row in rows:
        alias, expression = split(row) if isinstance(row, str) else ("", "")
        if not alias:
            continue
        check_alias(alias)
        if expression in GROUPS:
            raise SettingError(f"{alias} would name several rows: {expression} is a group.")
        (method,) = methods_of([expression], precision)
        if aliases.get(method, alias) != alias:
            raise SettingError(f"{aliases[method]} and {alias} name the same row; give it one name.")
        if any(name == alias and other != method for other, name in aliases.items()):
            raise SettingError(f"{alias} names two rows; give each a name of its own.")
        aliases[method] = alias
    return aliases


def check_alias(alias: str) -> None:
    """Refuses a name that is too long, has a key in it, or is a row or a group of rows already.

    Raises:
        SettingError: why.
    """
    if len(alias) > LONGEST:
        raise SettingError(f"the name {alias[:LONGEST]}… is too long: {LONGEST} characters at most.")
    check_name(alias, "name")
    if alias in GROUPS or _is_row(alias):
        raise SettingError(f"{alias} is a row already; choose another name.")


def _is_row(text: str) -> bool:
    try:
        parse(text, METHODS, ROOMS, NAMED)
    except HarnessError:
        return False
    return True


def row_table(path: Path | None = None) -> dict[str, str]:
    """Name → expression, from a TOML file.

    Args:
        path: a file with a table `[rows]`, or a pyproject.toml with `[tool.harness.rows]`; None takes the nearest
            pyproject.toml, in this folder or above it, if it has that table.

    Raises:
        SettingError: the file cannot be read, or a name or a row is wrong; names the line.
    """
    if path is None:
        here = Path.cwd()
        path = next((p for folder in (here, *here.parents) if (p := folder / PROJECT).is_file()), None)
        if path is None:
            return {}
        try:
            file = read(path)
        except SettingError:
            return {}  # another tool's file, and nothing was asked of it
    else:
        file = read(path)
    keys = TABLE if path.name == PROJECT else TABLE[-1:]
    return rows_in(file, keys)


def rows_in(file: File, keys: tuple[str, ...] = TABLE[-1:]) -> dict[str, str]:
    """The named rows of a table of a file.

    Raises:
        SettingError: a name or a row is wrong; names the line.
    """
    table: object = file.data
    for key in keys:
        table = table.get(key, {}) if isinstance(table, Mapping) else {}
    if not isinstance(table, Mapping) or not all(isinstance(row, str) for row in table.values()):
        raise file.fault('rows are written as name = "expression"', *keys)
    rows: dict[str, str] = dict(table)
    if cycle := _cycle(rows):
        text = f"{' → '.join(cycle)}: these names stand for each other, so none of them is a row; write one in full"
        raise file.fault(text, *keys, cycle[0])
    for alias, row in rows.items():
        try:
            if split(f"{alias}=bm25")[0] != alias:
                raise SettingError(f"{alias!r} cannot be a name: use letters, digits, spaces and . + - _")
            check_alias(alias)
            parse_method(row, {**NAMED, **rows})
        except HarnessError as error:
            raise file.fault(str(error), *keys, alias) from error
    return rows


def _cycle(rows: Mapping[str, str]) -> list[str]:
    """Names that need each other to be read, from one of them round to it again; empty if there are none."""
    names = {normalised(alias): alias for alias in rows}

    def needed(row: str) -> set[str]:
        whole = normalised(row.strip())
        try:
            used = {node.id for node in ast.walk(ast.parse(row.strip(), mode="eval")) if isinstance(node, ast.Name)}
        except (SyntaxError, ValueError, RecursionError):  # reported when the row is read
            used = set()
        return {names[name] for name in ({whole} if whole in names else used & names.keys())}

    try:
        TopologicalSorter({alias: needed(row) for alias, row in rows.items()}).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))  # graphlib goes from what is needed to what needs it
    return []


def spelled(row: str, table: Mapping[str, str]) -> str:
    """A row whose text names rows of a table, without these names: `best` becomes `best=hybrid(…)`.

    Raises:
        HarnessError: as `harness.rows.parse_method`.
    """
    alias, expression = split(row)
    if not table or expression in GROUPS or expression.startswith("run/"):
        return row
    if not alias and expression in table:
        alias = expression
    method = parse_method(expression, {**NAMED, **table})
    text = method.full()
    return f"{alias}={text}" if alias else text
