"""The contracts of what was fitted: what `Method.fit` returns, and which labels it used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.corpus import Corpus
from harness.methods._searching import CandidateScorer, Searcher
from harness.models.encoder import Encoder, Side
from harness.runtime.context import Context

if TYPE_CHECKING:
    from harness.indexes import Index

NO_LABELS = "none"
DEV_LABELS = "dev labels"
TRAIN_LABELS = "train labels"
UNKNOWN_LABELS = "unknown"


def strongest(used: Iterable[str]) -> str:
    """The label use that says most about several parts: train labels over dev labels over none; unknown where any
    is.
    """
    order = (NO_LABELS, DEV_LABELS, TRAIN_LABELS, UNKNOWN_LABELS)
    return max(used, key=order.index, default=NO_LABELS)


class Fitted(ABC):
    """A method that has learnt what it needs.

    Attributes:
        key: hash of the method, its resolved settings and what it was fitted on.
        resolved: JSON-safe settings as they turned out (weights hash, chosen weight, prompts), for the record.
        supervision: which labels were used: `none`, `dev labels` or `train labels`.
        notes: what a reader of the results must know.
        models: the folders of the models that it computes with, so that what they were taught can be looked up.
        learnt_from: revision of the view whose labels were used, if that is the view of a fold; set by
            `harness.methods.fit`.
    """

    key: str
    resolved: Mapping[str, Any]
    supervision: str = NO_LABELS
    notes: tuple[str, ...] = ()
    models: tuple[Path, ...] = ()
    learnt_from: str = ""

    @abstractmethod
    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """Makes the corpus searchable."""

    def encode(self, texts: Sequence[str], side: Side = "document") -> None:
        """Makes and keeps what `index` needs of some documents, or `search` of queries, where the method has an
        `encoding`.
        """
        return None


class Reranks(ABC):
    """A `Fitted` that can also score what another method found."""

    @abstractmethod
    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        """Scores candidates from this corpus."""


class Encodes:
    """A `Fitted` that has an encoder.

    Attributes:
        encoder: texts → vectors.
        vector_index: how its vectors are searched.
    """

    encoder: Encoder
    vector_index: Index
