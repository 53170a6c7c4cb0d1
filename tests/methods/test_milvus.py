"""Milvus Lite: its folder, and what it does not take."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import EngineError, SettingError
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher
from harness.methods import milvus as row
from harness.methods._engine_content import Content
from harness.methods.milvus import Milvus
from harness.runtime.context import Context
from tests.methods.conftest import Make

pytest.importorskip("pymilvus", reason="pymilvus is not installed")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


def test_its_files_are_built_once_and_searched_in_a_copy_that_goes_with_the_row(
    corpus: Corpus, queries: Queries, searcher_of: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    root, found = tmp_path / "kept", []
    for turn in range(2):
        if turn:
            monkeypatch.setattr(Content, "batches", lambda *given: pytest.fail("built again"))
            empty = [path for path in root.rglob("*") if path.is_dir() and not any(path.iterdir())]
            for path in empty:  # a store of files has none
                path.rmdir()
        within = Context(cache=Cache(root))
        searcher = searcher_of(Milvus(), corpus, within=within)
        found.append(searcher.search(queries, 5))
        assert searcher.size.index_bytes > 0
        assert len(list(tmp_path.glob("harness-milvus-*"))) == 1
        del searcher, within
        gc.collect()
        assert list(tmp_path.glob("harness-milvus-*")) == []
    assert found[0].indices.tolist() == found[1].indices.tolist()
    assert found[0].scores.tolist() == found[1].scores.tolist()


def test_a_text_that_is_too_long_is_cut_with_a_note(
    engine: Make, searcher_of: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row, "LONGEST", 20)
    some = Corpus.of([("a", "", "wing öööööööö drag"), ("b", "", "wing")])
    queries = Queries(["q", "r"], ["wing", "drag"])
    searcher = searcher_of(engine("milvus"), some)
    assert [len(rows) for rows, _ in searcher.search(queries, 5).rows()] == [2, 0]
    assert searcher.notes(queries) == ("1 documents were cut at 20 bytes, the most that Milvus takes",)


def test_what_lite_lacks_is_told(corpus: Corpus, searcher_of: Search, engine: Make) -> None:
    with pytest.raises(EngineError, match=r"milvus: indexing failed: .*unknown tokenizer type: 'english'"):
        searcher_of(engine("milvus", analyzer="english"), corpus)


def test_a_token_is_no_part_of_the_row() -> None:
    with pytest.raises(SettingError, match="without a key"):
        Milvus(url="http://root:secret@localhost:19530")


def test_hnsw_searches_as_wide_as_the_ranking_is_long(
    corpus: Corpus, queries: Queries, rank: Rank, engine: Make
) -> None:
    exact = rank(engine("milvus", "dense"), corpus, queries, 30)
    near = rank(engine("milvus", "dense", index="hnsw", ef_search=1), corpus, queries, 30)
    assert near.indices.tolist() == exact.indices.tolist()
