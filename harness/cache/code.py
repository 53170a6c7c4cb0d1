"""The code that makes a cached thing, as part of its key: a hash of the modules that decide it, and versions of
libraries.

The hash covers what Python runs: comments, docstrings, formatting, type-only imports and the words of errors do not
count, so that a clearer sentence trains no model again. A module counts with all that it imports from this package,
inside functions too; a module of another package with what it imports of that package and of sources that have no
version (`harness.cache.origins`).

Two lists say which modules of this package count, for two questions:

- `CARRIERS` here: a key of the cache covers everything that a thing is made with, but for the modules listed. A module
  that is missing from the list costs a rebuild of what did not change; one that is listed wrongly gives stale results.
- `ROOMS` in `harness.bench.identity`: the identity of a row covers the rooms listed and nothing else, the carriers in
  them included. It decides whether a published record is still valid, and a record has to survive a change of a report
  or an executor, which the walk over imports would reach. What a row takes from the cache is covered by the same code.

So a new room of machinery needs no entry in either list unless it can change a score (`ROOMS`) or every step imports
it and no result depends on it (`CARRIERS`).
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final

from harness.cache.origins import is_local, places, siblings
from harness.choices.value import Value

PACKAGE: Final = __name__.partition(".")[0]
CARRIERS: Final = {PACKAGE} | frozenset(
    f"{PACKAGE}.{name}"
    for name in (
        # Used by every step, decide no result: errors, files, memory, settings as text, the context, the cache.
        *("base.errors", "base.files", "base.optional", "base.memory", "base.threads", "choices.value", "choices.room"),
        *("runtime.context", "cache", "cache.folders", "cache.names", "cache.marker", "cache.kinds", "cache.remote"),
        "cache.code",
        # Pass data or a model on, which is in the key by its content.
        *("data.queries", "data.dataset", "models.resolve"),
        # The way to a hosted model and back: the key of an answer is what was sent.
        *("endpoints.address", "endpoints.journal", "endpoints.meter", "endpoints.retries", "endpoints.pool"),
        *("endpoints.prices", "endpoints.providers", "endpoints.service"),
        # Contracts of rooms whose items are values: an item counts where it is named.
        *("methods", "recipes", "training.recipe"),
        # Describe a thing and do not change it.
        *("leaks.overlap", "leaks.history", "training.card"),
        # Stores a trained model under a key that says what made it.
        "training.trained_models",
    )
)
"""Modules that do not count when another module imports them; each counts when it is a part named to `code_of`."""
MODELS: Final = ("torch", "transformers", "tokenizers", "sentence-transformers")
"""Libraries that compute what a model answers."""
_TEXT_ONLY: Final = frozenset({"ctx", "type_comment", "kind", "lineno"})


def code_of(*parts: str | Value, without: Collection[str] = (), libraries: Collection[str] = ()) -> str:
    """16 hexadecimal digits over the code that decides a thing; computed once in a process for each module.

    Args:
        parts: dotted names of modules, or values: a value counts with its module and those of all values nested in it.
        without: modules that do not count, besides `CARRIERS`: those whose effect on the thing is in the key already.
        libraries: names of installed packages, the versions of which count; one that is absent counts as absent.

    Raises:
        ValueError: `without` names a module that does not exist, as after a rename.
    """
    deciding = [*modules_of(*parts, without=without).items(), *versions(*libraries).items()]
    return hashlib.sha256(repr(deciding).encode()).hexdigest()[:16]


def modules_of(
    *parts: str | Value, without: Collection[str] = (), rooms: Collection[str] | None = None
) -> dict[str, str]:
    """Module → hash of its code, sorted: the modules of `parts` and those that they import.

    Args:
        parts: as for `code_of`.
        without: as for `code_of`; read only where `rooms` is None.
        rooms: dotted prefixes of modules of this package: only modules below one of them are followed and counted,
            `CARRIERS` included. None follows everything but the carriers.
    """
    if gone := [name for name in without if source_of(name) is None]:
        raise ValueError(f"there is no module {gone[0]}: was it renamed?")
    roots: set[str] = set()
    for part in parts:
        roots.update([part] if isinstance(part, str) else _modules_of_value(part))
    tops = {_top(name) for name in roots}
    packages = tops | {PACKAGE} | siblings(tops - {PACKAGE})
    stop = CARRIERS | set(without)

    def counts(name: str, importer: str) -> bool:
        if _top(name) not in packages:
            # A library that this package imports counts by its version; a plug-in may import sources without one.
            return _top(importer) != PACKAGE and is_local(_top(name))
        if rooms is None or _top(name) != PACKAGE:
            return name not in stop
        return any(f"{name}.".startswith(f"{PACKAGE}.{room}.") for room in rooms)

    hashes: dict[str, str] = {}
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name not in hashes:
            hashes[name], imported = _module(name, id(sys.modules.get(name)))
            waiting += [other for other in imported if counts(other, name)]
    return dict(sorted(hashes.items()))


def _top(name: str) -> str:
    return name.partition(".")[0]


def versions(*libraries: str) -> dict[str, str]:
    """Package → its installed version without the mark of a local build; those that are absent are left out."""
    installed = {}
    for name in sorted(libraries):
        try:
            installed[name] = _version(name, importlib.metadata.version)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


@functools.cache
def _version(name: str, look_up: Callable[[str], str]) -> str:
    """The version of a package, looked up once in a process: each lookup parses a file, and keys need it often."""
    return look_up(name).partition("+")[0]


def _modules_of_value(value: Value) -> Iterator[str]:
    yield type(value).__module__
    for part in value.parts():
        yield from _modules_of_value(part)


@functools.cache
def _module(name: str, loaded: int) -> tuple[str, tuple[str, ...]]:
    """Hash of a module's code, and the modules with a source that it imports; the empty string if it has no source.

    `loaded` is the identity of the imported module: a file is read once for each import, since what runs is what the
    file contained then.
    """
    source = source_of(name)
    if source is None:
        return "", ()
    package = name if source.name == "__init__.py" else name.rpartition(".")[0]
    digest, imported = _parsed(read(source), package)
    return digest, tuple(target for target in imported if target != name and source_of(target) is not None)


@functools.cache
def _parsed(text: bytes, package: str) -> tuple[str, tuple[str, ...]]:
    """Hash of what a source runs, and the names it imports."""
    tree = ast.parse(text)
    digest = hashlib.sha256()
    pieces: list[str] = []
    _add_pieces(tree, pieces)
    digest.update("".join(f"{piece}\0" for piece in pieces).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32], tuple(sorted(set(_imports(tree, package))))


def read(source: Path) -> bytes:
    """A source file's bytes."""
    return source.read_bytes()


