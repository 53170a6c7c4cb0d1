"""What a test set is made of, and what it may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.endpoints.meter import Estimate
from harness.generators import Generator
from harness.generators.extractive import Extractive
from harness.judges import Judge
from harness.judges.panel import Panel
from harness.methods import Method
from harness.rows import parse_method
from harness.testset.documents import Source
from harness.testset.queries import estimate

QUERIES = 100
DEPTH = 10
SPARE = 1.5
"""Documents asked about for each wanted query, since filters drop some; of a generator that loads no model,"""
FREE = 3.0
"""so many, since it costs nothing."""
DENSE_UP_TO = 50_000
"""Documents up to which the packaged encoder searches the whole corpus by default; of a larger one it re-ranks BM25,
which takes less time, but then documents that only an encoder finds are not judged."""
CANDIDATES = 25
"""That it re-ranks for each query: at most so many documents are encoded, whatever the size of the corpus."""


@dataclass(frozen=True)
class Request:
    """The settings of a test set.

    Args:
        source: of the documents.
        out: folder to write; must not exist, be empty, or be as this package wrote it.
        queries: how many are wanted.
        generators: of the queries.
        log: file with real queries, one a line; then none are made.
        judge: grades the pools.
        pool: rows whose first documents are judged; empty for BM25 and the packaged encoder.
        depth: documents of each row that are judged.
        within: a made query is kept if a row of the pool ranks its document at most so low.
        copied: share of its content words that a query of a model may take from its document.
    """

    source: Source
    out: Path
    queries: int = QUERIES
    generators: tuple[Generator, ...] = (Extractive(),)
    log: Path | None = None
    judge: Judge = field(default_factory=Panel)
    pool: tuple[Method, ...] = ()
    depth: int = DEPTH
    within: int = 20
    copied: float = 0.9

    def __post_init__(self) -> None:
        if self.queries < 1 or self.depth < 1 or self.within < 1:
            raise SettingError("the number of queries, the depth and the rank must be 1 or more.")
        if not self.generators and self.log is None:
            raise SettingError("name a generator of queries, or a log of real queries.")
        if self.out.exists() and self.source.path.exists() and self.out.samefile(self.source.path):
            raise SettingError(f"{self.out} is the corpus itself; name another folder with --out.")

    @property
    def documents(self) -> int:
        """How many documents are asked about."""
        free = all(isinstance(generator, Extractive) for generator in self.generators)
        return round((FREE if free else SPARE) * self.queries)

    def rows(self, documents: int) -> tuple[Method, ...]:
        """The rows of the pool for a corpus of so many documents."""
        names = ("bm25", "dense" if documents <= DENSE_UP_TO else f"rerank(depth={CANDIDATES})")
        return self.pool or tuple(parse_method(name) for name in names)

    def encoding(self, documents: int) -> Method | None:
        """The first row of the pool, or part of one, that has an encoder; None if none has."""
        parts = (part for row in self.rows(documents) for part in (row, *row.nested()))
        return next((encoding for part in parts if (encoding := part.encoding()) is not None), None)

    def price(self, corpus: Corpus, rows: Sequence[int]) -> Estimate | None:
        """The most that hosted models cost if no answer is cached; None if nothing is sent.

        Args:
            corpus: all documents.
            rows: of the documents that are asked about.
        """
        asked = None if self.log else estimate(self.generators, corpus, rows)
        words = [len(text.split()) for text in corpus.texts_of(np.asarray(rows, np.int64))[:]]
        pairs = self.queries * (self.depth * len(self.rows(len(corpus))) + (self.log is None))
        judged = self.judge.estimate(pairs, sum(words) / max(1, len(words)))
        parts = [part for part in (asked, judged) if part is not None]
        return sum(parts[1:], parts[0]) if parts else None
