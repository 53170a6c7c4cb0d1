"""LanceDB: what is on disk answers, small collections are scanned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes import Index
from harness.indexes.lancedb import LanceDB
from harness.runtime.context import Context
from tests.indexes.conftest import Held, clustered

Topics = tuple[Floats, Floats]
Of = Callable[..., Index]


def test_with_every_list_read_and_everything_rescored_it_ranks_as_exact_does(
    index_of: Of, topics: Topics, ranks_as_exact: Callable[..., bool]
) -> None:
    assert ranks_as_exact(index_of("lancedb", nprobe=50, rescore=150), *topics, 10)


def test_fewer_vectors_than_it_can_train_on_are_all_compared(
    index_of: Of, topics: Topics, ranks_as_exact: Callable[..., bool]
) -> None:
    vectors, queries = topics
    assert ranks_as_exact(index_of("lancedb", nprobe=1, rescore=2), vectors[:255], queries, 10)


def test_longer_codes_find_more(index_of: Of, topics: Topics, recalled: Callable[..., float]) -> None:
    coarse, fine = (recalled(index_of("lancedb", m=m, nprobe=50, rescore=1), *topics, 10) for m in (1, 32))
    assert coarse < fine


def test_the_kept_table_answers_the_same_wherever_the_cache_is_moved(
    index_of: Of, topics: Topics, context: Context, corpus_of: Callable[[int], Corpus], tmp_path: Path
) -> None:
    vectors, queries = topics
    order = corpus_of(len(vectors)).id_order
    before = index_of("lancedb", nprobe=1).build(Held(vectors), order, context).search(queries, 10)
    moved = context.cache.root.rename(tmp_path / "moved")
    after = index_of("lancedb", nprobe=1).build(Held(vectors), order, Context(cache=Cache(moved))).search(queries, 10)
    assert after.indices.tolist() == before.indices.tolist()
    assert len(list(moved.glob("indexes/*"))) == 1


def test_its_size_is_what_is_on_disk(index_of: Of, context: Context, corpus_of: Callable[[int], Corpus]) -> None:
    n, d = 2000, 32
    nbytes = index_of("lancedb", m=8).build(Held(clustered(n, d)), corpus_of(n).id_order, context).nbytes
    assert n * (4 * d + 8) <= nbytes <= 2 * n * (4 * d + 8)


def test_parts_that_do_not_divide_the_vectors_are_refused_with_those_that_do(
    index_of: Of, context: Context, corpus_of: Callable[[int], Corpus]
) -> None:
    with pytest.raises(
        SettingError, match=r"lancedb: m must divide the 12 dimensions .* 5 does not; \[1, 2, 3, 4, 6, 12\] do"
    ):
        index_of("lancedb", m=5).build(Held(clustered(300, 12)), corpus_of(300).id_order, context)


@pytest.mark.parametrize("name", ["nlist", "nprobe", "m", "rescore"])
def test_settings_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match=f"lancedb: {name} must be 1 or more, not 0"):
        LanceDB(**{name: 0})
