"""Queries that share documents are compared as groups, if the records of a folds dataset have them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.compare.across_datasets import compare_across
from harness.compare.comparison import compare
from harness.compare.evidence import Scores, contrasts
from harness.compare.groups import by_seed, deviation, groups_of, units, units_of_means
from harness.statistics.power import smallest_difference

Scored = Callable[..., Scores]
SIZE, COUNT = 4, 30
TOGETHER = [[f"q{SIZE * group + i:03}" for i in range(SIZE)] for group in range(COUNT)]


def values(seed: int, shift: float = 0.0) -> dict[str, float]:
    """Queries of a group have almost the same score."""
    rng = np.random.default_rng(seed)
    of_group = rng.uniform(0.2, 0.7, COUNT)
    return {q: round(of_group[i] + shift + rng.uniform(0, 0.02), 6) for i, own in enumerate(TOGETHER) for q in own}


@pytest.fixture
def folded(scored: Scored) -> Scored:
    def one(row: str, *columns: dict[str, float], together: object = TOGETHER) -> Scores:
        found = scored(row, *columns)
        for record in found.records:
            record.dataset["folds"] = {"folds": 5, "together": together}  # type: ignore[index]
        return found

    return one


def test_the_standard_error_is_that_of_the_groups_sums(folded: Scored, scored: Scored) -> None:
    one, other = folded("one", values(1, 0.05)), folded("other", values(2))
    (found,) = contrasts([(one, other)], draws=999)
    differences = np.array([one.by_query[q] - other.by_query[q] for q in one.ids]).reshape(COUNT, SIZE)
    by_hand = differences.mean(1).std(ddof=1) / np.sqrt(COUNT)
    assert found.tested.error == pytest.approx(by_hand)
    assert found.difference == pytest.approx(differences.mean())
    assert found.deviation / np.sqrt(SIZE * COUNT) == pytest.approx(by_hand)
    assert found.smallest == pytest.approx(smallest_difference(found.deviation, SIZE * COUNT, found.alpha))
    (alone,) = contrasts([(scored("a", values(1, 0.05)), scored("b", values(2)))], draws=999)
    assert alone.groups is None
    assert found.tested.error > 1.8 * alone.tested.error, "four queries are worth little more than one here"
    assert found.pairs.wins_ties_losses == alone.pairs.wins_ties_losses


def test_a_board_and_a_mean_over_datasets_resample_groups_and_say_so(folded: Scored) -> None:
    rows = [folded("one", values(1, 0.05)), folded("other", values(2))]
    board = compare(rows, draws=999)
    assert (board.queries, board.family.queries) == (SIZE * COUNT, COUNT)
    assert board.power.startswith("120 queries in 30 groups detect a difference of")
    groups = groups_of(rows[0].records, rows[0].ids)
    assert groups is not None
    differences = by_seed(rows)[:, :1] - by_seed(rows)[:, 1:]
    assert board.deviation == pytest.approx(float(deviation(differences, groups)[0]))
    width = board.intervals[0].high - board.intervals[0].low
    spread = units_of_means(by_seed(rows), groups)[:, 0].std(ddof=1) / np.sqrt(COUNT)
    assert width == pytest.approx(2 * 1.96 * spread, rel=0.15)
    across, _ = compare_across([[row] for row in rows], draws=999)
    assert across.queries == SIZE * COUNT
    assert across.difference(0, 1).error == pytest.approx(board.difference(0, 1).error)


def test_without_groups_or_with_too_few_of_them_every_query_counts_by_itself(folded: Scored, scored: Scored) -> None:
    plain = scored("plain", values(1))
    assert groups_of(plain.records, plain.ids) is None
    giant = [[q for own in TOGETHER[3:] for q in own]]
    few = folded("few", values(1), together=giant)
    assert groups_of(few.records, few.ids) is None
    mixed = [plain.records[0], folded("one", values(1)).records[0]]
    found = groups_of(mixed, plain.ids)
    assert found is not None
    assert units(by_seed([plain]), found).shape == (COUNT, 1)
    assert units(by_seed([plain]), None).shape == (SIZE * COUNT, 1)
    assert deviation(np.zeros((1, 2)), None).tolist() == [0.0, 0.0]
