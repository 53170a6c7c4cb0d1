"""Vectors as they come from pooling: a final module that normalises is taken off while a recipe trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Removed = list[tuple[str, Any]]
"""Name and module of what was taken off a model."""


def without_normalisation(model: Any, removed: Removed) -> None:
    """Takes a final normalising module off a model and appends it to `removed`.

    Some losses compare or decode vectors as they come from pooling: their length means something there.
    """
    name, module = list(model.named_children())[-1]
    if type(module).__name__ == "Normalize":
        removed.append((name, module))
        delattr(model, name)


def put_back(model: Any, removed: Sequence[tuple[str, Any]]) -> None:
    """Appends the modules that were taken off."""
    for name, module in removed:
        model.add_module(name, module)
