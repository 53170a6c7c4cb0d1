"""Rows against the first: for other collections, on new documents, and dataset by dataset."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.bench.document_split import split_entry
from harness.compare.beyond import beyond, on_new_documents, support
from harness.compare.evidence import Scores
from harness.leaks.overlap import Leaks
from harness.statistics.collections import over_collections

N = 60
IDS = [f"q{i:02}" for i in range(N)]
BASE = np.random.default_rng(3).uniform(0.2, 0.6, N)
Scored = Callable[..., Scores]


@pytest.fixture
def row(scored: Scored) -> Callable[..., list[Scores]]:
    """A row on the datasets d0, d1, …; a lift on old documents and one on new for each, and the number of old ones."""

    def one(name: str, *lifts: tuple[float, float, int]) -> list[Scores]:
        found = []
        for k, (old, new, count) in enumerate(lifts):
            noise = np.random.default_rng(len(name) + k).normal(0, 0.02, N)
            lift = np.where(np.arange(N) < count, old, new)
            by_query = dict(zip(IDS, (BASE + lift + noise).tolist(), strict=True))
            leaks = {"split": split_entry(Leaks({}, tuple(IDS[:count])), {"nDCG@10": by_query})}
            dataset = {"dataset": f"d{k}", "supervision": "train labels", "leaks": leaks}
            found.append(scored(name, by_query, **dataset))
        return found

    return one


def test_datasets_are_counted_by_their_own_tests_and_taken_as_a_sample(row: Callable[..., list[Scores]]) -> None:
    first = row("first", *[(0.1, 0.1, 0)] * 3)
    other = row("other!", (0.2, 0.2, 0), (0.1, 0.1, 0), (0.0, 0.0, 0))
    lead, found = beyond([first, other])
    assert (lead.collections, lead.significant, lead.difference) == (None, None, None)
    assert found.significant == (1, 1, 1)
    gaps = [b.values.mean() - a.values.mean() for a, b in zip(first, other, strict=True)]
    assert found.collections is not None
    assert found.collections.interval.low == pytest.approx(over_collections(gaps).interval.low)
    assert found.difference is not None
    assert found.difference.mean == pytest.approx(np.mean(gaps))
    width = found.difference.interval.high - found.difference.interval.low
    assert width < found.collections.interval.high - found.collections.interval.low, "the datasets differ"
    assert found.mean == pytest.approx(np.mean([each.mean for each in other]))


def test_new_documents_are_all_queries_where_none_is_old_and_none_where_all_are(
    row: Callable[..., list[Scores]],
) -> None:
    one, two = (row(name, (0.3, 0.0, 20), (0.1, 0.1, 0), (0.2, 0.2, N)) for name in ("one", "two!"))
    places, rows = on_new_documents([one, two])
    assert places == [0, 1]
    assert [[len(each.ids) for each in of_row] for of_row in rows] == [[N - 20, N]] * 2
    assert rows[0][0].mean == pytest.approx(one[0].values[20:].mean())
    assert on_new_documents([row("none", (0.1, 0.1, 0), (0.1, 0.1, 0))]) == ([], [])
    assert on_new_documents([row("only", (0.1, 0.1, N))]) == ([], [])


def test_two_datasets_are_no_sample(row: Callable[..., list[Scores]]) -> None:
    _, found = beyond([row("first", *[(0.1, 0.1, 0)] * 2), row("other!", *[(0.0, 0.0, 0)] * 2)])
    assert found.collections is None
    assert support(5).endswith("with this few, no difference can be detected reliably.")
    assert "80 % power if it is 1.3 times its standard deviation between collections" in support(7)
