"""SQLite: its words, its limit of neighbours, inner products by Euclidean distance, and one file for many readers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher
from harness.methods import sqlite as row
from harness.methods.sqlite import MOST_VECTORS, SQLite
from tests.methods.conftest import Make

pytest.importorskip("apsw", reason="apsw is not installed")
pytest.importorskip("sqlite_vec", reason="sqlite-vec is not installed")
Rank = Callable[..., TopK]


def test_porter_stems_and_unicode61_does_not(rank: Rank) -> None:
    some = Corpus.of([("a", "", "wings"), ("b", "", "Flügel"), ("c", "", "heat"), ("d", "", "jet"), ("e", "", "it")])
    queries = Queries(["q", "r"], ["wing", "flugel"])
    stemmed = [some.ids(rows) for rows, _ in rank(SQLite(), some, queries, 4).rows()]
    plain = [some.ids(rows) for rows, _ in rank(SQLite(tokenizer="unicode61"), some, queries, 4).rows()]
    assert stemmed == [["a"], ["b"]], "both fold accents"
    assert plain == [[], ["b"]]


def test_only_a_search_of_vectors_has_a_limit(engine: Make) -> None:
    assert engine("sqlite", "dense").reach(10_000) == MOST_VECTORS
    assert engine("sqlite").reach(10_000) == engine("sqlite", "hybrid").reach(10_000) == 10_000


def test_longer_vectors_are_nearer_where_their_inner_product_is_greater() -> None:
    rng = np.random.default_rng(0)
    documents = rng.standard_normal((50, 37)).astype(np.float32) * rng.uniform(0, 3, (50, 1)).astype(np.float32)
    documents[7] = 0
    query = rng.standard_normal(37).astype(np.float32)
    longest = float(np.linalg.norm(documents.astype(np.float64), axis=1).max())
    wide = row._widened(documents, longest)
    assert wide.shape == (50, 48)
    assert np.linalg.norm(wide, axis=1) == pytest.approx(longest, rel=1e-5)
    distances = np.linalg.norm(wide - row._widened(query[None], 0.0), axis=1)
    assert np.argsort(distances).tolist() == np.argsort(-(documents @ query)).tolist()


def test_many_read_one_file_which_no_search_changes(
    corpus: Corpus, queries: Queries, searcher_of: Callable[..., Searcher], engine: Make, context: object
) -> None:
    first = searcher_of(engine("sqlite", "hybrid"), corpus)
    (entry,) = (context.cache.root / "search-engines").iterdir()  # type: ignore[attr-defined]
    file = entry / "index" / row.FILE
    before = file.read_bytes()
    second = searcher_of(engine("sqlite", "hybrid", depth=5), corpus)
    assert first.search(queries, 5).indices.tolist()[0] == first.search(queries, 5).indices.tolist()[0]
    assert second.search(queries, 5).indices[0, 0] >= 0
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == [row.FILE]


def test_the_texts_themselves_are_not_in_the_file(
    corpus: Corpus, searcher_of: Callable[..., Searcher], context: object
) -> None:
    searcher_of(SQLite(tokenizer="unicode61"), Corpus.of([("a", "", "zebra Quagga-Okapi")]))
    (entry,) = (context.cache.root / "search-engines").iterdir()  # type: ignore[attr-defined]
    raw = (entry / "index" / row.FILE).read_bytes()
    assert b"quagga" in raw
    assert b"Quagga-Okapi" not in raw
