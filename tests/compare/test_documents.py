"""Rows on old and on new documents: one that looks up wins on the old, one that learns on the new."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.bench.document_split import split_entry
from harness.compare.advice import sentences
from harness.compare.decision import decide
from harness.compare.documents import FEWEST_QUERIES, compare_parts, contrasts_of_parts
from harness.compare.evidence import Scores, contrasts
from harness.compare.verdict import verdict
from harness.leaks.overlap import Leaks
from harness.statistics.bootstrap import intervals

N, OLD = 120, 70
RNG = np.random.default_rng(7)
BASE = RNG.uniform(0.2, 0.6, N)
IDS = [f"q{i:03}" for i in range(N)]
Scored = Callable[..., Scores]


def values(old: float, new: float, seed: int = 0) -> dict[str, float]:
    """The base with a lift on the first `OLD` queries and one on the others."""
    lift = np.where(np.arange(N) < OLD, old, new) + np.random.default_rng(seed).normal(0, 0.02, N)
    return dict(zip(IDS, (BASE + lift).tolist(), strict=True))


@pytest.fixture
def row(scored: Scored) -> Scored:
    def one(
        name: str, old: float, new: float, overlap: int = OLD, supervision: str = "train labels", **more: object
    ) -> Scores:
        by_query = {"nDCG@10": values(old, new, len(name))}
        leaks = {"split": split_entry(Leaks({}, tuple(IDS[:overlap])), by_query)}
        return scored(name, by_query["nDCG@10"], supervision=supervision, leaks=leaks, **more)

    return one


def test_each_part_has_its_own_means_intervals_and_order(row: Scored) -> None:
    rows = [row("looks-up", 0.3, 0.0), row("learns", 0.1, 0.1), row("plain", 0.0, 0.0, supervision="none")]
    old, new = compare_parts(rows)
    assert (old.part, old.queries, new.part, new.queries) == ("old", OLD, "new", N - OLD)
    assert [each.row for each in old.rows] == ["looks-up", "learns", "plain"]
    assert new.rows[0].row == "learns"
    for part, chosen in ((old, slice(0, OLD)), (new, slice(OLD, N))):
        for i, each in enumerate(rows):
            slow = each.values[chosen].mean()
            assert part.mean(i) == pytest.approx(slow)
            (alone,) = intervals(each.values[chosen].mean(1))
            within = part.interval(i)
            assert within is not None
            assert (within.low, within.high) == pytest.approx((alone.low, alone.high))
    assert new.behind(1) is None
    behind = new.behind(0)
    assert behind is not None
    assert behind.mean == pytest.approx(new.mean(0) - new.mean(1))
    assert not behind.tied
    assert new.difference(0, 2).tied
    assert old.difference(0, 2).mean > 0.2


def test_nothing_is_split_without_labels_overlap_or_knowledge(row: Scored, scored: Scored) -> None:
    assert compare_parts([row("a", 0.1, 0.1, supervision="none"), row("b", 0.1, 0.1, supervision="none")]) == ()
    assert compare_parts([row("c", 0.1, 0.1, overlap=0)]) == ()
    assert compare_parts([scored("d", values(0.1, 0.1), supervision="train labels")]) == ()
    assert compare_parts([]) == ()
    assert contrasts_of_parts([]) == {}


def test_few_queries_have_no_interval_and_an_empty_part_is_left_out(row: Scored) -> None:
    few, rest = compare_parts([row("a", 0.1, 0.1, overlap=FEWEST_QUERIES - 1), row("b", 0.0, 0.0, overlap=19)])
    assert few.interval(0) is None
    assert rest.interval(0) is not None
    (every,) = compare_parts([row("c", 0.1, 0.1, overlap=N), row("d", 0.1, 0.1, overlap=N)])
    assert every.part == "old"


def test_planned_contrasts_are_corrected_within_each_part(row: Scored) -> None:
    own, plain, other = row("own", 0.2, 0.0), row("plain", 0.0, 0.0), row("other", 0.2, 0.2)
    parts = contrasts_of_parts([(own, plain), (own, other)])
    assert [each.planned for of_part in parts.values() for each in of_part] == [2] * 4
    assert parts["old"][0].difference > 0.15
    assert parts["new"][0].tied
    assert parts["new"][1].difference < -0.15


def test_a_verdict_says_what_it_is_on_new_documents(row: Scored) -> None:
    pair = row("own", 0.2, 0.0), row("plain", 0.0, 0.0, supervision="none")
    (contrast,) = contrasts([pair])
    found = verdict(contrast, parts=[each for (each,) in contrasts_of_parts([pair]).values()])
    assert found.finding == "better"
    old, new = found.sentences[1:3]
    assert old.startswith(f"On the {OLD} queries about old documents: nDCG@10 0.")
    assert old.endswith(": significantly better.")
    assert new.startswith(f"On the {N - OLD} queries about new documents: nDCG@10 0.")
    assert new.endswith(": tied.")
    assert new in found.short
    assert found.sentences[3].startswith("On all queries it is better on ")


def test_a_decision_names_the_best_row_on_new_documents(row: Scored) -> None:
    rows = [row("looks-up", 0.3, 0.0), row("learns", 0.1, 0.1), row("plain", 0.0, 0.0, supervision="none")]
    found = decide(rows)
    head, new = sentences(found)[:2]
    assert head.startswith("Best: `looks-up`, ")
    assert new.startswith(f"On new documents ({N - OLD} queries of {N}) the best is `learns`, nDCG@10 0.")
    assert "`looks-up` has 0." in new
    assert new.endswith("), significantly worse.")
    assert sentences(decide([rows[1], rows[2]]))[1].endswith("; the other row is not tied with it.")
    assert " it is the best too, nDCG@10 0." in sentences(decide([rows[1], rows[2]]))[1]
    every = [row("x", 0.2, 0.2, overlap=N), row("y", 0.0, 0.0, overlap=N)]
    assert sentences(decide(every))[1] == (
        f"All {N} queries ask about old documents, so nothing here shows a score on new ones."
    )
