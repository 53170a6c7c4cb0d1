"""Ranges of ranks, groups of tied rows and their letters."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.family import family
from harness.statistics.ranks import groups, letter, letters, ranks

Case = tuple[int, set[tuple[int, int]]]
CASES = st.integers(1, 7).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.sets(st.sampled_from([*itertools.combinations(range(n), 2)])) if n > 1 else st.just(set()),  # type: ignore[arg-type]
    )
)


def better(rows: int, pairs: set[tuple[int, int]]) -> Any:
    found = np.zeros((rows, rows), np.bool_)
    for one, other in pairs:
        found[one, other] = True
    return found


def spans(told: Any) -> list[tuple[int, int]]:
    return list(zip(*(each.tolist() for each in ranks(told)), strict=True))


def test_a_rank_counts_the_rows_that_are_surely_better_and_surely_worse() -> None:
    assert spans(better(4, {(0, 2), (0, 3), (1, 3)})) == [(1, 2), (1, 3), (2, 4), (3, 4)]
    assert spans(better(3, set())) == [(1, 3)] * 3
    assert spans(better(1, set())) == [(1, 1)]


@given(CASES)
def test_a_range_is_never_empty_and_has_the_ranks_of_every_order_that_the_pairs_allow(case: Case) -> None:
    rows, pairs = case
    found = spans(better(rows, pairs))
    assert all(1 <= low <= high <= rows for low, high in found)
    for order in itertools.permutations(range(rows)):
        if all(order.index(one) < order.index(other) for one, other in pairs):
            assert all(low <= order.index(row) + 1 <= high for row, (low, high) in enumerate(found))


@given(st.integers(8, 40), st.integers(1, 8), st.integers(0, 10**6))
def test_the_rank_of_the_means_is_within_and_the_best_may_be_first(queries: int, rows: int, seed: int) -> None:
    values = np.random.default_rng(seed).random((queries, rows))
    values = values[:, np.argsort(-values.mean(0))]
    found = spans(family([values], draws=99).better())
    assert all(low <= place + 1 <= high for place, (low, high) in enumerate(found))
    assert found[0][0] == 1


def test_a_row_may_be_between_two_that_differ() -> None:
    assert groups(better(3, {(0, 2)})) == [(0, 1), (1, 2)]
    assert groups(better(3, {(0, 2), (1, 2), (0, 1)})) == [(0,), (1,), (2,)]
    assert groups(better(4, set())) == [(0, 1, 2, 3)]
    assert groups(better(0, set())) == []


@given(CASES)
def test_groups_are_all_the_largest_sets_of_tied_rows(case: Case) -> None:
    count, pairs = case

    def tied(rows: tuple[int, ...]) -> bool:
        return not any(pair in pairs for pair in itertools.combinations(rows, 2))

    every = [rows for size in range(1, count + 1) for rows in itertools.combinations(range(count), size) if tied(rows)]
    most = [rows for rows in every if not any(set(rows) < set(other) for other in every)]
    assert groups(better(count, pairs)) == sorted(most)


def test_letters_go_on_after_z_and_no_two_rows_that_differ_share_one() -> None:
    assert [letter(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ["a", "z", "aa", "az", "ba", "zz", "aaa"]
    rows = 40
    apart = {(a, b) for a, b in itertools.combinations(range(rows), 2) if b - a > 1}
    found = letters(better(rows, apart))
    assert len({each for row in found for each in row}) == rows - 1
    for a, b in itertools.combinations(range(rows), 2):
        assert bool(set(found[a]) & set(found[b])) is ((a, b) not in apart)
