"""The functions of Python's own standard library: source without docstring, and the docstring.

Only modules that every build of one Python version ships are read, so that the collection is the same on every machine;
modules for another platform are files like the others. Left out are tests, demonstrations and generated tables, and
what distributors split off or patch: Debian has packages of its own for `distutils`, `ensurepip`, `idlelib`,
`lib2to3`, `tkinter` and the macOS half of `ctypes`, Fedora puts `turtle` with `tkinter`, Alpine splits off `dbm`,
Windows alone has `msilib`, and `site`, `sysconfig` and `venv` say where a system keeps its files.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import Unavailable

LEFT_OUT = frozenset(
    {
        "__hello__",
        "__phello__",
        "antigravity",
        "curses",
        "dbm",
        "distutils",
        "encodings",
        "ensurepip",
        "idlelib",
        "lib2to3",
    }
    | {"msilib", "pydoc_data", "site", "sysconfig", "test", "this", "tkinter", "turtle", "turtledemo", "venv"}
)
INNER_LEFT_OUT = frozenset({"__pycache__", "macholib", "test", "tests"})
FEWEST_FILES = 100
"""An installation with fewer files is only a part of the library, as in a frozen program."""


@dataclass(frozen=True)
class Function:
    """One function or method.

    Args:
        id: qualified name, as `argparse.ArgumentParser.parse_args`; a later definition of the same name ends in `#2`.
        name: the last part of it.
        source: from the first decorator to the end, dedented, without the docstring.
        docstring: cleaned of indentation; empty if there is none.
    """

    id: str
    name: str
    source: str
    docstring: str


@dataclass(frozen=True)
class Library:
    """The files that are read, sorted by path below the library's folder (with `/`), and a hash of paths and texts."""

    sources: dict[str, str]
    revision: str

    @classmethod
    def running(cls) -> Library:
        """The standard library of the running Python.

        Raises:
            Unavailable: its sources are not installed.
        """
        root = Path(sysconfig.get_path("stdlib"))
        sources: dict[str, str] = {}
        digest = hashlib.sha256()
        for path in _files(root):
            # Windows installers write Windows line ends.
            text = path.read_bytes().decode("utf-8", errors="replace").replace("\r\n", "\n")
            name = path.relative_to(root).as_posix()
            sources[name] = text
            digest.update(f"{name}\0{len(text)}\0{text}".encode())
        if len(sources) < FEWEST_FILES:
            raise Unavailable(
                f"the sources of Python's standard library are not in {root} ({len(sources)} files).",
                "Run with a Python that has them, or use another dataset: `harness list datasets`.",
            )
        return cls(sources, digest.hexdigest())

    def functions(self) -> Iterator[Function]:
        """All functions and methods in the order of files and lines; an inner function is part of the outer one."""
        seen: dict[str, int] = {}
        for path, text in self.sources.items():
            module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an invalid escape in a string of the library
                tree = ast.parse(text)
            lines = text.split("\n")
            for name, node in _definitions(tree, module):
                source = _without_docstring(node, lines)
                if source is None:
                    continue
                seen[name] = seen.get(name, 0) + 1
                unique = name if seen[name] == 1 else f"{name}#{seen[name]}"
                yield Function(unique, node.name, source, ast.get_docstring(node) or "")


_Definition = ast.FunctionDef | ast.AsyncFunctionDef


def _files(root: Path) -> list[Path]:
    files = []
    # `sys.stdlib_module_names` is the same on every platform and has no packages that were installed later.
    for name in sorted(sys.stdlib_module_names - LEFT_OUT):
        if (root / f"{name}.py").is_file():
            files.append(root / f"{name}.py")
        inner = (root / name).rglob("*.py")
        files += [path for path in inner if not INNER_LEFT_OUT.intersection(path.relative_to(root).parts)]
    return sorted(files, key=lambda p: p.relative_to(root).as_posix())


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, _Definition]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Definition):
            yield f"{prefix}.{child.name}", child
        elif isinstance(child, ast.ClassDef):
            yield from _definitions(child, f"{prefix}.{child.name}")
        elif isinstance(child, (ast.If, ast.Try, ast.ExceptHandler, ast.With, ast.For, ast.While)):
            yield from _definitions(child, prefix)


def _without_docstring(node: _Definition, lines: list[str]) -> str | None:
    """The source of a definition, or None if the docstring shares a line with other code."""
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    assert node.end_lineno is not None
    kept = list(range(first, node.end_lineno + 1))
    if ast.get_docstring(node, clean=False) is not None:
        docstring = node.body[0]
        assert docstring.end_lineno is not None
        start = lines[docstring.lineno - 1].encode()[: docstring.col_offset]
        end = lines[docstring.end_lineno - 1].encode()[docstring.end_col_offset :]
        if start.strip() or end.strip().startswith(b";"):
            return None
        kept = [n for n in kept if not docstring.lineno <= n <= docstring.end_lineno]
    margin = " " * node.col_offset
    text = [lines[n - 1].removeprefix(margin).rstrip() for n in kept]
    return "\n".join(line for line in text if line)
