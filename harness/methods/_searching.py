"""The contracts of what answers queries: searchers of a corpus, scorers of candidates, and the sizes they report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK


@dataclass(frozen=True)
class Size:
    """What a searcher takes: bytes of its index, bytes of model weights, number of model parameters."""

    index_bytes: int = 0
    model_bytes: int = 0
    parameters: int = 0
    dimensions: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(
            self.index_bytes + other.index_bytes,
            self.model_bytes + other.model_bytes,
            self.parameters + other.parameters,
            max(self.dimensions, other.dimensions),
        )


@dataclass(frozen=True)
class SearchReport:
    """What answering some queries took.

    Args:
        size: of the index, or of what candidates are compared by, and of the models.
        resolved: JSON-safe: what only the corpus and the queries decide; for the record, next to `Fitted.resolved`.
    """

    size: Size
    resolved: Mapping[str, Any] = field(default_factory=dict)


class Searcher(ABC):
    """A corpus that a method can search.

    Attributes:
        key: hash of the fitted method and the corpus.
        size: of its index and of the models that it computes with.
        live: whether answering a single query takes the time that a user would wait; False for a run file, and for
            what is paid by the query and so is requested once and cached.
        documents: how many there are to rank, set by `index`; no search of `search` goes deeper. None where it is not
            known.
    """

    key: str
    size: Size
    live: bool = True
    documents: int | None = None

    @abstractmethod
    def search(self, queries: Queries, k: int) -> TopK:
        """The k best documents of each of Q queries, (Q, k), in the documented order."""

    def report(self, queries: Queries) -> SearchReport:
        """What answering these queries takes, for the record.

        It is computed after the search of these queries, from stored results, and is not part of the search's time; a
        search itself changes nothing of the searcher.
        """
        return SearchReport(self.size)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """What a reader of the rankings of these queries must know; computed after the search, and not part of its
        time.
        """
        return ()


class CandidateScorer(ABC):
    """Scores documents that a first stage found.

    Attributes:
        size: of the models that it computes with.
        live: as `Searcher.live`.
        independent: whether a candidate's score does not depend on the other candidates.
    """

    size: Size
    live: bool = True
    independent: bool = True

    @abstractmethod
    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        """For each of Q query texts, the scores of its candidates (rows of the corpus), in their order.

        Args:
            texts: of the queries.
            candidates: for each query, rows of the corpus.
            cached: as `Queries.cached`.
        """

    def size_for(self, candidates: Sequence[Ints]) -> Size:
        """What scoring these candidates takes; for each query, rows of the corpus that were scored before."""
        return self.size


def distinct(candidates: Sequence[Ints]) -> Ints:
    """(n,) the rows of all queries' candidates, ascending, each once."""
    return np.unique(np.concatenate([*candidates, np.zeros(0, np.int64)]))
