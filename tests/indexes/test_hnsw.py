"""HNSW: its settings, and what is cached."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import CacheError, SettingError
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes import Index
from harness.indexes.hnsw import HNSW
from harness.runtime.context import Context
from tests.indexes.conftest import Held, clustered

Topics = tuple[Floats, Floats]
Of = Callable[..., Index]


def test_with_as_many_candidates_as_vectors_it_misses_hardly_any(
    index_of: Of, topics: Topics, recalled: Callable[..., float]
) -> None:
    assert recalled(index_of("hnsw", ef_search=len(topics[0])), *topics, 10) >= 0.99


def test_more_candidates_find_more(index_of: Of, recalled: Callable[..., float]) -> None:
    rng = np.random.default_rng(0)
    vectors, queries = (rng.standard_normal((n, 64)).astype(np.float32) for n in (3000, 100))  # hard: nothing clusters
    few, many = (
        recalled(index_of("hnsw", m=4, ef_construction=20, ef_search=ef), vectors, queries, 1) for ef in (1, 300)
    )
    assert few < 0.6 < 0.8 < many


def test_what_decides_the_building_makes_another_index_and_what_decides_the_search_does_not(
    index_of: Of, topics: Topics, context: Context, corpus_of: Callable[[int], Corpus], kept: Callable[[], set[str]]
) -> None:
    vectors, _ = topics
    order = corpus_of(len(vectors)).id_order
    index_of("hnsw").build(Held(vectors), order, context)
    index_of("hnsw", ef_search=500).build(Held(vectors), order, context)
    assert len(kept()) == 1
    index_of("hnsw", m=8).build(Held(vectors), order, context)
    index_of("hnsw", ef_construction=50).build(Held(vectors), order, context)
    index_of("hnsw").build(Held(vectors), order, context.reseeded(1))
    index_of("hnsw").build(Held(vectors[:-1]), order[:-1], context)
    index_of("hnsw").build(Held(vectors + np.float32(1e-6)), order, context)
    assert len(kept()) == 6


def test_a_cached_index_is_not_built_again_and_its_cost_is_reported(
    index_of: Of, topics: Topics, context: Context, corpus_of: Callable[[int], Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, _ = topics
    order = corpus_of(len(vectors)).id_order
    index_of("hnsw").build(Held(vectors), order, context)
    monkeypatch.setattr(HNSW, "empty", lambda *_: pytest.fail("built again"))
    later = Context(cache=Cache(context.cache.root))
    later.ledger.once("index", "again", "key", lambda: index_of("hnsw").build(Held(vectors), order, later))
    assert later.ledger.steps["index:key"].cached_seconds > 0


def test_an_index_of_other_vectors_in_its_place_is_refused(
    index_of: Of, topics: Topics, context: Context, corpus_of: Callable[[int], Corpus], kept: Callable[[], set[str]]
) -> None:
    vectors, _ = topics
    order = corpus_of(len(vectors)).id_order
    index_of("hnsw").build(Held(vectors), order, context)
    (one,) = kept()
    index_of("hnsw").build(Held(vectors[::-1]), order, context)
    (other,) = kept() - {one}
    folder = context.cache.root / "indexes"
    shutil.rmtree(folder / other)
    shutil.copytree(folder / one, folder / other)
    with pytest.raises(CacheError, match=r"is an index of other vectors \(1500 of 64 dimensions, .*delete the folder"):
        index_of("hnsw").build(Held(vectors[::-1]), order, context)


def test_the_cache_says_what_it_holds(
    index_of: Of, topics: Topics, context: Context, corpus_of: Callable[[int], Corpus], kept: Callable[[], set[str]]
) -> None:
    index_of("hnsw", m=8).build(Held(topics[0]), corpus_of(1500).id_order, context)
    (key,) = kept()
    described = json.loads((context.cache.root / "indexes" / key / "meta.json").read_text(encoding="utf-8"))["describe"]
    assert described["index"] == "hnsw"
    assert described["settings"] == {"m": 8, "ef_construction": 200}
    assert list(described["versions"]) == ["faiss"]


def test_its_size_is_that_of_the_vectors_and_the_graph(
    index_of: Of, context: Context, corpus_of: Callable[[int], Corpus]
) -> None:
    n, d, m = 2000, 32, 16
    nbytes = index_of("hnsw", m=m).build(Held(clustered(n, d)), corpus_of(n).id_order, context).nbytes
    assert n * (4 * d + 8 * m) <= nbytes <= n * (4 * d + 8 * m) * 1.2


@pytest.mark.parametrize("settings", [{"m": 1}, {"ef_construction": 0}, {"ef_search": 0}])
def test_settings_out_of_range_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(SettingError, match=f"hnsw: {next(iter(settings))} must be"):
        HNSW(**settings)
