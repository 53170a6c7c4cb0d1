"""Search engines as rows: an engine gets the texts and the vectors of our encoder, and its own ranking counts."""

from __future__ import annotations

import contextlib
import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

import numpy as np

from harness.base.errors import EngineError, SettingError, Unavailable
from harness.cache.code import code_of
from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.indexes import recall, rescored, share
from harness.indexes.exact import Exact
from harness.methods import Encodes, Fitted, Method, Searcher, Size, fit
from harness.methods._engine_content import Asked, Content, Running, plain, ranking_of
from harness.methods.dense import Dense
from harness.runtime.context import Context

EXTRA: Final = "engines"
"""The extra that installs the clients."""
SHOWN: Final = 300
"""Characters of a client's error that a message repeats."""
SAMPLE: Final = 100
"""Queries on which an approximate index is compared with exact search."""
DEPTHS: Final = (10, 100)
Search = Literal["full_text", "dense", "hybrid"]
VectorIndex = Literal["hnsw", "exact"]


class SearchEngine(Method):
    """A search engine, asked by its own client."""

    most: ClassVar[int] = 2**31 - 1
    """The longest ranking that it returns."""
    of_a_search: ClassVar[frozenset[str]] = frozenset()
    """Settings that decide no index."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Library or server → version, of those that decide the results.

        Raises:
            Unavailable: a library is not installed, or there is no server.
        """

    @abstractmethod
    def faults(self) -> tuple[type[Exception], ...]:
        """What its client raises."""

    @abstractmethod
    def start(self, content: Content) -> Running:
        """The engine with the content indexed, which is done now unless it was done before."""

    def encoder_row(self) -> Method | None:
        """The row whose vectors are searched; None for none."""
        return None

    def approximate(self) -> bool:
        """Whether vectors alone are searched, and near ones may be missed."""
        return False

    def nested(self) -> Iterator[Method]:
        """See `Method.nested`; an encoder that is not used does not count."""
        row = self.encoder_row()
        return iter(()) if row is None else iter((row,))

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        return {**self.versions(), **super().inputs(context)}

    def encoding(self) -> Method | None:
        """See `Method.encoding`."""
        row = self.encoder_row()
        return None if row is None else row.encoding()

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; the encoder's row is not searched itself."""
        return 0

    def reach(self, depth: int) -> int:
        """See `Method.reach`."""
        return min(depth, self.most)

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Fits the encoder, if there is one.

        Raises:
            Unavailable: see `versions`.
            SettingError: the row `encoder` has no vectors.
        """
        versions, row = self.versions(), self.encoder_row()
        part = None if row is None else fit(row, view, context)
        if part is not None and not isinstance(part, Encodes):
            raise SettingError(f"{self.name()}: encoder must be a row with one vector a text, as dense, not {row}.")
        return _Fitted(self, versions, part)

    @contextlib.contextmanager
    def told(self, doing: str) -> Iterator[None]:
        """Turns faults of the client into errors that say what the engine was doing."""
        try:
            yield
        except self.faults() as error:
            raise EngineError(
                f"{self.name()}: {doing} failed: {_said(error)}. See that the engine runs and has disk and memory, and "
                "run again; what was indexed in part is not used."
            ) from error

    def absent(self, place: str, error: Exception, remedy: str = "Start it, or name another.") -> Unavailable:
        """The error of a server that does not answer."""
        return Unavailable(f"{self.name()}: no server answers at {place}: {_said(error)}.", remedy)


@dataclass(frozen=True)
class TextAndVectors(SearchEngine):
    """An engine that searches texts, vectors, or both and fuses the two rankings by reciprocal rank.

    Args:
        search: `full_text`, `dense` or `hybrid`.
        encoder: the row whose vectors are searched: `dense`, also trained. They are taken from the cache, so that all
            engines search the same.
        depth: with `hybrid`, how many documents of each ranking take part.
        rrf: with `hybrid`, the constant k of 1 / (k + rank).
    """

    of_a_search: ClassVar[frozenset[str]] = frozenset({"depth", "rrf"})
    search: Search = "full_text"
    encoder: Method = field(default_factory=Dense)
    depth: Count = 1000
    rrf: Count = 60

    def encoder_row(self) -> Method | None:
        """See `SearchEngine.encoder_row`."""
        return None if self.search == "full_text" else self.encoder

    def has_texts(self) -> bool:
        """Whether texts are indexed."""
        return self.search != "dense"


class _Fitted(Fitted):
    def __init__(self, method: SearchEngine, versions: dict[str, str], part: Fitted | None) -> None:
        self._method, self._versions, self._part = method, versions, part
        self.key = f"{method.name()}-{_digest(method.full(), versions, part.key if part else None)}"
        self.resolved = {**method.settings(), "versions": versions}
        self.resolved.pop("encoder", None)
        if part is not None:
            self.resolved["encoder"] = dict(part.resolved)
            self.notes, self.models, self.supervision = part.notes, part.models, part.supervision

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """What the engine builds, once for all that decides it."""
        method, part = self._method, self._part
        encoder = part.encoder if isinstance(part, Encodes) else None
        vectors = None if encoder is None else encoder.vectors(corpus.texts, "document")
        settings = {k: v for k, v in method.settings().items() if k != "encoder" and k not in method.of_a_search}
        code = code_of(type(method).__module__, without=("harness.methods.dense", "harness.methods._vectors"))
        vectors_key = None if encoder is None else encoder.fingerprint
        key = _digest(method.name(), settings, self._versions, code, corpus.revision, vectors_key)
        content = Content(key, corpus, vectors, context)
        with method.told("indexing"):
            running = method.start(content)
        return _Searcher(self.key, method, part, running, content)


class _Searcher(Searcher):
    def __init__(
        self, key: str, method: SearchEngine, part: Fitted | None, running: Running, content: Content
    ) -> None:
        self.key = f"{key}-{content.corpus.revision}"
        self._method, self._running, self._content = method, running, content
        self._encoder = part.encoder if isinstance(part, Encodes) else None
        self._most = min(method.most, len(content))
        self._rows: Ints = np.argsort(content.corpus.id_order).astype(np.int64)
        self.size = Size(running.index_bytes)
        if self._encoder is not None and content.vectors is not None:
            folder = self._encoder.folder
            self.size += Size(0, folder.model_bytes, folder.parameters, content.vectors.dimension)

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`.

        Raises:
            EngineError: the engine fails, or an answer is no ranking.
        """
        searched: Sequence[Floats | None] = [None] * len(queries)
        if self._encoder is not None:
            searched = list(self._vectors(queries.texts, cached=queries.cached))
        asked = [Asked(plain(text), vector) for text, vector in zip(queries.texts, searched, strict=True)]
        return self._search(asked, [f"query {name!r}" for name in queries.ids], k)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`; of an approximate index, how many true neighbours it finds."""
        notes, documents = self._running.notes, self._content.vectors
        if documents is None or not self._method.approximate() or not len(queries):
            return notes
        texts = queries.texts[:: max(1, len(queries) // SAMPLE)][:SAMPLE]
        sampled = self._vectors(texts, cached=queries.cached)
        found = self._search([Asked("", vector) for vector in sampled], ["a query"] * len(sampled), max(DEPTHS))
        order, rows = self._content.corpus.id_order, (each for each, _ in found.rows())
        near = rescored(documents, sampled, rows, order, max(DEPTHS))
        true = Exact().build(documents, order, self._content.context).search(sampled, max(DEPTHS))
        shares = " and ".join(f"{share(recall(near, true, k)):.2%} of the true {k} nearest" for k in DEPTHS)
        return (*notes, f"{self._method} is approximate: it finds {shares} ({len(sampled)} of the queries)")

    def _search(self, asked: list[Asked], names: list[str], k: int) -> TopK:
        rankings = []
        for query, name in zip(asked, names, strict=True):
            with self._method.told(f"the search of {name}"):
                rankings.append(self._best(query, name, min(k, self._most)))
        return stack(rankings, k)

    def _best(self, query: Asked, name: str, k: int) -> tuple[Ints, Floats]:
        """The best k in the documented order: while documents beyond the answer may tie with the k-th, more are asked
        for.
        """
        order, what = self._content.corpus.id_order, f"{self._method.name()}: the answer to {name}"
        depth = k if self._running.ordered else min(k + 1, self._most)
        while True:
            rows, scores = ranking_of(self._running.ask(query, depth), what, self._rows)
            is_all = len(scores) < depth or depth in (k, self._most)
            if is_all or np.partition(scores, len(scores) - k)[len(scores) - k] > scores.min():
                return select(rows, scores, order, k)
            depth = min(2 * depth, self._most)

    def _vectors(self, texts: list[str], *, cached: bool) -> Floats:
        """(n, D) vectors of the texts of queries, computed without the cache if their time is measured."""
        assert self._encoder is not None
        if not cached:
            return self._encoder.encode_uncached(texts, "query")
        vectors = self._encoder.vectors(texts, "query")
        return vectors.block(0, len(vectors))


def _said(error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return said.rstrip(".") if len(said) <= SHOWN else f"{said[:SHOWN]}…"


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
