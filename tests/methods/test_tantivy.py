"""Tantivy: its analysers, and what its index holds."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator

import pytest

from harness.base.errors import EngineError
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher
from harness.methods._engine_content import Content, Documents
from harness.methods.tantivy import Tantivy
from harness.runtime.context import Context

pytest.importorskip("tantivy", reason="tantivy is not installed")
Rank = Callable[..., TopK]


@pytest.fixture
def some() -> Corpus:
    return Corpus.of([("a", "the", "wings"), ("b", "", "a wing"), ("c", "", "heat-shock"), ("d", "", "x" * 50)])


@pytest.mark.parametrize(
    ("analyzer", "query", "found"),
    [
        ("en_stem", "winged", ["b", "a"]),
        ("default", "wing", ["b"]),
        ("default", "WINGS", ["a"]),
        ("en_stem", "the", ["a"]),
        ("en_stem_stop", "the", []),
        ("en_stem", "shock", ["c"]),
        ("en_stem", "x" * 50, []),  # of more than 40 bytes
    ],
)
def test_words_are_those_of_the_analyser(analyzer: str, query: str, found: list[str], some: Corpus, rank: Rank) -> None:
    top = rank(Tantivy(analyzer=analyzer), some, Queries(["q"], [query]), 4)  # type: ignore[arg-type]
    assert sorted(some.ids(next(top.rows())[0])) == sorted(found)


def test_each_analyser_has_its_index_in_the_cache_and_none_is_changed_by_a_search(
    some: Corpus, searcher_of: Callable[..., Searcher], context: object
) -> None:
    for analyzer in ("en_stem", "default"):
        searcher_of(Tantivy(analyzer=analyzer), some).search(Queries(["q"], ["wing"]), 3)  # type: ignore[arg-type]
    entries = sorted((context.cache.root / "search-engines").iterdir())  # type: ignore[attr-defined]
    assert len(entries) == 2
    for entry in entries:
        known = context.cache.meta(entry)["files"]  # type: ignore[attr-defined]
        there = {str(file.relative_to(entry)) for file in entry.rglob("*") if file.is_file()} - {"meta.json"}
        assert there == set(known)


def test_an_index_that_fails_leaves_nothing(
    some: Corpus, searcher_of: Callable[..., Searcher], context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Content.batches

    def broken(self: Content, name: str) -> Iterator[Documents]:
        yield from whole(self, name)
        raise OSError("bad segment")

    monkeypatch.setattr(Content, "batches", broken)
    with pytest.raises(EngineError, match="tantivy: indexing failed: bad segment") as caught:
        searcher_of(Tantivy(), some)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__cause__.__traceback__)]  # type: ignore[union-attr]
    assert not any("writer" in frame.f_locals for frame in frames), "its threads have ended"
    assert list((context.cache.root / "search-engines").iterdir()) == []
