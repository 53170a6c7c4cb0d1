"""What a search engine gets and gives: documents by their places, queries, and answers that are checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from harness.base.errors import EngineError
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.ranking import Floats, Ints
from harness.indexes import Vectors
from harness.models.texts import readable
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

KIND: Final = "search-engines"
INSIDE: Final = "index"
DOCUMENTS: Final = 500
"""Documents in one request."""


class Asked(NamedTuple):
    """A query: its text, and its vector (D,) where vectors are searched."""

    text: str
    vector: Floats | None


class Documents(NamedTuple):
    """Some documents: their places in the documented order, their texts, and their vectors (n, D) or None."""

    places: list[int]
    texts: list[str]
    vectors: Floats | None


@dataclass(frozen=True)
class Content:
    """What an engine indexes.

    Args:
        key: 32 hexadecimal digits over all that decides the index.
        corpus: the documents. An engine knows each by its place in the documented order, so that ids may have any form.
        vectors: (N, D), in the order of the corpus; None where none are searched.
        context: gives the cache, and shows progress.
    """

    key: str
    corpus: Corpus
    vectors: Vectors | None
    context: Context

    def __len__(self) -> int:
        return len(self.corpus)

    def batches(self, engine: str) -> Iterator[Documents]:
        """All documents."""
        with self.context.progress(f"index {engine}", len(self), "documents") as advance:
            for start in range(0, len(self), DOCUMENTS):
                stop = min(start + DOCUMENTS, len(self))
                texts = [plain(text) for text in self.corpus.texts[start:stop]]
                vectors = None if self.vectors is None else self.vectors.block(start, stop)
                yield Documents(self.corpus.id_order[start:stop].tolist(), texts, vectors)
                advance(stop - start)

    def folder(self, engine: str, build: Callable[[Path], None], *, may_come_from_elsewhere: bool = True) -> Path:
        """The folder of the cache with the index, which `build` fills if it is not there.

        Args:
            engine: its name.
            build: fills an empty folder.
            may_come_from_elsewhere: whether an index that another machine put into the store may be used. Not if the
                engine runs what is in it.
        """

        def build_inside(entry: Path) -> None:
            (entry / INSIDE).mkdir()  # the cache's own file `meta.json` is beside it: engines have files of this name
            build(entry / INSIDE)

        describe = {"engine": engine, "documents": len(self), "corpus": self.corpus.revision}
        context = self.context
        if not may_come_from_elsewhere and context.cache.remote is not None:
            context = dataclasses.replace(context, cache=Cache(context.cache.root))
            context.cache.remote = None
        return build_once(context, KIND, self.key, describe, build_inside) / INSIDE

    def bytes_of(self, folder: Path) -> int:
        """Bytes of the files of `folder`."""
        return sum(file["bytes"] for file in self.context.cache.meta(folder.parent)["files"].values())


class Running(Protocol):
    """An engine that has the collection indexed."""

    @property
    def index_bytes(self) -> int:
        """Bytes of the index as the engine counts them; 0 where it does not say."""
        ...

    @property
    def ordered(self) -> bool:
        """Whether answers are ordered by score and then by place, so that ties at the end of one are decided."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the results must know."""
        ...

    def ask(self, query: Asked, k: int) -> Iterable[tuple[Any, Any]]:
        """Places and scores of the best k documents, fewer if fewer are found."""
        ...


def plain(text: str) -> str:
    """A text that every engine stores: a space for NUL, U+FFFD for each lone surrogate."""
    return readable(text).replace("\0", " ")


def ranking_of(answer: Iterable[tuple[Any, Any]], what: str, rows: Ints) -> tuple[Ints, Floats]:
    """Rows and scores of an answer, in its order.

    Args:
        answer: places and scores.
        what: the answer is to, for messages.
        rows: (N,) row of the document at each place.

    Raises:
        EngineError: a document twice, one that was never indexed, or a score that is no finite number of 32 bits.
    """
    pairs = list(answer)
    try:
        places = np.array([int(place) for place, _ in pairs], np.int64)
        with np.errstate(over="ignore"):
            scores = np.array([score for _, score in pairs], np.float64).astype(np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise EngineError(f"{what} is no list of documents and scores: {str(pairs)[:200]}.") from error
    if not np.isfinite(scores).all():
        bad = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise EngineError(f"{what} has the score {pairs[bad][1]} at rank {bad + 1}, which is no finite number.")
    if ((places < 0) | (places >= len(rows))).any():
        unknown = places[(places < 0) | (places >= len(rows))][0]
        raise EngineError(
            f"{what} has a document {unknown} of {len(rows):,}: something else wrote to the index. Remove it and run "
            "again."
        )
    values, counts = np.unique(places, return_counts=True)
    if (counts > 1).any():
        raise EngineError(
            f"{what} has document {values[counts > 1][0]} twice: the index has copies of it. Remove the index and run "
            "again."
        )
    return rows[places], scores