@functools.cache
def source_of(name: str) -> Path | None:
    """The file of a module, without importing it; None if it has none, as a module in C or an interactive session."""
    top, *inner = name.split(".")
    for place in places(top):
        module = Path(place, *inner).with_suffix(".py") if inner else place
        for path in (Path(place, *inner, "__init__.py"), module):
            if path.suffix == ".py" and path.is_file():
                return path
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file) if file and file.endswith(".py") and Path(file).is_file() else None


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    """Dotted names that may be modules, of all imports that can run."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:  # `from ..x import y`
                above = package.split(".")[: len(package.split(".")) - child.level + 1]
                base = ".".join([*above, base] if base else above)
            yield from (base, *(f"{base}.{alias.name}" for alias in child.names))
        elif not isinstance(child, ast.expr) and not _is_type_only(child):  # no expression contains an import
            yield from _imports(child, package)


def _add_pieces(node: ast.AST, pieces: list[str]) -> None:
    """Adds the parts of a tree that decide what runs, in an order and form that do not depend on Python's version."""
    pieces.append(type(node).__name__)
    for name in node._fields:
        if name in _TEXT_ONLY:
            continue
        value = getattr(node, name, None)
        if isinstance(value, list):
            if value:
                pieces.append(name)
            for item in value:
                if not isinstance(item, ast.AST):
                    pieces.append(repr(item))
                elif isinstance(item, ast.Raise):  # without the words of the error
                    _add_pieces(_Wordless().visit(item), pieces)
                elif not _is_silent(item):
                    _add_pieces(item, pieces)
            pieces.append("]")
        elif isinstance(value, ast.AST):
            pieces.append(name)
            _add_pieces(value, pieces)
        elif value is not None:
            pieces.append(f"{name}={value!r}")


class _Wordless(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> Any:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        return ast.Constant("")


def _is_silent(node: ast.AST) -> bool:
    """A docstring, another bare constant, or imports for type checkers."""
    return (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or _is_type_only(node)


def _is_type_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
