"""A new record held against a stored one, and a change that is accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ComparisonError, SettingError
from harness.bench.store import Place, Store, StoredRecord
from harness.compare.regression import accept, compare_records, reasons

BASE = np.random.default_rng(1).uniform(0.2, 0.8, 100)
Put = Callable[..., StoredRecord]


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(column)}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (np.zeros(100), "unchanged"),
        (np.full(100, 1e-8), "unchanged"),
        (np.where(np.arange(100) % 2, 0.01, -0.01), "drifted"),
        (np.full(100, 0.1), "drifted"),
        (np.full(100, -0.1), "worse"),
        (np.where(np.arange(100) == 3, -0.1, 0.0), "drifted"),
    ],
)
def test_findings(put: Put, results: Store, change: np.ndarray, finding: str) -> None:
    stored, new = put("stored", by_query(BASE)), put("new", by_query(BASE + change))
    found = compare_records(stored, results, new, results, "nDCG@10")
    assert found.finding == finding
    assert found.sentence.startswith(
        f"new: {finding}: nDCG@10 {BASE.mean():.4f} stored, {(BASE + change).mean():.4f} now"
    )
    assert ("p = " in found.sentence) == (finding != "unchanged")


def test_another_collection_is_drift_and_is_not_compared(put: Put, results: Store) -> None:
    stored, new = put("stored", by_query(BASE)), put("new", by_query(BASE - 0.2), revision="0" * 32)
    found = compare_records(stored, results, new, results, "nDCG@10")
    assert (found.finding, found.contrast) == ("drifted", None)
    assert found.reasons[0].startswith("data (revision ")
    fewer = compare_records(stored, results, put("few", by_query(BASE[:50])), results, "nDCG@10")
    assert (fewer.finding, fewer.contrast) == ("drifted", None)


def test_reasons_are_what_differs_in_what_made_them(put: Put) -> None:
    before = put("a", by_query(BASE), resolved={"sha": "1", "first": {"training": [{"guide_sha": "2"}]}}).record
    provenance = before.provenance
    packages = {**provenance["packages"], "torch": "9.9", "new": "1"}
    after = put(
        "a",
        by_query(BASE),
        seed=1,
        depth=5,
        method="a(x=1)",
        resolved={"sha": "1", "first": {"training": [{"guide_sha": "3"}]}},
        provenance={**provenance, "code": "other", "commit": "abcdef0123456", "packages": packages, "device": "cuda"},
    ).record
    told = list(reasons(before, after))
    assert told[:3] == ["settings", "seed (0 → 1)", f"depth ({before.depth} → 5)"]
    assert told[3] == "weights or files"
    assert told[4].startswith("code (commit ") and told[4].endswith(" → abcdef01)")  # noqa: PT018 - one thing
    assert told[5:] == ["new (absent → 1)", f"torch ({provenance['packages'].get('torch', 'absent')} → 9.9)", "machine"]
    assert list(reasons(before, before)) == []


def test_an_accepted_change_takes_the_place_with_its_reason(put: Put, results: Store, tmp_path: Path) -> None:
    def made(row: str, column: np.ndarray, **changed: Any) -> StoredRecord:
        held = put(row, by_query(column), **changed)
        held.place.run.write_bytes(b"run of " + row.encode())
        return held

    old = made("old", BASE, identity="was", method="bm25")
    new = made("new", BASE - 0.1, identity="is", method="bm25", depth=7)
    target = Store(tmp_path / "kept")
    place = Place(target.root / "beir-example-test" / "bm25" / "seed0.json")
    first = accept(old, target, place, "the first figures")
    assert [entry["why"] for entry in first.accepted] == ["the first figures"]
    assert "identity" not in first.accepted[0]
    second = accept(new, target, place, "  a smaller depth  ")
    assert target.load(place) == second
    assert [entry["why"] for entry in second.accepted] == ["the first figures", "a smaller depth"]
    assert second.accepted[1]["identity"] == "was"
    assert second.accepted[1]["measures"] == old.record.measures
    assert second.accepted[1]["changed"] == [f"depth ({old.record.depth} → 7)"]
    assert place.run.read_bytes() == b"run of new"
    assert target.values(StoredRecord(second, place)) == results.values(new)


@pytest.mark.parametrize("why", ["", "  "])
def test_without_a_reason_nothing_is_accepted(put: Put, results: Store, why: str) -> None:
    held = put("a", by_query(BASE))
    with pytest.raises(SettingError, match="--why"):
        accept(held, results, held.place, why)


def test_without_figures_nothing_is_accepted(put: Put, results: Store) -> None:
    held = put("a", by_query(BASE), status="skipped", problem={"reason": "r"})
    with pytest.raises(ComparisonError, match=r"has no scores \(skipped\)"):
        accept(held, results, held.place, "why")


def test_the_same_figures_are_not_accepted_again(put: Put, results: Store) -> None:
    held = put("a", by_query(BASE))
    with pytest.raises(ComparisonError, match="nothing to accept"):
        accept(held, results, held.place, "why")


def test_another_run_file_is_a_reason(put: Put) -> None:
    one, other = (put("run/x.trec", by_query(BASE), seed, resolved={"sha256": c * 64}) for seed, c in enumerate("ab"))
    assert "weights or files" in list(reasons(one.record, other.record))
