"""Groups of rows that no test tells apart."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.groups import groups

CASES = st.integers(1, 7).flatmap(
    lambda n: (
        st.tuples(
            st.just(n), st.sets(st.sampled_from([*itertools.combinations(range(n), 2), (0, 0)]).filter(lambda p: p[0] != p[1]))
        )
        if n > 1
        else st.tuples(st.just(n), st.just(set()))
    )
)


def test_a_row_may_stand_between_two_that_differ() -> None:
    assert groups(3, {(0, 2)}) == [(0, 1), (1, 2)]
    assert groups(3, {(2, 0), (1, 2), (1, 0)}) == [(0,), (1,), (2,)]
    assert groups(4, set()) == [(0, 1, 2, 3)]
    assert groups(0, set()) == []


@given(CASES)
def test_they_are_all_the_largest_sets_without_a_difference(case: tuple[int, set[tuple[int, int]]]) -> None:
    count, different = case

    def alike(rows: tuple[int, ...]) -> bool:
        return not any(pair in different or pair[::-1] in different for pair in itertools.combinations(rows, 2))

    every = [rows for size in range(1, count + 1) for rows in itertools.combinations(range(count), size) if alike(rows)]
    largest = [rows for rows in every if not any(set(rows) < set(other) for other in every)]
    assert groups(count, different) == sorted(largest)
