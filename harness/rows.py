"""Rows: the names by which methods stand on the board, and the text that writes any of them."""

from __future__ import annotations

from harness.analyzers import ANALYZERS
from harness.expressions import parse
from harness.fusions import FUSIONS
from harness.indexes import INDEXES
from harness.methods import METHODS, Method

ROOMS = {room.package: room for room in (METHODS, ANALYZERS, FUSIONS, INDEXES)}

DEFAULT_ROWS = {
    "bm25": "bm25",
    "dense": "dense",
    "hybrid-rrf": "hybrid(fusion=rrf)",
    "hybrid-convex": "hybrid(fusion=convex)",
    "bm25>>dense": "bm25 >> dense",
    "bm25>>cross-encoder": "bm25 >> cross_encoder",
}
"""What the board shows when nothing is asked for: name → expression."""


def parse_method(text: str) -> Method:
    """A method from its row name, an expression, or `run/<file>`.

    Raises:
        UnknownName: carries the closest names.
        SettingError: what is wrong with the expression or a setting.
    """
    if text.startswith("run/"):
        return METHODS.get("run")(path=text.removeprefix("run/"))  # type: ignore[call-arg]
    return parse(text, METHODS, ROOMS, DEFAULT_ROWS)


def row_name(method: Method) -> str:
    """What a method is called on the board: a default row's name, `first>>scorer` where that says all, else its expression."""
    for name, text in DEFAULT_ROWS.items():
        if method.name() == _top(text) and method == parse_method(text):
            return name
    if method.name() == "rerank":
        first, scorer = method.nested()
        if method == type(method)(first, scorer):  # type: ignore[call-arg]
            return f"{row_name(first)}>>{scorer}"
    return str(method)


def _top(text: str) -> str:
    return "rerank" if ">>" in text else text.partition("(")[0]
