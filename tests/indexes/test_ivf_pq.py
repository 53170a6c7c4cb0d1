"""Product quantisation: codes find candidates, the vectors decide."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes import Index
from harness.indexes.ivf_pq import IVFPQ
from harness.runtime.context import Context
from tests.indexes.conftest import Held, clustered

Topics = tuple[Floats, Floats]
Of = Callable[..., Index]


def test_with_every_list_read_and_everything_rescored_it_ranks_as_exact_does(
    index_of: Of, topics: Topics, ranks_as_exact: Callable[..., bool]
) -> None:
    assert ranks_as_exact(index_of("ivf_pq", nlist=10, nprobe=10, rescore=150), *topics, 10)


def test_longer_codes_and_more_rescoring_find_more(
    index_of: Of, topics: Topics, recalled: Callable[..., float]
) -> None:
    every = {"nlist": 8, "nprobe": 8}
    coarse, fine = (recalled(index_of("ivf_pq", m=m, rescore=1, **every), *topics, 10) for m in (2, 32))
    assert coarse < fine
    assert recalled(index_of("ivf_pq", m=2, rescore=20, **every), *topics, 10) > coarse


def test_one_index_serves_all_settings_of_the_search(
    index_of: Of, topics: Topics, context: Context, corpus_of: Callable[[int], Corpus], kept: Callable[[], set[str]]
) -> None:
    order = corpus_of(1500).id_order
    for settings in ({}, {"nprobe": 2}, {"rescore": 9}):
        index_of("ivf_pq", **settings).build(Held(topics[0]), order, context)
    assert len(kept()) == 1
    index_of("ivf_pq", bits=6).build(Held(topics[0]), order, context)
    assert len(kept()) == 2


def test_it_is_small(index_of: Of, context: Context, corpus_of: Callable[[int], Corpus]) -> None:
    n, d = 4000, 64
    held = index_of("ivf_pq", nlist=16, m=8).build(Held(clustered(n, d)), corpus_of(n).id_order, context)
    tables = 4 * d * (16 + 256)  # centroids of the lists and of the parts
    assert n * (8 + 8) + tables <= held.nbytes <= 1.2 * (n * (8 + 8) + tables)


def test_parts_that_do_not_divide_the_vectors_are_refused_with_those_that_do(
    index_of: Of, context: Context, corpus_of: Callable[[int], Corpus]
) -> None:
    with pytest.raises(SettingError, match=r"m must divide the 12 dimensions .* 5 does not; \[1, 2, 3, 4, 6, 12\] do"):
        index_of("ivf_pq", m=5).build(Held(clustered(300, 12)), corpus_of(300).id_order, context)


def test_a_prime_number_of_dimensions_is_coded_in_one_part(index_of: Of, recalled: Callable[..., float]) -> None:
    assert recalled(index_of("ivf_pq", nprobe=99, rescore=40), clustered(300, 13), clustered(9, 13, seed=1), 5) > 0.9


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"m": 0}, "m must be 1"), ({"rescore": 0}, "rescore must be 1"), ({"bits": 3}, "between 4 and 12")],
)
def test_settings_out_of_range_are_refused(settings: dict[str, int], words: str) -> None:
    with pytest.raises(SettingError, match=f"ivf_pq: .*{words}"):
        IVFPQ(**settings)
