"""A Python file of the user, imported as a module; what is wrong with it is reported with file and line."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
import types
from pathlib import Path

from harness.base.errors import SettingError


def imported(path: Path, prefix: str, what: str) -> types.ModuleType:
    """The module of a file, imported once in a process.

    Its name is the prefix and the file's, so that the same file has the same name on every machine, and never that of
    an installed module. What stands next to the file can be imported by it; it comes after everything installed.

    Args:
        path: of the file.
        prefix: of the module's name.
        what: the file is, for messages.

    Raises:
        SettingError: it does not exist, cannot be imported, or another file of its name is imported already; names the
            file and the line.
    """
    path = path.expanduser().resolve()
    name = prefix + re.sub(r"\W", "_", path.stem)
    before = sys.modules.get(name)
    if before is not None:
        if str(before.__file__) == str(path):
            return before
        raise SettingError(f"two files are called {path.name}, {before.__file__} and {path}; rename one of them.")
    if not path.is_file():
        raise SettingError(f"there is no file {path}, which is named as a {what}.")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingError(f"{path} is not a Python file; a {what} ends in .py.")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    sys.modules[name] = module  # before it runs: a dataclass looks up its module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # foreign code may fail in any way
        del sys.modules[name]
        raise SettingError(f"{fault_in(path, error)}. Repair that file.") from error
    return module


def fault_in(path: Path, error: BaseException) -> str:
    """`my_search.py, line 7: ValueError: …`, with the deepest line of the file that the error went through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"{path}, line {lines[-1]}" if lines else str(path)
    return f"{where}: {type(error).__name__}: {error}"
