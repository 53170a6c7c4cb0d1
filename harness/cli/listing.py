"""The work of `harness list`: names and summaries of everything that can be chosen; its imports are fast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.analyzers import ANALYZERS
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
from harness.report.screen import Screen
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


def show(kind: str | None, data_dirs: Sequence[Path], cache_dir: Path | None) -> None:
    """Prints names and summaries.

    Args:
        kind: `rows` or a room's name; None prints all.
        data_dirs: folders of collections, before `HARNESS_DATA` and the cache.
        cache_dir: the cache; None is the user's.
    """
    out = Screen(soft_wrap=True)
    if kind in (None, "rows"):
        _print(out, "rows", {name: text if text != name else "" for name, text in DEFAULT_ROWS.items()})
    for name, room in ROOMS.items():
        if kind in (None, name):
            _print(out, name if name != "datasets" else "dataset sources", _summaries(room))
    if kind in (None, "datasets"):
        context = Context(cache=Cache(cache_dir), data_dirs=tuple(data_dirs))
        _print(out, "datasets on this machine", dict.fromkeys(every_name(context), ""))


def _summaries(room: Room[Any]) -> dict[str, str]:
    """Name → summary of each item, with the needs of each recipe."""
    summaries = {item: room.summary(item) for item in room.names()}
    if room is not RECIPES:
        return summaries
    needed = {item: ", ".join(sorted(recipe.needs)) or "only the corpus" for item, recipe in RECIPES.usable()}
    return {item: f"{words} Needs: {needed.get(item, 'unknown')}." for item, words in summaries.items()}


def _print(out: Screen, title: str, items: dict[str, str]) -> None:
    out.print(title, style="bold")
    width = max(map(len, items), default=0)
    for name, words in items.items():
        out.print(f"  {name.ljust(width)}  {words}".rstrip(), markup=False, highlight=False)
    if not items:
        out.print("  none")
