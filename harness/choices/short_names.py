"""Short names for rows whose expressions are long: what they have in common with their neighbours is left out.

`dense+supervised(queries=100)` becomes `dense+supervised queries=100`, `hybrid(methods=(bm25, splade), fusion=convex)`
becomes `hybrid(bm25, splade)` if all its neighbours have the same fusion. No short name is the expression of another
row: it would be copied into a command that runs something else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.base.errors import HarnessError
from harness.choices._syntax import tree

LONGEST = 28
"""Characters of an expression that is shown as it is."""
ROOMY = 48
"""Characters of a short name above which settings that are not needed to tell rows apart are left out too."""
ROOMIER = 64
"""Characters of a short name above which it does not say what is inside the rows in it."""
LONGEST_VALUE = 24
"""Characters of a setting's value; of a longer one its last part or its beginning."""
STRUCTURE = ("first", "scorer", "method")
"""Settings that are rows themselves: their place says what they are, so their names are not needed."""


@dataclass(frozen=True)
class Short:
    """A short name.

    Args:
        text: the name.
        whole: whether it has every setting of the expression.
    """

    text: str
    whole: bool


@dataclass(frozen=True)
class _Part:
    """A value in an expression: its name, the rows inside it, its other settings as text."""

    head: str
    inner: tuple[_Part, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    listed: bool = False

    def all(self) -> list[_Part]:
        return [self, *(part for each in self.inner for part in each.all())]


Settings = frozenset[tuple[str, str]]
Kept = Mapping[_Part, Sequence[tuple[str, str]]]
"""Part → the settings that are shown."""


def short_names(rows: Iterable[str]) -> dict[str, Short]:
    """Row → its name on a board of these rows. The names differ from each other, and short rows keep theirs.

    Args:
        rows: names on the board, as `harness.rows.row_name` gives them; text that is no expression stays as it is.
    """
    every = list(dict.fromkeys(rows))
    parts = {row: part for row in every if (part := _parsed(row)) is not None}
    common = _common(parts.values())
    names = {row: Short(row, True) for row in every}
    for row, part in parts.items():
        if len(row) > LONGEST:
            names[row] = _short(row, part, common, parts)
    texts = [name.text for name in names.values()]
    return {row: name if texts.count(name.text) == 1 else Short(row, True) for row, name in names.items()}


def _short(row: str, part: _Part, common: Mapping[str, Settings], parts: Mapping[str, _Part]) -> Short:
    whole = {each: each.settings for each in part.all()}
    kept = {each: [s for s in each.settings if s not in common[each.head]] for each in part.all()}
    if not any(kept.values()) and any(whole.values()) and not any(each.listed for each in part.all()):
        kept = {each: list(each.settings) for each in part.all()}  # else it reads as the row with its defaults
    if len(_text(part, kept)) > ROOMY:
        others = [other for text, other in parts.items() if text != row and _shape(other) == _shape(part)]
        kept[part] = _telling(part, kept[part], others)
    depths = {None: ROOMY, 1: ROOMIER, 0: ROOMIER}
    texts = {_text(part, kept, depth=depth): most for depth, most in depths.items()}
    text = next((text for text, most in texts.items() if len(text) <= most), list(texts)[-1])
    return Short(text, whole=text == _text(part, whole, cut=False))


def _parsed(row: str) -> _Part | None:
    if "/" in row.partition("(")[0]:  # a file, or scores from elsewhere
        return None
    try:
        return _part(tree(row, row), row)
    except (HarnessError, ValueError, RecursionError):
        return None


def _part(node: ast.expr, row: str) -> _Part:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift):
        return _Part("rerank", (_part(node.left, row), _part(node.right, row)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _part(node.left, row), _part(node.right, row)
        return _Part(f"{left.head}+{right.head}", (*left.inner, *right.inner), (*left.settings, *right.settings))
    if isinstance(node, ast.Name):
        hyphenated = node.id.replace("_", "-")
        return _Part(hyphenated if node.id not in row and hyphenated in row else node.id)
    if isinstance(node, ast.Call) and not node.args:
        return _called(node, row)
    raise ValueError(ast.unparse(node))


def _called(node: ast.Call, row: str) -> _Part:
    inner: list[_Part] = []
    settings, listed = [], False
    for keyword in node.keywords:
        value = keyword.value
        if isinstance(value, ast.Tuple) and value.elts and not any(isinstance(e, ast.Constant) for e in value.elts):
            inner += [_part(each, row) for each in value.elts]
            listed = True
        elif keyword.arg in STRUCTURE:
            inner.append(_part(value, row))
        else:
            settings.append((keyword.arg or "**", _value(value)))
    return _Part(_part(node.func, row).head, tuple(inner), tuple(settings), listed)


def _value(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if node.value and not set(" ,()='\"") & set(node.value) else repr(node.value)
    return ast.unparse(node)


def _common(parts: Iterable[_Part]) -> dict[str, Settings]:
    """Head → the settings that all parts with this head share; none if only one row has such a part."""
    settings: dict[str, list[Settings]] = {}
    rows: dict[str, set[_Part]] = {}
    for row in parts:
        for part in row.all():
            settings.setdefault(part.head, []).append(frozenset(part.settings))
            rows.setdefault(part.head, set()).add(row)
    return {
        head: frozenset.intersection(*same) if len(rows[head]) > 1 else frozenset() for head, same in settings.items()
    }


def _shape(part: _Part) -> str:
    """A row without the settings of its outermost value."""
    return _text(part, {each: each.settings for inner in part.inner for each in inner.all()})


def _telling(part: _Part, kept: Sequence[tuple[str, str]], others: Sequence[_Part]) -> list[tuple[str, str]]:
    """The settings that tell a row from others of its shape: in their order, as few as are needed, at least one."""
    chosen: list[tuple[str, str]] = []
    left = list(others)
    for setting in kept:
        differing = [other for other in left if setting not in other.settings]
        if differing or not chosen:
            chosen.append(setting)
            left = [other for other in left if other not in differing]
    return chosen


def _text(part: _Part, kept: Kept, *, depth: int | None = None, nested: bool = False, cut: bool = True) -> str:
    """A part as text; deeper than `depth`, rows that have rows inside are only named."""
    shown = [f"{key}={_cut(value) if cut else value}" for key, value in kept.get(part, ())]
    if part.head == "rerank" and len(part.inner) == 2:
        first, scorer = (_text(each, kept, depth=depth, nested=True, cut=cut) for each in part.inner)
        text = f"{first}>>{scorer}"
    elif not part.inner:
        return f"{part.head}({', '.join(shown)})" if shown and nested else " ".join([part.head, *shown])
    elif depth is not None and depth < 1:
        text = f"{part.head}(…)"
        if nested:
            return text
    else:
        deeper = None if depth is None else depth - 1
        inner = [_text(each, kept, depth=deeper, nested=True, cut=cut) for each in part.inner]
        if nested:
            return f"{part.head}({', '.join([*inner, *shown])})"
        text = f"{part.head}({', '.join(inner)})"
    return " ".join([text, *shown])


def _cut(value: str) -> str:
    if len(value) <= LONGEST_VALUE:
        return value
    last = value.rpartition("/")[2]
    is_path = "/" in value and not set("('\"") & set(value)
    return last if is_path and len(last) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 1]}…"
