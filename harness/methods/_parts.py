"""What the methods share that are made of other methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.methods import NO_LABELS, Fitted, Method, strongest


class FittedParts(Fitted):
    """Reports the notes, models and labels of its parts.

    Args:
        key: as `Fitted.key`.
        resolved: as `Fitted.resolved`.
        parts: the fitted parts.
        supervision: which labels it uses itself.
    """

    def __init__(
        self, key: str, resolved: Mapping[str, Any], parts: Sequence[Fitted], supervision: str = NO_LABELS
    ) -> None:
        self.key, self.resolved = key, resolved
        self.notes = tuple(note for part in parts for note in part.notes)
        self.models = tuple(model for part in parts for model in part.models)
        self.supervision = strongest([*(part.supervision for part in parts), supervision])


def resolved_part(method: Method, fitted: Fitted) -> dict[str, Any]:
    """Name and resolved settings of a part, for the record."""
    return {"name": method.name(), **fitted.resolved}
