"""Analysers: text → terms for the lexical methods, one per file.

To add one: a file here with one frozen dataclass that derives from `Analyzer`, and `tests/analyzers/test_<file>.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from harness.choices.room import Room
from harness.choices.value import Value


@dataclass(frozen=True)
class Pieces:
    """Texts as pieces that can be analysed separately: the terms of a text are those of its pieces, end to end.

    Args:
        distinct: the D distinct pieces, UTF-8 (a lone surrogate encoded as itself), in order of first appearance.
        numbers: (P,) index into `distinct` of each piece, of all texts end to end.
        counts: (N,) number of pieces of each text.
    """

    distinct: list[bytes]
    numbers: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]


class Analyzer(Value, ABC):
    """Splits a text into terms; it must be fast, and its terms must depend only on the text and its settings."""

    room: ClassVar[str] = "harness.analyzers"

    @abstractmethod
    def __call__(self, text: str) -> list[str]:
        """The terms of a text, in order, repeated as often as they occur."""

    def pieces(self, texts: Sequence[str]) -> Pieces | None:
        """The texts in pieces, so that each distinct piece is analysed once; None if texts are analysed whole."""
        return None


ANALYZERS: Room[Analyzer] = Room(__name__, Analyzer, "analyzer")  # type: ignore[type-abstract]
