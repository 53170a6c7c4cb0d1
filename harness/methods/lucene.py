"""BM25 on Lucene itself, through Pyserini's Anserini, with RM3 or Rocchio if requested; Java comes with the extra."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.base.errors import EngineError, SettingError
from harness.cache.code import code_of
from harness.choices.bounds import NonNegative, Share
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.feedback import Feedback
from harness.lucene.java import Java, installed
from harness.lucene.process import Process
from harness.methods import Fitted, Method, Searcher, Size
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

FEEDBACK = ("rm3", "rocchio")
"""What Anserini has."""
DOCUMENTS, QUERIES = 1000, 16
"""How many go into one request."""
DIGITS = 10


@dataclass(frozen=True)
class Lucene(Method):
    """Lucene's BM25 over title and text, with Anserini's English analyser: the reference of `bm25`.

    Source: Lin et al., "Pyserini: A Python Toolkit for Reproducible Information Retrieval Research with Sparse and
    Dense Representations" (SIGIR 2021); the defaults are Anserini's. Ties are in the documented order, also at the cut.

    Args:
        k1: saturation of term frequency, ≥ 0.
        b: strength of length normalisation, 0 to 1.
        feedback: Anserini's own RM3 or Rocchio, with these settings; None searches once.
    """

    k1: NonNegative = 0.9
    b: Share = 0.4
    feedback: Feedback | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.feedback is not None and self.feedback.name() not in FEEDBACK:
            raise SettingError(
                f"lucene: feedback must be {' or '.join(FEEDBACK)}, not {self.feedback}; bm25 takes any."
            )

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`: Anserini's jar."""
        jar = installed().jar
        return {jar.name: context.cache.hashes.sha256(jar)}

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn.

        Raises:
            Unavailable: the extra `lucene` is not installed.
        """
        return _Fitted(self, installed(), context)


class _Fitted(Fitted):
    notes = ("memory is that of the harness only: Lucene runs in a process of its own",)

    def __init__(self, method: Lucene, java: Java, context: Context) -> None:
        self._method, self._java = method, java
        self._sha = context.cache.hashes.sha256(java.jar)
        self.key = f"lucene-{method.fingerprint()}-{self._sha[:16]}"
        self.resolved = {**method.settings(), "anserini": java.jar.name}

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """Lucene's index, with term vectors, cached by corpus and jar: k1, b and feedback are settings of a search."""
        engine = start(self._java, context)
        code = code_of("harness.methods.lucene", "harness.lucene.worker", without=("harness.feedback",))
        key = hashlib.sha256(f"{code} {self._sha} {corpus.revision}".encode()).hexdigest()[:32]

        def build(folder: Path) -> None:
            _build(folder, corpus, engine, context)

        describe = {"anserini": self._java.jar.name, "documents": len(corpus), "corpus": corpus.revision}
        folder = build_once(context, "lucene", key, describe, build)
        size = sum(file["bytes"] for file in context.cache.meta(folder)["files"].values())
        return _Searcher(f"{self.key}-{corpus.revision}", self._method, engine, folder, size, corpus)


def start(java: Java, context: Context) -> Process:
    """Lucene's process, started once in a run."""

    def begin() -> Process:
        engine = Process(java.command(), java.environment())
        engine.start()
        return engine

    return context.ledger.once("model", "start Lucene", f"lucene {java.jar}", begin)


def _build(folder: Path, corpus: Corpus, engine: Process, context: Context) -> None:
    """Indexes a corpus, each document under its place in the documented order, by which Anserini then breaks ties."""
    engine.ask("create", folder=str(folder))
    indexed = 0
    with context.progress("index lucene", len(corpus), "documents") as advance:
        for start in range(0, len(corpus), DOCUMENTS):
            texts = corpus.texts[start : start + DOCUMENTS]
            names = [f"{place:0{DIGITS}}" for place in corpus.id_order[start : start + DOCUMENTS].tolist()]
            indexed += engine.ask("add", documents=list(zip(names, texts, strict=True)))
            advance(len(texts))
    engine.ask("commit")
    count = engine.ask("documents", folder=str(folder))
    if count != indexed:
        raise EngineError(f"lucene: the index contains {count:,} of {indexed:,} documents; run again.")


class _Searcher(Searcher):
    def __init__(self, key: str, method: Lucene, engine: Process, place: Path, size: int, corpus: Corpus) -> None:
        self.key, self.size = key, Size(index_bytes=size)
        self._method, self._engine, self._place, self._corpus = method, engine, place, corpus
        self._rows = np.argsort(corpus.id_order)

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`; a query without a term of the corpus has an empty ranking."""
        method, rankings = self._method, []
        feedback = None if method.feedback is None else {"name": method.feedback.name(), **method.feedback.settings()}
        for start in range(0, len(queries), QUERIES):
            texts = list(queries.texts[start : start + QUERIES])
            settings = {"folder": str(self._place), "k1": method.k1, "b": method.b, "k": k, "queries": texts}
            try:
                answers = self._engine.ask("search", **settings, feedback=feedback)
            except EngineError as error:
                raise EngineError(f"{error} `harness cache verify` checks the index {self._place}.") from error
            if not isinstance(answers, list) or len(answers) != len(texts):
                raise EngineError(f"lucene: the answer to {len(texts)} queries does not have one ranking for each.")
            rankings += [self._ranking(answer, k) for answer in answers]
        return stack(rankings, k)

    def _ranking(self, answer: Sequence[Sequence[str | float]], k: int) -> tuple[Ints, Floats]:
        """Rows and scores of one answer, which must be a ranking."""
        try:
            names, values = answer
            places, scores = np.array(names, dtype=np.int64), np.array(values, dtype=np.float32)
            fits = len(places) == len(scores) <= k and bool(np.isfinite(scores).all())
            fits = fits and bool(((places >= 0) & (places < len(self._rows))).all()) and len(set(names)) == len(names)
        except (ValueError, TypeError, OverflowError):
            fits = False
        if not fits:
            raise EngineError(
                f"lucene: an answer is not a ranking of {len(self._rows):,} documents: {str(answer)[:200]}"
            )
        # Lucene computes a document's score again for the answer, so its last bit may differ from the one it ranked by.
        return select(self._rows[places], scores, self._corpus.id_order, k)
