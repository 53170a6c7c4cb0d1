"""Analysers: text → terms for the lexical methods, one per file.

To add one: a file here with one frozen dataclass that derives from `Analyzer`, and `tests/analyzers/test_<file>.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from harness.registry import Room
from harness.values import Value


class Analyzer(Value, ABC):
    """Splits a text into terms; called on every document, so it must be fast and hold no state that changes its answers."""

    room: ClassVar[str] = "harness.analyzers"

    @abstractmethod
    def __call__(self, text: str) -> list[str]:
        """The terms of a text, in order, repeated as often as they occur."""


ANALYZERS: Room[Analyzer] = Room(__name__, Analyzer, "analyzer")  # type: ignore[type-abstract]
