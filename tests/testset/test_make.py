"""The steps in order: what is dropped is counted, the pool has the document that was asked about."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus
from harness.indexes import Vectors
from harness.judges import Grades, Judge, Pairs
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.rerank import Rerank
from harness.models.encoder import Encoder, Side
from harness.runtime.context import Context
from harness.testset import sample as sample_of
from harness.testset.documents import Source
from harness.testset.make import make, rows_asked
from harness.testset.request import Request


def corpus_of(request: Request) -> Corpus:
    return Corpus.of(request.source.documents())


def test_queries_with_their_pools_and_grades(request_of: Callable[..., Request], context: Context) -> None:
    request = request_of()
    corpus = corpus_of(request)
    told: list[str] = []
    made = make(request, corpus, rows_asked(request, corpus, context), context, told.append)
    assert 1 <= len(made.queries) <= 12
    for query, rows, grades in zip(made.queries, made.pairs, made.grades.values, strict=True):
        assert query.alone == (query.row in rows)  # every row finds it, so it is left out if others answer too
        assert query.is_part is not query.alone
        assert len(rows) == len(grades) <= 6
        assert (grades > 0).any()
    assert sum(made.drops.values()) >= 12 - len(made.queries)
    assert made.copied["sentence"] == 1
    assert len(told) >= 2


def test_real_queries_are_only_judged(request_of: Callable[..., Request], context: Context, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("who repaired the garden valve\nwhen was the bridge repaired\nquite other words\n")
    request = request_of(log=log)
    corpus = corpus_of(request)
    made = make(request, corpus, rows_asked(request, corpus, context), context, lambda line: None)
    assert {query.text for query in made.queries} <= set(log.read_text().split("\n"))
    assert {(query.kind, query.row) for query in made.queries} == {("log", -1)}
    assert made.copied == {}


@dataclass(frozen=True)
class Harsh(Judge):
    """Grades everything 0."""

    def grade(self, corpus: Corpus, pairs: Pairs, known: Pairs, context: Context) -> Grades:
        return Grades([np.zeros(len(rows), np.int8) for rows in pairs.candidates])

    def label(self) -> str:
        return "harsh"


def test_if_nothing_is_left_the_message_says_why(request_of: Callable[..., Request], context: Context) -> None:
    request = request_of(judge=Harsh())
    corpus = corpus_of(request)
    with pytest.raises(DatasetError, match=r"no query is left \(.* no relevant document"):
        make(request, corpus, rows_asked(request, corpus, context), context, lambda line: None)


def test_a_corpus_of_one_document_is_refused(
    request_of: Callable[..., Request], context: Context, tmp_path: Path
) -> None:
    path = tmp_path / "one.md"
    path.write_text("# One\n\nOnly one document of some words is here.\n")
    request = request_of(source=Source(path))
    with pytest.raises(DatasetError, match="the corpus has 1 document;"):
        rows_asked(request, corpus_of(request), context)


def test_of_a_large_corpus_only_a_sample_and_the_candidates_are_encoded(
    request_of: Callable[..., Request], context: Context, monkeypatch: pytest.MonkeyPatch, tiny_encoder: Path
) -> None:
    """The default pool of a large corpus: its size decides neither what is looked at nor what is encoded."""
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(400)]
    corpus = Corpus.of([(f"d{i}", "", " ".join(rng.choice(words, 12)) + ".") for i in range(1000)])
    dense = Dense(model=str(tiny_encoder), precision="fp32")
    request = request_of(queries=4, pool=(BM25(), Rerank(scorer=dense, depth=10)), within=10)
    encoded: set[str] = set()
    encode = Encoder.vectors

    def spied(self: Encoder, texts: Sequence[str], side: Side) -> Vectors:
        encoded.update(texts[:] if side == "document" else [])
        return encode(self, texts, side)

    monkeypatch.setattr(Encoder, "vectors", spied)
    monkeypatch.setattr(sample_of, "MOST", 40)
    monkeypatch.setattr("harness.testset.make.KNOWN", known := 10)
    with contextlib.suppress(DatasetError):  # the tiny encoder may find all documents relevant
        make(request, corpus, rows_asked(request, corpus, context), context, lambda line: None)
    looked_at, random, searched = 4 * known, 5 * known, 2 * 4
    assert 100 < len(encoded) <= looked_at + random + searched * (10 + 5) < 1000
