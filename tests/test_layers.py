"""The map in `harness/__init__.py` is true: imports point down it, rooms stay open, every module has its test."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import harness

ROOT = Path(harness.__file__).parent
TESTS = Path(__file__).parent
PLURAL = {
    "analyzers",
    "datasets",
    "engines",
    "executors",
    "feedback",
    "fusions",
    "generators",
    "indexes",
    "judges",
    "losses",
    "measures",
    "methods",
    "recipes",
    "searches",
}
BUILT_ON = {
    # A method or recipe whose default is made of others, and an analyser that is another's words, stemmed.
    ("methods._search_engine", "methods.dense"),
    ("methods.chunked", "methods.dense"),
    ("methods.late_chunks", "methods.dense"),
    ("methods.doc2query", "methods.bm25"),
    ("methods.hybrid", "methods.bm25"),
    ("methods.hybrid", "methods.dense"),
    ("methods.ltr", "methods.bm25"),
    ("methods.ltr", "methods.dense"),
    ("methods.memory", "methods.dense"),
    ("methods.hyde", "methods.dense"),
    ("methods.query2doc", "methods.bm25"),
    ("methods.rerank", "methods.bm25"),
    ("methods.rerank", "methods.dense"),
    ("methods.tuned", "methods.bm25"),
    ("recipes.soup", "recipes.supervised"),
    ("analyzers.cjk", "analyzers.standard"),
    ("analyzers.english", "analyzers.standard"),
    ("analyzers.snowball", "analyzers.standard"),
}
HEAVY = {"torch", "sentence_transformers", "transformers"}


def dotted(path: Path) -> str:
    """`methods/bm25.py` → `methods.bm25`, `methods/__init__.py` → `methods`, the package itself → ``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {dotted(path): path for path in sorted(ROOT.rglob("*.py"))}


def is_private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


def guarded(node: ast.AST) -> bool:
    """`if TYPE_CHECKING:`, which nothing runs."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST, *, lazy: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that are run when the module is imported; with `lazy`, those inside functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not guarded(child) and (
            lazy or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        ):
            yield from statements(child, lazy=lazy)


def targets(statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Dotted names of all modules a statement may import."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    else:
        assert statement.level == 0, "relative imports hide where they point"
        assert statement.module is not None
        inner = [f"{statement.module}.{alias.name}" for alias in statement.names]
        modules = [name for name in inner if name.removeprefix("harness.") in FILES]
        yield from modules
        if len(modules) < len(inner):
            yield statement.module


PICKLES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


@dataclass(frozen=True)
class Source:
    """What the tests ask of a module; its tree is not kept, since those of all modules together are large.

    Args:
        lines: of the text.
        at_import: modules that are imported when it is imported.
        anywhere: those that are imported inside functions too.
        prints: line numbers of `print(…)`.
        pickles: what would read a pickle, with its line.
    """

    lines: tuple[str, ...]
    at_import: frozenset[str]
    anywhere: frozenset[str]
    prints: tuple[int, ...]
    pickles: tuple[str, ...]


@functools.cache
def source(name: str) -> Source:
    """Parsed once for all tests."""
    text = FILES[name].read_text(encoding="utf-8")
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    found = [{t for statement in statements(tree, lazy=lazy) for t in targets(statement)} for lazy in (False, True)]
    prints = [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    pickles = [f"line {node.lineno}" for node in nodes if reads_pickle(node)]
    return Source(tuple(text.splitlines()), frozenset(found[0]), frozenset(found[1]), tuple(prints), tuple(pickles))


def reads_pickle(node: ast.AST) -> bool:
    """Whether a statement imports what reads pickles, or a call may read one."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        return bool(PICKLES & {one.partition(".")[0] for one in named})
    if not isinstance(node, ast.Call):
        return False
    given = {word.arg: ast.unparse(word.value) for word in node.keywords}
    called = ast.unparse(node.func)
    return (
        given.get("weights_only", "True") != "True"
        or given.get("allow_pickle", "False") != "False"
        or (called == "torch.load" and "weights_only" not in given)
        or called.endswith("read_pickle")
    )


@functools.cache
def imports(name: str, *, lazy: bool) -> frozenset[str]:
    """What a module of ours imports of ours."""
    found = source(name).anywhere if lazy else source(name).at_import
    return frozenset(t.removeprefix("harness").removeprefix(".") for t in found if t.partition(".")[0] == "harness") - {
        name
    }


