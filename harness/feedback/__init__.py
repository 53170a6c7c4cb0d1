"""Feedback: a query and the documents it found first → the query that is searched with; one rule per file.

The best documents of a first search are taken for relevant (pseudo-relevance feedback), and their terms join the query,
weighted.
A lexical method searches twice: `bm25(feedback=rm3)`. To add one: a file here with one frozen dataclass that derives
from `Feedback`, and `tests/feedback/test_<file>.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from harness.choices.bounds import Count
from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.ranking import Floats


class Feedback(Value, ABC):
    """Weighs the terms of a query anew.

    Attributes:
        fb_docs: documents of the first search that are taken for relevant.
        fb_terms: terms that the documents give, at most.
    """

    room: ClassVar[str] = "harness.feedback"
    fb_docs: Count
    fb_terms: Count

    @abstractmethod
    def weights(
        self,
        query: Sequence[str],
        documents: Sequence[Mapping[str, int]],
        scores: Floats,
        share: Callable[[str], float],
    ) -> dict[str, float]:
        """The terms to search with and their weights, all above 0.

        Args:
            query: terms of the query, as often as they occur.
            documents: D ≤ `fb_docs` documents of the first search, best first: term → how often it occurs.
            scores: (D,) their scores.
            share: term → the share of the collection's documents that hold it, 0 to 1.
        """


FEEDBACK: Room[Feedback] = Room(__name__, Feedback, "feedback")  # type: ignore[type-abstract]
