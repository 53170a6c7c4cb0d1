"""The work of `harness list`: names and summaries of everything that can be chosen; its imports are fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.analyzers import ANALYZERS
from harness.bench.aliases import row_table
from harness.cache.folders import Cache
from harness.choices.room import Room
from harness.datasets import SOURCES, every_name
from harness.engines import ENGINES
from harness.executors import EXECUTORS
from harness.feedback import FEEDBACK
from harness.fusions import FUSIONS
from harness.generators import GENERATORS
from harness.indexes import INDEXES
from harness.losses import LOSSES
from harness.measures import MEASURES
from harness.methods import METHODS
from harness.recipes import RECIPES
from harness.report.sheet import Field, Sheet
from harness.rows import DEFAULT_ROWS
from harness.runtime.context import Context
from harness.searches import SEARCHES

ROOMS: dict[str, Room[Any]] = {
    "methods": METHODS,
    "recipes": RECIPES,
    "losses": LOSSES,
    "measures": MEASURES,
    "generators": GENERATORS,
    "fusions": FUSIONS,
    "analyzers": ANALYZERS,
    "feedback": FEEDBACK,
    "indexes": INDEXES,
    "engines": ENGINES,
    "executors": EXECUTORS,
    "searches": SEARCHES,
    "datasets": SOURCES,
}


TITLES = {"rows": "rows", "datasets": "dataset sources"}


def listed(
    kind: str | None, data_dirs: Sequence[Path], cache_dir: Path | None, rows: Path | None = None
) -> list[Sheet]:
    """Names and summaries, a table for each kind.

    Args:
        kind: `rows` or a room's name; None lists all.
        data_dirs: folders of collections, before `HARNESS_DATA` and the cache.
        cache_dir: the cache; None is the user's.
        rows: a TOML file with named rows; None is the nearest pyproject.toml.
    """
    sheets = []
    if kind in (None, "rows"):
        own = row_table(rows)
        sheets.append(_sheet("rows", {name: text if text != name else "" for name, text in DEFAULT_ROWS.items()}))
        sheets += [_sheet("rows of your own", own)] if own else []
    for name, room in ROOMS.items():
        if kind in (None, name):
            sheets.append(_sheet(TITLES.get(name, name), _summaries(room)))
    if kind in (None, "datasets"):
        context = Context(cache=Cache(cache_dir), data_dirs=tuple(data_dirs))
        sheets.append(_sheet("datasets on this machine", dict.fromkeys(every_name(context), "")))
    return sheets


def _summaries(room: Room[Any]) -> dict[str, str]:
    """Name → summary of each item, with the needs of each recipe."""
    summaries = {item: room.summary(item) for item in room.names()}
    if room is not RECIPES:
        return summaries
    needed = {item: ", ".join(sorted(recipe.needs)) or "only the corpus" for item, recipe in RECIPES.usable()}
    return {item: f"{words} Needs: {needed.get(item, 'unknown')}." for item, words in summaries.items()}


def _sheet(title: str, items: Mapping[str, str]) -> Sheet:
    names = list(items)
    words = Field("summary", "", list(items.values()), list(items.values()), right=False, wraps=True)
    return Sheet(title, [Field("name", "", names, names, right=False), words], key=title)
