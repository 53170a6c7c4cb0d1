"""Measures the shape of a package's source: sizes, complexity, import cycles, density and idiom.

    python benchmarks/house.py [FOLDER ...]

Each folder is a Python package; without one it is `harness/`. Several are compared, one column each. Nothing is
imported: the sources are parsed.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import statistics
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTRY_POINTS = {"__init__", "__main__", "api", "rows"}
"""Modules that belong at the top level; all others there are loose."""

IDIOM = """
    afresh amiss anew anybody aright asked asks aside beside besides figure figures held kept lies nobody stand standing
    stands stood taught tell telling tells told unsaid whence whoever
"""
"""Words whose frequency shows a private idiom; names and messages count as well as comments."""

WORD = re.compile(rf"(?<![a-z])(?:{'|'.join(IDIOM.split())})(?![a-z])", re.IGNORECASE)
ANY = re.compile(r"\bAny\b")
Function = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case)


@dataclass(frozen=True)
class Module:
    """One source file.

    Args:
        name: dotted, without the package: `methods.bm25`; a room's `__init__` has the room's name.
        text: the source.
        tree: the parsed source.
    """

    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> list[str]:
        """The source by lines."""
        return self.text.splitlines()


def modules(package: Path) -> list[Module]:
    """All modules of a package.

    Raises:
        SystemExit: the folder has no Python file.
    """
    read = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        read.append(Module(name, text, ast.parse(text)))
    if not read:
        raise SystemExit(f"{package} has no Python file; name the folder of a package, for example harness")
    return read


def complexity(function: Function) -> int:
    """McCabe's cyclomatic complexity, counted as radon does: one, and one more for each branch.

    Branches are statements and ternaries, operands of `and` and `or` after the first, loops and conditions of
    comprehensions. Functions defined inside count for themselves.
    """
    return 1 + sum(_branches(child) for child in ast.iter_child_nodes(function))


def _branches(node: ast.AST) -> int:
    if isinstance(node, Function | ast.ClassDef):
        return 0
    count = int(isinstance(node, BRANCHES))
    if isinstance(node, ast.BoolOp):
        count = len(node.values) - 1
    elif isinstance(node, ast.comprehension):
        count = 1 + len(node.ifs)
    return count + sum(_branches(child) for child in ast.iter_child_nodes(node))


def functions(module: Module) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    """Lines of a function from its `def` to its end, decorators left out."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def nested_comprehensions(tree: ast.AST) -> int:
    """Comprehensions inside another, and those with more than one `for`."""
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, COMPREHENSIONS):
            inside = sum(isinstance(child, COMPREHENSIONS) for child in ast.walk(node)) - 1
            count += int(inside > 0 or len(node.generators) > 1)
    return count


def comments(module: Module) -> int:
    """Comments, those at the end of a line too."""
    tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


def imports(module: Module, names: set[str], package: str) -> set[str]:
    """Modules of the package that a module imports, inside functions too, `if TYPE_CHECKING:` left out."""
    targets: set[str] = set()
    for node in _executed(module.tree):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = _absolute(node, module, names, package)
            dotted = [f"{start}.{alias.name}" for alias in node.names]
            if not all(name.removeprefix(f"{package}.") in names for name in dotted):
                dotted.append(start)
        else:
            continue
        targets.update(name.removeprefix(f"{package}.") for name in dotted if name.startswith(f"{package}."))
    return (targets & names) - {module.name}


def _absolute(node: ast.ImportFrom, module: Module, names: set[str], package: str) -> str:
    """The dotted name that a `from … import` starts at, with relative levels resolved."""
    if not node.level:
        return node.module or ""
    is_room = any(name.startswith(f"{module.name}.") for name in names) or not module.name
    parts = [package, *module.name.split(".")] if module.name else [package]
    parts = parts[: len(parts) - node.level + int(is_room)]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _executed(child)


def largest_cycle(graph: dict[str, set[str]]) -> list[str]:
    """The largest strongly connected set of modules (Tarjan, 1972); empty if no module imports itself by a detour."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    largest: list[str] = []

    def visit(name: str) -> None:
        nonlocal largest
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in graph[name]:
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            start = stack.index(name)
            component = stack[start:]
            del stack[start:]
            if len(component) > max(1, len(largest)):
                largest = component

    for name in graph:
        if name not in index:
            visit(name)
    return sorted(largest)


def measure(package: Path) -> dict[str, str]:
    """All measurements of a package, by the words that the table shows."""
    read = modules(package)
    names = {module.name for module in read}
    graph = {module.name: imports(module, names, package.resolve().name) for module in read}
    sizes = sorted(len(module.lines) for module in read)
    total = max(sum(sizes), 1)
    defined = [function for module in read for function in functions(module)]
    long = sum(length(function) > 50 for function in defined)
    top = {path.stem for path in package.glob("*.py")}

    def per_1000(count: Callable[[Module], int]) -> str:
        return f"{1000 * sum(count(module) for module in read) / total:.1f}"

    def lines_over(limit: int) -> str:
        count = sum(len(line) > limit for module in read for line in module.lines)
        return f"{count} ({count / total:.1%})"

    return {
        "lines in total": str(sum(sizes)),
        "modules": str(len(read)),
        "loose modules at the top level": str(len(top - ENTRY_POINTS)),
        "rooms (folders with modules at the top level)": str(len({path.parent for path in package.glob("*/*.py")})),
        "module lines: median / p90 / max": f"{statistics.median(sizes):.0f} / {_p90(sizes)} / {sizes[-1]}",
        "modules over 250 lines": str(sum(size > 250 for size in sizes)),
        "functions": str(len(defined)),
        "functions over 50 lines": f"{long} ({long / max(len(defined), 1):.1%})",
        "functions of cyclomatic complexity over 15": str(sum(complexity(function) > 15 for function in defined)),
        "modules in the largest import cycle": str(len(largest_cycle(graph))),
        "ternaries per 1,000 lines": per_1000(lambda m: sum(isinstance(node, ast.IfExp) for node in ast.walk(m.tree))),
        "nested comprehensions per 1,000 lines": per_1000(lambda m: nested_comprehensions(m.tree)),
        "lines over 100 characters": lines_over(100),
        "lines over 120 characters": lines_over(120),
        "comments per 1,000 lines": per_1000(comments),
        "`Any` per 1,000 lines": per_1000(lambda m: len(ANY.findall(m.text))),
        "words of the private idiom per 1,000 lines": per_1000(lambda m: len(WORD.findall(m.text))),
    }


def _p90(ordered: list[int]) -> int:
    return ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]


def table(packages: list[Path]) -> str:
    """A Markdown table, one column for each package."""
    columns = [measure(package) for package in packages]
    rows = [["", *(str(package) for package in packages)], ["---", *["--:"] * len(packages)]]
    rows += [[name, *(column[name] for column in columns)] for name in columns[0]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", type=Path, default=[ROOT / "harness"], metavar="FOLDER")
    print(table(parser.parse_args().packages))


if __name__ == "__main__":
    main()
