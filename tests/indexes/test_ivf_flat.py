"""Inverted file: all lists read is exact search, few lists read finds fewer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes import Index
from harness.indexes.ivf_flat import IVFFlat
from harness.runtime.context import Context
from tests.indexes.conftest import Held

Topics = tuple[Floats, Floats]
Of = Callable[..., Index]


def test_with_every_list_read_it_ranks_as_exact_does(
    index_of: Of, topics: Topics, ranks_as_exact: Callable[..., bool]
) -> None:
    assert ranks_as_exact(index_of("ivf_flat", nlist=20, nprobe=20), *topics, 25)
    assert ranks_as_exact(index_of("ivf_flat", nlist=20, nprobe=1000), *topics, 25)


def test_more_lists_find_more(index_of: Of, topics: Topics, recalled: Callable[..., float]) -> None:
    found = [recalled(index_of("ivf_flat", nlist=100, nprobe=n), *topics, 10) for n in (1, 4, 100)]
    # The library knows no ids: of two vectors that tie at the tenth place it may find the other one.
    assert found[0] < found[1] < found[2]
    assert found[2] >= 0.998


def test_the_lists_come_from_the_seed(
    index_of: Of, topics: Topics, context: Context, corpus_of: Callable[[int], Corpus], kept: Callable[[], set[str]]
) -> None:
    vectors, queries = topics
    order = corpus_of(len(vectors)).id_order
    tops = [
        index_of("ivf_flat", nprobe=2).build(Held(vectors), order, context.reseeded(s)).search(queries, 10)
        for s in (0, 1)
    ]
    assert tops[0].indices.tolist() != tops[1].indices.tolist()
    index_of("ivf_flat", nprobe=3).build(Held(vectors), order, context)
    assert len(kept()) == 2  # how many lists are read does not matter to what is kept


def test_more_lists_than_vectors_are_no_error(
    index_of: Of, topics: Topics, ranks_as_exact: Callable[..., bool]
) -> None:
    vectors, queries = topics
    assert ranks_as_exact(index_of("ivf_flat", nlist=1000, nprobe=1000), vectors[:30], queries, 30)


@pytest.mark.parametrize("name", ["nlist", "nprobe"])
def test_settings_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match=f"ivf_flat: {name} must be 1 or more, not 0"):
        IVFFlat(**{name: 0})