def layers() -> list[str]:
    """The map's names in order, read from the package's own words."""
    rows = re.findall(r"^    (\S+(?:,? \S+)*)  +\S", harness.__doc__ or "", re.MULTILINE)
    return [name for row in rows for name in re.split(r",? ", row)]


LAYERS = layers()


def layer(name: str) -> int:
    room = name.partition(".")[0]
    return LAYERS.index(f"{room}/" if f"{room}/" in LAYERS else room)


def test_the_map_names_every_module_and_room_once_and_nothing_else() -> None:
    there = {name.partition(".")[0] for name in FILES} - {""}
    assert sorted({name.rstrip("/") for name in LAYERS}) == sorted(there)
    assert len(set(LAYERS)) == len(LAYERS)
    assert {name for name in LAYERS if name.endswith("/")} == {
        f"{name}/" for name in there if FILES[name].name == "__init__.py"
    }


@pytest.mark.parametrize("name", [name for name in FILES if name])
def test_imports_point_down_the_map(name: str) -> None:
    for target in imports(name, lazy=True):
        if target:  # the package itself, which imports nothing, may be asked for its version
            room, other = name.partition(".")[0], target.partition(".")[0]
            assert room == other or layer(target) < layer(name), f"{name} imports {target}, which stands above it"


def test_importing_the_package_imports_no_module_of_it() -> None:
    assert not imports("", lazy=False)


@pytest.mark.parametrize("room", sorted(PLURAL))
def test_a_plural_room_imports_none_of_its_residents(room: str) -> None:
    assert not [
        target for target in imports(room, lazy=True) if target.startswith(f"{room}.") and not is_private(target)
    ]


def test_residents_of_a_plural_room_know_each_other_only_where_one_is_built_on_another() -> None:
    known = {
        (name, target)
        for name in FILES
        for target in imports(name, lazy=True)
        if name.partition(".")[0] in PLURAL
        and target.partition(".")[0] == name.partition(".")[0]
        and "." in name
        and "." in target
        and not is_private(target)
    }
    assert known == BUILT_ON


def test_no_module_imports_itself_by_a_detour() -> None:
    """Imports inside functions count too, and those between the modules of one room."""
    try:
        TopologicalSorter({name: imports(name, lazy=True) for name in FILES}).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize(
    "name", [name for name in FILES if name and not is_private(name) and FILES[name].name != "__init__.py"]
)
def test_every_public_module_has_its_test(name: str) -> None:
    *rooms, item = name.split(".")
    assert TESTS.joinpath(*rooms, f"test_{item.removeprefix('test_')}.py").is_file()


@pytest.mark.parametrize("room", sorted(PLURAL))
def test_every_plural_room_has_tests_of_its_contract(room: str) -> None:
    assert TESTS.joinpath(room, "test_contract.py").is_file()


@pytest.mark.parametrize("name", list(FILES))
def test_models_are_imported_only_when_something_is_encoded(name: str) -> None:
    assert not {target.partition(".")[0] for target in source(name).at_import} & HEAVY


@pytest.mark.parametrize("name", list(FILES))
def test_nothing_prints_behind_the_callers_back(name: str) -> None:
    assert not source(name).prints


@pytest.mark.parametrize("name", list(FILES))
def test_nothing_from_disk_is_read_as_a_pickle(name: str) -> None:
    """Reading a pickle runs what it says: who can write to a cache could run code."""
    assert not source(name).pickles


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "np.load(file, allow_pickle=True)",
        "pandas.read_pickle(file)",
    ],
)
def test_what_would_read_a_pickle_is_seen(code: str) -> None:
    assert [node for node in ast.walk(ast.parse(code)) if reads_pickle(node)]


LONGEST_MODULE, LONGEST_LINE = 250, 120


@pytest.mark.parametrize("name", list(FILES))
def test_modules_and_lines_stay_short(name: str) -> None:
    lines = source(name).lines
    assert len(lines) <= LONGEST_MODULE, "split the module by ideas"
    assert not [f"line {number}" for number, line in enumerate(lines, start=1) if len(line) > LONGEST_LINE]


def test_every_module_lives_in_a_room() -> None:
    assert {name for name in FILES if "." not in name and FILES[name].name != "__init__.py"} == {
        "__main__",
        "api",
        "rows",
    }
