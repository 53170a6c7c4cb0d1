"""What learning to rank sees of a candidate: its score, rank and presence in the ranking of each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from harness.data.corpus import Corpus
from harness.data.queries import Labelled
from harness.data.ranking import Floats, Ints, TopK, own_rows
from harness.fusions.convex import NORMALISERS
from harness.fusions.rrf import RRF

Matrix = npt.NDArray[np.float64]
KINDS: Final = ("score", "normalised score", "reciprocal rank", "retrieved")
"""The features of each row, in the order of their columns."""


@dataclass(frozen=True)
class Candidates:
    """The documents that at least one of M rows retrieved for a query.

    Args:
        rows: (C,) rows of the corpus, ascending.
        values: (C, 4 · M) float64 features, those of `KINDS` for each row.
        grades: (C,) int64 judgements, 0 if there is none; empty if the query has no judgements.
    """

    rows: Ints
    values: Matrix
    grades: Ints

    @property
    def teaches(self) -> bool:
        """Whether some candidates are better than others."""
        return len(set(self.grades.tolist())) > 1


def features(tops: Sequence[TopK]) -> Iterator[Candidates]:
    """The candidates of each query, without judgements.

    A document that a row did not retrieve has that row's lowest score of the query, and 0 for its other features.
    Ranks are 1 / (60 + rank), as in reciprocal rank fusion.

    Args:
        tops: the rankings of M rows for the same Q queries.
    """
    for rankings in zip(*(top.rows() for top in tops), strict=True):
        rows = np.unique(np.concatenate([indices for indices, _ in rankings]))
        columns = [_columns(indices, scores, rows) for indices, scores in rankings]
        yield Candidates(rows, np.concatenate(columns, axis=1), np.zeros(0, np.int64))


def judged(labelled: Labelled, tops: Sequence[TopK], corpus: Corpus) -> list[Candidates]:
    """The candidates of labelled queries with their grades, without the document that is the query itself.

    Args:
        labelled: Q queries, in the order of the rankings.
        tops: of M rows.
        corpus: what the rankings point into.
    """
    found = []
    own = own_rows(labelled, corpus).tolist()
    for query, self_row, candidates in zip(labelled.queries.ids, own, features(tops), strict=True):
        relevant = {document: grade for document, grade in labelled.qrels[query].items() if grade > 0}
        places = dict(zip(corpus.rows(list(relevant)).tolist(), relevant.values(), strict=True))
        others = candidates.rows != self_row
        rows = candidates.rows[others]
        grades = np.array([places.get(row, 0) for row in rows.tolist()], dtype=np.int64)
        found.append(Candidates(rows, candidates.values[others], grades))
    return found


def _columns(indices: Ints, scores: Floats, rows: Ints) -> Matrix:
    """(C, 4) features of one ranking for all candidates."""
    columns = np.zeros((len(rows), len(KINDS)))
    if len(indices):
        exact = scores.astype(np.float64)
        columns[:, 0] = exact.min()
        ranks = np.arange(1, len(indices) + 1)
        values = (exact, NORMALISERS["minmax"](exact), 1 / (RRF().k + ranks), np.ones(len(indices)))
        columns[np.searchsorted(rows, indices)] = np.stack(values, axis=1)
    return columns
