"""SQLite with FTS5 and sqlite-vec, in one file: full text, vectors, or both."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from harness.base.optional import library
from harness.data.ranking import Floats
from harness.indexes import Vectors
from harness.methods._engine_content import Asked, Content, Documents
from harness.methods._search_engine import EXTRA, TextAndVectors

FILE: Final = "index.db"
MOST_VECTORS: Final = 4096
"""Neighbours that sqlite-vec returns at most."""
STEP: Final = 16
"""sqlite-vec computes distances with vector instructions if their dimension is a multiple of this."""

TEXTS: Final = "SELECT rowid, -rank AS score FROM texts WHERE texts MATCH :terms ORDER BY rank LIMIT :k"
VECTORS: Final = "SELECT place, (:whole - distance * distance) / 2 FROM vectors WHERE vector MATCH :vector AND k = :k"
HYBRID: Final = """
WITH words AS MATERIALIZED (
         SELECT rowid AS place, rank AS near FROM texts WHERE texts MATCH :terms ORDER BY rank LIMIT :depth),
     close AS MATERIALIZED (
         SELECT place, distance AS near FROM vectors WHERE vector MATCH :vector AND k = min(:depth, :most)),
     ranked AS (SELECT place, row_number() OVER (ORDER BY near, place) AS rank FROM words
                UNION ALL SELECT place, row_number() OVER (ORDER BY near, place) FROM close)
SELECT place, sum(1.0 / (:rrf + rank)) AS score FROM ranked GROUP BY place ORDER BY score DESC, place LIMIT :k
"""
NOTHING: Final = '""'
QUERIES: Final = {"full_text": TEXTS, "dense": VECTORS, "hybrid": HYBRID}


@dataclass(frozen=True)
class SQLite(TextAndVectors):
    """BM25 of FTS5 with k1 = 1.2 and b = 0.75, its constants; sqlite-vec compares every vector.

    A query is a disjunction of its words, each in quotes, so that nothing in it is syntax. FTS5 counts a term that is
    in more than half of the documents as if its idf were 1e-6.

    Args: those of `TextAndVectors` and
        tokenizer: `porter` stems the words that `unicode61` finds, which keeps all of them; neither has stop words.
    """

    tokenizer: Literal["porter", "unicode61"] = "porter"

    @property
    def most(self) -> int:  # type: ignore[override]
        """See `SearchEngine.most`."""
        return MOST_VECTORS if self.search == "dense" else super().most

    def versions(self) -> dict[str, str]:
        """See `SearchEngine.versions`; apsw brings its own SQLite, since Python's often loads no extensions."""
        versions = {"sqlite": str(library("apsw", EXTRA).sqlite_lib_version())}
        if self.encoder_row() is not None:
            library("sqlite_vec", EXTRA)
            versions["sqlite-vec"] = importlib.metadata.version("sqlite-vec")
        return versions

    def faults(self) -> tuple[type[Exception], ...]:
        """See `SearchEngine.faults`."""
        return (library("apsw", EXTRA).Error,)

    def start(self, content: Content) -> _Running:
        """See `SearchEngine.start`."""
        longest = 0.0 if content.vectors is None else _longest(content.vectors)

        def build(folder: Path) -> None:
            with closing(self.opened(folder, write=True)) as base:
                _fill(base, self, content.batches("sqlite"), longest, content.vectors)

        folder = content.folder("sqlite", build)
        return _Running(self, self.opened(folder, write=False), content.bytes_of(folder), longest)

    def opened(self, folder: Path, *, write: bool) -> Any:
        """The file in a folder; as one that nobody changes, so that many processes can read it and none locks it."""
        apsw = library("apsw", EXTRA)
        kinds = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if write else apsw.SQLITE_OPEN_READONLY
        name = f"{(folder / FILE).absolute().as_uri()}{'' if write else '?immutable=1'}"
        base = apsw.Connection(name, flags=kinds | apsw.SQLITE_OPEN_URI)
        if self.encoder_row() is not None:
            base.enable_load_extension(True)
            base.load_extension(library("sqlite_vec", EXTRA).loadable_path())
        return base


