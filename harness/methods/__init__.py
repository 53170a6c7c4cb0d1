"""Methods: the rows of the leaderboard, one per file.

A method is a frozen dataclass of settings. `fit` learns what it needs from a `TrainView` (nothing, for most) and
returns a `Fitted`; `Fitted.index` takes the corpus and returns a `Searcher`; `Searcher.search` takes queries and
returns the best k. Each hands on a new thing and remembers nothing, so that searching before indexing cannot be
written.

To add one: a file here with one frozen dataclass that derives from `Method`, and `tests/methods/test_<file>.py`; the
contract tests, `harness list`, the command line and the suites find it by its file's name. A method made of others asks
for them with `fit`, `index` and `search` of this module, which do a shared step once however many rows need it.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from harness.choices.room import Room
from harness.choices.value import RECIPES, Value
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK
from harness.models.encoder import Encoder, Side
from harness.runtime.context import Context

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


class Method(Value, ABC):
    """A way to rank documents for a query: settings only."""

    room: ClassVar[str] = "harness.methods"

    @abstractmethod
    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Learns from the view, or checks that the method can run.

        Raises:
            Unavailable: a library or model is absent; the row is skipped by name.
            HarnessError: the settings and the view do not fit.
        """

    def inputs(self, context: Context) -> dict[str, str]:
        """What the settings point to, by content: name → hash of a model folder or a file, version of an index's
        library.

        Part of a record's identity.

        Raises:
            Unavailable: it is not to be had.
        """
        return {name: value for part in self.nested() for name, value in part.inputs(context).items()}

    def _expression(self, *, full: bool, short: Callable[[Value], str | None] = lambda value: None) -> str:
        """What is trained first prints as it is written short: `dense+supervised`."""
        recipes = getattr(self, RECIPES, ())
        if full or not recipes:
            return super()._expression(full=full, short=short)
        untrained: Value = dataclasses.replace(self, **{RECIPES: ()})  # type: ignore[type-var]
        return "+".join(part.told(short) for part in (untrained, *recipes))

    def nested(self) -> Iterator[Method]:
        """The methods directly inside this one."""
        return (part for part in self.parts() if isinstance(part, Method))

    def reach(self, depth: int) -> int:
        """How long a ranking can be in a run of the given depth: a measure that looks deeper is noted in the record."""
        return depth

    def encoding(self) -> Method | None:
        """The row, with all else at its default, whose `Fitted.encode` makes what this one's index is built from; None
        for none.

        Rows of the same encoding share what is kept of each document, so that it can be made once and in parts,
        anywhere.
        """
        return None

    def depth_of(self, part: Method, depth: int) -> int:
        """How deep a nested method must be searched for a run of this one of the given depth; for planning."""
        return depth


class Fitted(ABC):
    """A method that has learnt what it needs.

    Attributes:
        key: hash of the method, its resolved settings and what it was fitted on.
        resolved: JSON-safe settings as they turned out (weights hash, chosen weight, prompts), for the record.
        supervision: which labels were used: `none`, `dev labels` or `train labels`.
        notes: what a reader of the results must know.
        models: the folders of the models that it computes with, so that what they were taught can be looked up.
    """

    key: str
    resolved: Mapping[str, Any]
    supervision: str = NO_LABELS
    notes: tuple[str, ...] = ()
    models: tuple[Path, ...] = ()

    @abstractmethod
    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """Makes the corpus searchable."""

    def encode(self, texts: Sequence[str], side: Side = "document") -> None:
        """Makes and keeps what `index` needs of some documents, or `search` of queries, where the method has an
        `encoding`.
        """
        return None


class Searcher(ABC):
    """A corpus that a method can search.

    Attributes:
        key: hash of the fitted method and the corpus.
        size: what it takes.
        live: whether asking it one query takes the time a user would wait; False for a run file, and for what is paid
            by the query and so is asked once and kept.
        resolved: JSON-safe: what only the corpus and the queries asked so far tell; for the record, beside what was
            fitted.
        documents: how many there are to rank, set by `index`; no search of `search` goes deeper. None where it is not
            known.
    """

    key: str
    size: Size
    live: bool = True
    documents: int | None = None
    resolved: Mapping[str, Any] = MappingProxyType({})

    @abstractmethod
    def search(self, queries: Queries, k: int) -> TopK:
        """The k best documents of each of Q queries, (Q, k), in the documented order."""

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """What a reader of the rankings of these queries must know; asked after the search, and not part of its
        time.
        """
        return ()


class CandidateScorer(ABC):
    """Scores documents that a first stage found.

    Attributes:
        size: what it takes, for the candidates seen so far.
        live: as `Searcher.live`.
        alone: whether a candidate's score is its own, whatever stands beside or before it.
    """

    size: Size
    live: bool = True
    alone: bool = True

    @abstractmethod
    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        """For each of Q query texts, the scores of its candidates (rows of the corpus), in their order.

        Args:
            texts: of the queries.
            candidates: for each query, rows of the corpus.
            cached: as `Queries.cached`.
        """


class Reranks(ABC):
    """A `Fitted` that can also score what another method found."""

    @abstractmethod
    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        """Scores candidates from this corpus."""


class Encodes:
    """A `Fitted` that has an encoder.

    Attributes:
        encoder: texts → vectors.
    """

    encoder: Encoder


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


METHODS: Room[Method] = Room(__name__, Method, "method")  # type: ignore[type-abstract]


def fit(method: Method, view: TrainView, context: Context) -> Fitted:
    """`method.fit`, done once per method and view in a run."""
    key = f"{method.fingerprint()}-{view.revision}"
    return context.ledger.once("fit", f"fit {method}", key, lambda: method.fit(view, context))


def index(method: Method, fitted: Fitted, corpus: Corpus, context: Context) -> Searcher:
    """`fitted.index`, done once per fitted method and corpus in a run."""
    key = f"{fitted.key}-{corpus.revision}"
    searcher = context.ledger.once("index", f"index {method}", key, lambda: fitted.index(corpus, context))
    searcher.documents = len(corpus)
    return searcher


def search(method: Method, searcher: Searcher, queries: Queries, k: int, context: Context) -> TopK:
    """`searcher.search`, done once per searcher and queries in a run; a deeper run answers a shallower one.

    It is (Q, k), or (Q, N) if k is greater than the N documents of the corpus: nothing is allocated for places that
    stay empty.
    """
    most = k if searcher.documents is None else searcher.documents
    k = min(k, most)
    if not queries.cached:
        return searcher.search(queries, k)
    deepest = context.ledger.deepest(f"{searcher.key}-{queries.revision}", max(k, context.search_depth))
    deepest = min(deepest, max(k, most))
    key = f"{searcher.key}-{queries.revision}-{deepest}"
    return context.ledger.once("search", f"search {method}", key, lambda: searcher.search(queries, deepest)).cut(k)
