"""Rows over several datasets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import ComparisonError
from harness.compare.across_datasets import compare_across
from harness.compare.evidence import Scores
from harness.statistics.family import family

Scored = Callable[..., Scores]
RNG = np.random.default_rng(1)
SMALL, LARGE = RNG.uniform(0.2, 0.8, 40), RNG.uniform(0.2, 0.8, 200)
NOISE = [RNG.normal(0, 0.1, (n, 4)) for n in (40, 200)]


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(column)}


@pytest.fixture
def row(scored: Scored) -> Callable[..., tuple[Scores, Scores]]:
    """`row("a", 0.1, 0.2, noise=0)`: scores shifted by so much on a small and on a large dataset."""

    def one(name: str, small: float, large: float, noise: int = 0, **changed: str) -> tuple[Scores, Scores]:
        columns = (SMALL + small + NOISE[0][:, noise], LARGE + large + NOISE[1][:, noise])
        one, other = (
            scored(name, by_query(c), dataset=f"beir/{d}/test", **changed) for c, d in zip(columns, "xy", strict=True)
        )
        return one, other

    return one


def test_rows_have_ranks_and_each_is_held_against_the_first(row: Callable[..., tuple]) -> None:
    held = [row("best", 0.1, 0.1, 0), row("twin", 0.1, 0.1, 1), row("last", -0.1, 0.0, 2)]
    comparison, found = compare_across(held, seed=3)
    assert [each.ranks for each in found] == [(1, 2), (1, 2), (3, 3)]
    assert comparison.letters == (("a",), ("a",), ("b",))
    assert comparison.corrected.startswith("3 pairs of 3 rows (c = 2.")
    for each, scores in zip(found, held, strict=True):
        assert each.interval.low < np.mean([s.mean for s in scores]) < each.interval.high
    assert found[0].against is None
    last = found[2].against
    assert last is not None
    gaps = [(a.values - b.values).mean(1) for a, b in zip(held[2], held[0], strict=True)]
    assert last.difference.mean == pytest.approx(np.mean([gap.mean() for gap in gaps]))
    reference = family([np.stack([row[d].values[:, 0] for row in held], axis=1) for d in (0, 1)], seed=3)
    assert last.difference == reference.difference(2, 0)
    assert last.datasets == (0, 0, 2)
    assert last.queries == tuple(
        sum(int(c) for c in each) for each in zip(*[_counts(gap) for gap in gaps], strict=True)
    )
    assert last.difference.p <= 0.05
    assert last.difference.interval.high < 0


def _counts(gap: np.ndarray) -> tuple[int, int, int]:
    return int((gap > 1e-9).sum()), int((abs(gap) <= 1e-9).sum()), int((gap < -1e-9).sum())


def test_p_values_and_intervals_agree(row: Callable[..., tuple]) -> None:
    _, found = compare_across([row("a", 0.03, 0.02, 0), row("b", 0.01, 0.01, 1), row("c", -0.03, 0.0, 2)])
    for each in found[1:]:
        assert each.against is not None
        difference = each.against.difference
        assert (difference.p <= 0.05) is not difference.tied


def test_a_dataset_is_tied_where_the_figures_shown_are_equal(scored: Scored) -> None:
    one = [scored("one", {"q0": 0.50001, "q1": 0.5}, dataset="x"), scored("one", {"q0": 0.9, "q1": 0.5}, dataset="y")]
    two = [scored("two", {"q0": 0.50002, "q1": 0.5}, dataset="x"), scored("two", {"q0": 0.5, "q1": 0.5}, dataset="y")]
    against = compare_across([one, two])[1][1].against
    assert against is not None
    assert (against.datasets, against.queries) == ((0, 1, 1), (1, 2, 1))
    assert against.difference.tied, "four queries"


def test_several_seeds_count_by_their_mean(scored: Scored) -> None:
    def rows(*seeds: dict[str, float]) -> list[Scores]:
        return [scored("row", *seeds, dataset=d) for d in ("x", "y")]

    low, high = ({"q0": v, "q1": v + 0.1} for v in (0.2, 0.4))
    other = [scored("other", {"q0": 0.3, "q1": 0.4}, dataset=d) for d in ("x", "y")]
    against = compare_across([rows(low, high), other])[1][1].against
    assert against is not None
    assert against.difference.mean == pytest.approx(0.0, abs=1e-9)
    assert (against.datasets, against.queries, against.difference.p) == ((0, 2, 0), (0, 4, 0), 1.0)


def test_one_row_equal_rows_and_single_queries(scored: Scored) -> None:
    def rows(name: str, value: float) -> list[Scores]:
        return [scored(name, {"q": value}, dataset="x"), scored(name, {"q": value}, dataset="y")]

    _, (alone,) = compare_across([rows("alone", 0.5)])
    assert (alone.ranks, alone.against, alone.interval.low, alone.interval.high) == ((1, 1), None, 0.5, 0.5)
    _, same = compare_across([rows("one", 0.5), rows("two", 0.5)])
    assert [each.ranks for each in same] == [(1, 2), (1, 2)]
    _, apart = compare_across([rows("three", 0.9), rows("four", 0.1)])
    assert [each.ranks for each in apart] == [(1, 2), (1, 2)], "two queries show nothing"
    assert apart[1].against is not None
    assert apart[1].against.difference.p >= 0.5


def test_other_collections_and_other_queries_are_refused(scored: Scored, row: Callable[..., tuple]) -> None:
    with pytest.raises(ComparisonError, match="run both on one"):
        compare_across([row("a", 0.1, 0.1), row("b", 0.0, 0.0, revision="0" * 32)])
    other = [scored("c", {"q": 1.0}, dataset=f"beir/{d}/test") for d in "xy"]
    with pytest.raises(ComparisonError, match="not of the same queries"):
        compare_across([row("a", 0.1, 0.1), other])
