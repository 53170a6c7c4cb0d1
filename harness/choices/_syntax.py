"""The text of an expression → Python's syntax tree, and what to write instead of a text that cannot be read."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from typing import Any

from harness.base.errors import SettingError
from harness.choices.room import Room

_OUTSIDE_QUOTES = re.compile(r'("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|(?<=\w)-(?=[A-Za-z_])')


def tree(text: str, whole: str) -> ast.expr:
    """The syntax tree of a text; hyphens in names, as in `cross-encoder`, become underscores.

    Args:
        text: what is parsed.
        whole: the expression that the user wrote, for the message.

    Raises:
        SettingError: not an expression.
    """
    plain = _OUTSIDE_QUOTES.sub(lambda m: m.group(1) or "_", text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an invalid escape, as in "C:\\data", is an error and not a warning
            return ast.parse(plain, mode="eval").body
    except SyntaxError as error:
        details = "" if error.msg == "invalid syntax" else f" ({error.msg})"
        raise fault(whole, f"invalid syntax{details}") from error
    except (ValueError, MemoryError) as error:
        raise fault(whole, "invalid syntax") from error


def fault(text: str, why: str) -> SettingError:
    """The error of an expression that cannot be read."""
    like = 'bm25, dense(model="…") or bm25(k1=1.2)>>dense'
    return SettingError(f"cannot read {text!r}: {why}. An expression looks like {like}.")


def several(node: ast.Tuple, room: Room[Any]) -> str:
    """What to write instead of `bm25,dense`."""
    items = [ast.unparse(each) for each in node.elts]
    problem = f"these are {len(items)} expressions with commas between them where one {room.noun} is expected"
    if room.package != "harness.methods":
        return f"{problem}; give them one by one"
    rows = " ".join(f"-m {_quoted(item)}" for item in items)
    return f"{problem}; for {len(items)} rows write {rows}, for one row that fuses them hybrid(({', '.join(items)}))"


def _quoted(item: str) -> str:
    """An expression as an argument of a shell."""
    return item if item.isidentifier() else shlex.quote(item.replace("'", '"'))


def each_of(where: str) -> str:
    """The place of an element in a setting that takes several: `hybrid: each of methods`."""
    item, _, setting = where.rpartition(": ")
    return where if " " in setting else f"{item}: each of {setting}"


def tuple_of_one(node: ast.expr, where: str) -> str:
    """How one value is written in a setting that takes several."""
    return f"write {where.rpartition(': ')[2]}=({ast.unparse(node)},)"
