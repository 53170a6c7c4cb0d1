"""Feedback: a query and the best documents of a first search → the query of a second search; one rule per file.

The best documents of the first search are assumed relevant (pseudo-relevance feedback), and their terms are added to
the query with weights: `bm25(feedback=rm3)`. To add one: a file here with one frozen dataclass that derives from
`Feedback`, and `tests/feedback/test_<file>.py`.
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
    """Expands a query and reweights its terms.

    Attributes:
        fb_docs: number of documents of the first search that are assumed relevant.
        fb_terms: greatest number of terms taken from them.
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
        """The terms of the second search and their weights, all above 0.

        Args:
            query: terms of the query, as often as they occur.
            documents: D ≤ `fb_docs` documents of the first search, best first: term → how often it occurs.
            scores: (D,) their scores.
            share: term → the share of the collection's documents that contain it, 0 to 1.
        """


FEEDBACK: Room[Feedback] = Room(__name__, Feedback, "feedback")  # type: ignore[type-abstract]