def _fill(base: Any, method: SQLite, batches: Iterator[Documents], longest: float, vectors: Vectors | None) -> None:
    base.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")  # a file that is cut short is never used
    if method.has_texts():
        words = "porter unicode61" if method.tokenizer == "porter" else "unicode61"
        base.execute(f"CREATE VIRTUAL TABLE texts USING fts5(body, content = '', tokenize = '{words}')")
    if vectors is not None:
        width = _width(vectors.dimension)
        base.execute(f"CREATE VIRTUAL TABLE vectors USING vec0(place INTEGER PRIMARY KEY, vector FLOAT[{width}])")
    with base:
        for batch in batches:
            if method.has_texts():
                pairs = zip(batch.places, batch.texts, strict=True)
                base.executemany("INSERT INTO texts(rowid, body) VALUES (?, ?)", pairs)
            if batch.vectors is not None:
                wide = _widened(batch.vectors, longest)
                base.executemany(
                    "INSERT INTO vectors(place, vector) VALUES (?, ?)",
                    ((place, row.tobytes()) for place, row in zip(batch.places, wide, strict=True)),
                )
    if method.has_texts():
        base.execute("INSERT INTO texts(texts) VALUES ('optimize')")


def _width(dimension: int) -> int:
    return -(-(dimension + 1) // STEP) * STEP


def _longest(vectors: Vectors) -> float:
    """The length of the longest vector."""
    starts = range(0, len(vectors), 8192)
    blocks = (vectors.block(start, min(start + 8192, len(vectors))).astype(np.float64) for start in starts)
    return max(float(np.sqrt(np.vecdot(block, block)).max()) for block in blocks)


def _widened(vectors: Floats, longest: float) -> Floats:
    """(n, width) vectors with one coordinate more, which makes all as long as the longest: the nearest by Euclidean
    distance, which sqlite-vec has, are then those of the largest inner product, which it lacks.

    Source: Bachrach et al., "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product
    Spaces" (RecSys 2014), section 3.
    """
    wide = np.zeros((len(vectors), _width(vectors.shape[1])), np.float32)
    wide[:, : vectors.shape[1]] = vectors
    exact = vectors.astype(np.float64)
    wide[:, vectors.shape[1]] = np.sqrt(np.maximum(longest**2 - np.vecdot(exact, exact), 0))
    return wide


class _Running:
    ordered, notes = False, ()

    def __init__(self, method: SQLite, base: Any, index_bytes: int, longest: float) -> None:
        self._method, self._base, self.index_bytes, self._longest = method, base, index_bytes, longest
        self._reason = library("apsw", EXTRA).FTS5_TOKENIZE_QUERY
        self._tokens = base.fts5_tokenizer("unicode61", []) if method.has_texts() else None

    def ask(self, query: Asked, k: int) -> list[tuple[int, float]]:
        """See `Running.ask`."""
        method = self._method
        settings: dict[str, Any] = {"k": k, "depth": method.depth, "rrf": method.rrf, "most": MOST_VECTORS}
        settings["terms"] = self._terms(query.text)
        if query.vector is not None:
            precise = query.vector.astype(np.float64)
            settings["whole"] = self._longest**2 + float(precise @ precise)
            settings["vector"] = _widened(query.vector[None], 0.0)[0].tobytes()
        return list(self._base.execute(QUERIES[method.search], settings))

    def _terms(self, text: str) -> str:
        """A query of FTS5: any of the words; an empty phrase, which matches nothing, if there is none."""
        if self._tokens is None:
            return NOTHING
        words = self._tokens(text.encode(), self._reason, None, include_offsets=False)
        return " OR ".join(f'"{word}"' for (word,) in words) or NOTHING
