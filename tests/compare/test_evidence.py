"""Rows held against each other from their records."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import ComparisonError, RecordError
from harness.bench.store import Store, StoredRecord
from harness.compare.evidence import Scores, contrasts, family_of, scores
from harness.statistics.family import family
from harness.statistics.power import smallest_difference
from harness.statistics.seeds import components

Scored = Callable[..., Scores]


def values(seed: int, shift: float = 0.0, n: int = 40) -> dict[str, float]:
    """Rounded as the store rounds."""
    drawn = np.random.default_rng(seed).beta(1, 1, n) * 0.8 + 0.1 + shift
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(drawn)}


def test_scores_are_the_values_of_each_seed_by_query(scored: Scored) -> None:
    held = scored("dense", {"b": 0.5, "a": 1.0}, {"a": 0.0, "b": 0.25})
    assert (held.row, held.ids) == ("dense", ("a", "b"))
    assert held.values.tolist() == [[1.0, 0.0], [0.5, 0.25]]
    assert held.by_query == {"a": 0.5, "b": 0.375}
    assert held.mean == pytest.approx(0.4375)
    assert not held.trained
    assert scored("dense+supervised", {"a": 1.0}, resolved={"training": [{"seconds": 1.0}]}).trained
    nested = {"first": {"training": [{"seconds": 1.0}]}}
    assert scored("hybrid", {"a": 1.0}, resolved=nested).trained


def test_a_contrast_holds_the_figures_of_the_parts(scored: Scored) -> None:
    one, other = scored("one", values(1, 0.05)), scored("other", values(2))
    (found,) = contrasts([(one, other)], seed=3, draws=4999)
    differences = np.array([one.by_query[q] - other.by_query[q] for q in sorted(one.by_query)])
    assert found.difference == pytest.approx(differences.mean())
    reference = family([np.column_stack([one.values[:, 0], other.values[:, 0]])], seed=3, draws=4999).difference(0, 1)
    assert (found.tested, found.planned) == (reference, 1)
    assert found.query_part is None
    assert found.interval.low < found.difference < found.interval.high
    assert found.smallest == pytest.approx(smallest_difference(differences.std(ddof=1), 40, found.alpha))
    assert found.alpha == pytest.approx(0.05, abs=0.015), "a single planned comparison is not corrected"
    wide, narrow = found.interval_at(0.99), found.interval_at(0.8)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_contrasts_asked_together_are_corrected_together(scored: Scored) -> None:
    rows = [scored(name, values(i, shift)) for i, (name, shift) in enumerate([("a", 0.1), ("b", 0.0), ("c", -0.05)])]
    found = contrasts([(rows[0], rows[1]), (rows[0], rows[2]), (rows[1], rows[2])])
    assert {c.planned for c in found} == {3}
    (alone,) = contrasts([(rows[0], rows[1])])
    assert found[0].smallest > alone.smallest
    assert found[0].p > alone.p
    assert found[0].interval.low < alone.interval.low < alone.interval.high < found[0].interval.high
    assert contrasts([]) == []


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1, 0.13, 0.16, 0.2, 0.3])
def test_the_p_value_and_the_interval_say_the_same(scored: Scored, shift: float) -> None:
    one, other, third = scored("one", values(1, shift)), scored("other", values(2)), scored("third", values(3))
    for asked in ([(one, other)], [(one, other), (one, third)]):
        for found in contrasts(asked):
            assert (found.p <= 0.05) is not (found.interval.low <= 0 <= found.interval.high)
            assert found.tied is (found.interval.low <= 0 <= found.interval.high)


def test_several_seeds_widen_the_interval_and_raise_the_p_value_together(scored: Scored) -> None:
    base = values(1)
    lucky = [{q: min(1.0, v + shift) for q, v in base.items()} for shift in (0.09, 0.0, -0.03)]
    (found,) = contrasts([(trained := scored("trained", *lucky), scored("base", base))])
    (one_model,) = contrasts([(scored("mean", trained.by_query), scored("base", base))])
    assert one_model.p < 0.05 < found.p
    assert not one_model.tied
    assert found.tied
    assert found.query_part is not None
    assert 0 <= found.query_part < 0.1
    held = family_of([trained, scored("base", base)])
    assert held.seed_error.tolist() == [pytest.approx(components(trained.values).seed / 3), 0.0]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"dataset": "beir/other/test"},
            "one was run on beir/example/test and other on beir/other/test: run both on one",
        ),
        ({"revision": "f" * 32}, "one was run on revision .* and other on ffffffffffff: run both on one"),
    ],
)
def test_rows_of_other_collections_are_not_compared(scored: Scored, changed: dict[str, str], told: str) -> None:
    with pytest.raises(ComparisonError, match=told):
        contrasts([(scored("one", values(1)), scored("other", values(2), **changed))])


def test_rows_of_other_queries_are_not_compared(scored: Scored) -> None:
    with pytest.raises(ComparisonError, match=r"one and other are not of the same queries: .* \(as q40\)"):
        contrasts([(scored("one", values(1)), scored("other", values(2, n=41)))])
    with pytest.raises(ComparisonError, match="seed 0 of dense and seed 1 of dense are not of the same queries"):
        scored("dense", values(1), values(1, n=39))
    with pytest.raises(ComparisonError, match="nothing to compare"):
        scored("dense", {})


def test_a_measure_that_was_not_taken_is_told(put: Callable[..., StoredRecord], results: Store) -> None:
    with pytest.raises(ComparisonError, match=r"bm25 has no R@5 \(it has nDCG@10\); run it with --measure R@5"):
        scores([put("bm25", values(1))], results, "R@5")


@pytest.mark.parametrize("text", ["", "[1]", '{"nDCG@10": 3}', '{"nDCG@10": {"q": "x"}}', None])
def test_values_that_cannot_be_read_are_told(
    put: Callable[..., StoredRecord], results: Store, text: str | None
) -> None:
    held = put("bm25", values(1))
    if text is None:
        held.place.queries.unlink()
    else:
        held.place.queries.write_text(text)
    with pytest.raises(RecordError, match=r"seed0\.queries\.json cannot be read .* run the row again"):
        scores([held], results, "nDCG@10")


def test_all_equal_and_a_single_query(scored: Scored) -> None:
    same = scored("same", values(1))
    (found,) = contrasts([(same, scored("twin", values(1)))])
    assert (found.p, found.difference, found.interval.low, found.interval.high) == (1.0, 0.0, 0.0, 0.0)
    (single,) = contrasts([(scored("one", {"q": 1.0}, {"q": 0.5}), scored("two", {"q": 0.0}))])
    assert (single.p, single.query_part, single.tied) == (1.0, None, True)


def test_a_name_is_no_part_of_the_queries(put: Callable[..., StoredRecord], results: Store) -> None:
    found = scores([put("bm25", {"a": 0.1234564, "b": 0.5})], results, "nDCG@10", "mine")
    assert (found.row, found.part) == ("mine", None)
