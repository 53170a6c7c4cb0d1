"""Plug-ins: one Python file that adds items to the rooms and columns to the board.

A plug-in is named by `--plugin`, by the variable `HARNESS_PLUGINS` (paths as in `PATH`), or by `plugins = ["…"]` in the
table `[tool.harness]` of the nearest `pyproject.toml`. Every public class in the file that is a frozen dataclass and
derives from the contract of a room is an item of that room, under its class's name in small letters: `MySearch` is
`my_search`. The file is imported once in a process, when an item is first looked up; the hash of its code is part of
the identity of rows that use it, as for any module (`harness.cache.code`).

The named files are read from the environment each time, so that processes started by this one have them too.
"""

from __future__ import annotations

import abc
import functools
import inspect
import os
import sys
import tomllib
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from harness.base.errors import SettingError
from harness.choices.items import files
from harness.choices.source_file import imported
from harness.choices.value import PLUGIN, Value

VARIABLE: Final = "HARNESS_PLUGINS"
TABLE: Final = ("plugins", "rows")
"""Keys of the table `[tool.harness]`; `rows` has names of rows (`harness.bench.aliases`)."""
_loaded: dict[Path, types.ModuleType] = {}
_loading: set[Path] = set()


def name_plugins(paths: Iterable[Path]) -> None:
    """Adds files to those that `HARNESS_PLUGINS` names, and imports all that are named.

    Raises:
        SettingError: a file that does not exist or cannot be imported; names the file and the line.
    """
    named = [str(path.expanduser().resolve()) for path in paths]
    before = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    if named:
        os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*before, *named]))
    loaded()


def named_files() -> list[Path]:
    """The files of all plug-ins, each once, in the order in which they are named.

    Raises:
        SettingError: the table `[tool.harness]` cannot be read.
    """
    of_environment = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    paths = [*map(Path, of_environment), *of_project(Path.cwd())]
    return list(dict.fromkeys(path.expanduser().resolve() for path in paths))


@functools.cache
def of_project(folder: Path) -> tuple[Path, ...]:
    """The plug-ins that the nearest `pyproject.toml` names, in the folder or above it; read once in a process.

    Raises:
        SettingError: the table `[tool.harness]` cannot be read.
    """
    for place in (folder, *folder.parents):
        file = place / "pyproject.toml"
        if file.is_file():
            return tuple(place / name for name in _in_table(file))
    return ()


def _in_table(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    if "tool.harness" not in text:  # somebody else's file, which may be broken without any effect here
        return []
    try:
        table = tomllib.loads(text).get("tool", {}).get("harness", {})
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{file} is not valid TOML: {error}.") from error
    for key in table:
        if key not in TABLE:
            raise SettingError(f"{file}: unknown key {key!r} in [tool.harness]; known: {', '.join(TABLE)}.")
    plugins = table.get("plugins", [])
    if not isinstance(plugins, list) or not all(isinstance(each, str) and each for each in plugins):
        raise SettingError(f'{file}: plugins in [tool.harness] must be a list of paths, as plugins = ["my_search.py"].')
    return plugins


def loaded() -> dict[Path, types.ModuleType]:
    """File → module of every plug-in; those not yet imported are imported now.

    Raises:
        SettingError: a file that does not exist or cannot be imported, or whose items clash; names file and line.
    """
    paths = named_files()
    for path in paths:
        if path not in _loaded and path not in _loading:  # a plug-in may look up items while it is imported
            _loading.add(path)
            try:
                module = imported(path, PLUGIN, "plug-in")
                _check(path, module)
                _loaded[path] = module
            finally:
                _loading.discard(path)
    return {path: _loaded[path] for path in paths if path in _loaded}


def items_of(room: str) -> dict[str, type[Any]]:
    """Name → class of the items that plug-ins add to a room.

    Args:
        room: its package, as `harness.methods`.

    Raises:
        SettingError: as `loaded`; or two plug-ins give one name.
    """
    found: dict[str, type[Any]] = {}
    for module in loaded().values():
        for item in _items(module):
            if getattr(item, "room", None) != room:
                continue
            if item.name() in found:
                both = " and ".join(str(inspect.getsourcefile(each)) for each in (found[item.name()], item))
                raise SettingError(f"{item.name()!r} is given by two plug-ins, {both}; rename one of the classes.")
            found[item.name()] = item
    return found


def place_of(item: type) -> str:
    """File and line of a plug-in's class."""
    _, line = inspect.getsourcelines(item)
    return f"{Path(str(sys.modules[item.__module__].__file__)).name}, line {line}"


def is_plugin(item: type) -> bool:
    """Whether a class is defined in a plug-in."""
    return item.__module__.startswith(PLUGIN)


def _items(module: types.ModuleType) -> list[type[Value]]:
    """The public classes of a plug-in that are values of a room; imported ones and those marked `ABC` do not count."""
    return [
        item
        for label, item in vars(module).items()
        if isinstance(item, type)
        and issubclass(item, Value)
        and not label.startswith("_")
        and item.__module__ == module.__name__
        and hasattr(item, "room")
        and abc.ABC not in item.__bases__
    ]


def _check(path: Path, module: types.ModuleType) -> None:
    items = _items(module)
    for item in items:
        if not ("__dataclass_params__" in vars(item) and getattr(item, "__dataclass_params__").frozen):  # noqa: B009
            raise SettingError(f"{place_of(item)}: put @dataclass(frozen=True) above class {item.__name__}.")
        if item.name() in files(item.room):
            raise SettingError(
                f"{place_of(item)}: {item.__name__} would be {item.name()!r} of {item.room}, which exists; rename the "
                "class."
            )
        if missing := sorted(getattr(item, "__abstractmethods__", ())):
            raise SettingError(f"{place_of(item)}: {item.__name__} lacks {' and '.join(missing)}.")
    if not items and not hasattr(module, "COLUMNS") and not _functions(module):
        raise SettingError(
            f"{path}: a plug-in has public classes that derive from a room's contract, as Method or Measure, or "
            "COLUMNS, and this file has neither."
        )


def _functions(module: types.ModuleType) -> bool:
    """Whether a file has functions of its own: one may be named by a row, `python(file="my_search.py:search")`."""
    return any(inspect.isfunction(each) and each.__module__ == module.__name__ for each in vars(module).values())


def file_of(name: str) -> Path:
    """The file that a row names; one that does not exist here is looked for among the plug-ins, by its name.

    On another machine, a plug-in is where its worker has put it.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path.resolve()
    return next((each for each in named_files() if each.name == path.name and each.is_file()), path)

