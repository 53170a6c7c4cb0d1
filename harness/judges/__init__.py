"""Judges: a query and a document → a grade from 0 to 3, one way per file.

To add one: a file here with one frozen dataclass that derives from `Judge`, and `tests/judges/test_<file>.py`. Any row
that scores pairs is a judge already, through `row`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.corpus import Corpus
from harness.data.ranking import Ints
from harness.endpoints.meter import Estimate
from harness.runtime.context import Context

HIGHEST = 3
MEANING = (
    "not about the question",
    "about it, without an answer",
    "answers a part of it",
    "answers it",
)
"""Of the grades 0 to 3, for people and models."""
NO_GRADE = -1
"""In `Grades.values`: the judge gave no usable answer."""
GradeArray = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Pairs:
    """Queries with candidate documents.

    Args:
        texts: of Q queries.
        candidates: for each query, rows of the corpus.
        sources: for each query, the row of the document that it was made of, −1 for none; empty if none was made.
        pool: the pairs of all queries, of which these are a part; None if these are all.
    """

    texts: Sequence[str]
    candidates: Sequence[Ints]
    sources: Sequence[int] = ()
    pool: Pairs | None = None

    def __len__(self) -> int:
        return sum(map(len, self.candidates))


@dataclass(frozen=True)
class Grades:
    """What a judge says of pairs.

    Args:
        values: for each query, the grades of its candidates, 0 to 3, or `NO_GRADE`.
        facts: JSON-safe, how they were made: the scale, the judge's agreement with itself, unusable answers.
    """

    values: list[GradeArray]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def unusable(self) -> int:
        """How many pairs have no grade."""
        return sum(int((grades == NO_GRADE).sum()) for grades in self.values)


class Judge(Value, ABC):
    """A way to grade pairs: settings only."""

    room: ClassVar[str] = "harness.judges"

    @abstractmethod
    def grade(self, corpus: Corpus, pairs: Pairs, known: Pairs, context: Context) -> Grades:
        """Grades of all pairs.

        Args:
            corpus: all documents.
            pairs: to grade.
            known: queries with documents that answer them, made from the documents themselves; a judge whose scores
                have no scale of their own takes its scale from these.
            context: seed, cache, device, progress.

        Raises:
            Unavailable: a model or service is not available.
            HarnessError: it gives no valid answer; what was computed or paid for is cached.
        """

    def check(self, corpus: Corpus, context: Context) -> None:
        """Refuses settings that cannot grade any pair, before work is done for it; most need no check.

        Raises:
            SettingError: what is wrong.
        """
        return None

    def estimate(self, pairs: int, words: float) -> Estimate | None:
        """What grading so many pairs with documents of so many words costs; None if it costs nothing. Sends nothing."""
        return None

    def label(self) -> str:
        """The name under which its labels are stored; `harness.rows.parse_judge` reads it back."""
        return str(self)

    def models(self) -> frozenset[str]:
        """Names of the models that decide a grade: a row with the same model is favoured by this judge."""
        return frozenset()


JUDGES: Room[Judge] = Room(__name__, Judge, "judge")  # type: ignore[type-abstract]
