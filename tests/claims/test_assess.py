"""Estimates of claims from records made for the purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.bench.document_split import split_entry
from harness.bench.store import Store, StoredRecord
from harness.claims.assess import Assessment, assess, by_row
from harness.claims.claim import Claim
from harness.leaks.overlap import Leaks
from harness.rows import parse_method
from harness.statistics.family import family

N, OLD = 60, 25
IDS = [f"q{i:02}" for i in range(N)]
Put = Callable[..., StoredRecord]
Found = Callable[[Claim], Assessment]


def of(plus: tuple[str, ...], minus: tuple[str, ...], **more: object) -> Claim:
    fields = {"id": "a", "paper": "p", "says": "s.", "differs": "d.", "collections": ("d1", "d2"), **more}
    return Claim(plus=plus, minus=minus, **fields)  # type: ignore[arg-type]


@pytest.fixture
def row(put: Put) -> Put:
    def one(name: str, dataset: str, old: float, new: float, seed: int = 0, **more: object) -> StoredRecord:
        base = np.random.default_rng(len(dataset)).uniform(0.3, 0.6, N)
        noise = np.random.default_rng([len(name), seed]).normal(0, 0.01, N)
        values = base + np.where(np.arange(N) < OLD, old, new) + noise
        by_query = {q: round(float(v), 6) for q, v in zip(IDS, np.clip(values, 0, 1), strict=True)}
        leaks = {"split": split_entry(Leaks({}, tuple(IDS[:OLD])), {"nDCG@10": by_query})}
        return put(name, by_query, seed, dataset, **{"method": parse_method(name).full(), "leaks": leaks, **more})

    return one


@pytest.fixture
def found(results: Store) -> Found:
    return lambda claim: assess(claim, by_row(results.stored()[0]), results, "nDCG@10")


def test_collections_have_equal_weight_and_the_interval_is_the_stratified_one(row: Put, found: Found) -> None:
    stored = {(name, d): row(name, d, lift, lift) for d in ("d1", "d2") for name, lift in (("bm25", 0.1), ("dense", 0))}
    assessed = found(of(("bm25",), ("dense",)))
    assert assessed.verdict == "reproduced"
    means = {key: one.record.measures["nDCG@10"] for key, one in stored.items()}
    gaps = [means["bm25", d] - means["dense", d] for d in ("d1", "d2")]
    assert [each.difference.mean for each in assessed.estimates] == pytest.approx(gaps)
    assert assessed.pooled is not None
    assert assessed.pooled.mean == pytest.approx(np.mean(gaps))
    assert assessed.queries == 2 * N
    store = Store(stored["bm25", "d1"].place.record.parents[2])
    strata = [
        np.array([[store.values(stored[name, d])["nDCG@10"][q] for name in ("bm25", "dense")] for q in IDS])
        for d in ("d1", "d2")
    ]
    slow = family(strata, np.array([0]), np.array([1])).difference(0, 1)
    assert assessed.pooled.interval == slow.interval
    assert found(of(("dense",), ("bm25",))).verdict == "opposite"
    assert (assessed.missing, assessed.command, assessed.notes) == ({}, "", ())


def test_a_difference_of_differences(row: Put, found: Found) -> None:
    lifts = {"bm25": 0.1, "dense": 0.0, "bm25(k1=1.2)": 0.05, "bm25(k1=1.3)": 0.1}
    for name, lift in lifts.items():
        row(name, "d1", lift, lift)
    assessed = found(of(("bm25", "bm25(k1=1.3)"), ("dense", "bm25(k1=1.2)"), collections=("d1",)))
    assert assessed.pooled is not None
    assert assessed.pooled.mean == pytest.approx(0.1 - 0.0 - 0.05 + 0.1, abs=0.01)


def test_only_the_queries_about_old_or_about_new_documents(row: Put, put: Put, found: Found) -> None:
    row("bm25", "d1", 0.2, 0.0)
    row("dense", "d1", 0.0, 0.1)
    new, old = (found(of(("bm25",), ("dense",), collections=("d1",), part=part)) for part in ("new", "old"))
    assert (new.verdict, new.queries) == ("opposite", N - OLD)
    assert (old.verdict, old.queries) == ("reproduced", OLD)
    for name in ("bm25", "dense"):  # a record of an earlier version
        put(name, dict.fromkeys(IDS, 0.5), dataset="d2", method=parse_method(name).full())
    both = found(of(("bm25",), ("dense",), part="new"))
    assert list(both.missing) == ["d2"]
    assert "run the rows again" in both.missing["d2"]
    assert both.command == "", "the rows are there"
    assert both.verdict == "opposite"


def test_what_was_not_run_is_named_with_its_command(row: Put, found: Found) -> None:
    row("bm25", "d1", 0.1, 0.1)
    assessed = found(of(("bm25",), ("dense+frozen_head(queries=100)",)))
    assert (assessed.verdict, assessed.pooled, assessed.queries) == ("not run", None, 0)
    assert assessed.missing["d1"] == "no records of `dense+frozen_head(queries=100)`"
    assert assessed.command == (
        "harness run --dataset d1 --dataset d2 --method 'dense+frozen_head(queries=100)' --method bm25"
    )
    unreadable = found(of(("bm25",), ("dense(no_such_setting=1)",)))
    assert (unreadable.verdict, unreadable.command) == ("not run", "")
    assert "no_such_setting" in unreadable.missing["d1"]


def test_a_part_of_the_collections_is_enough_for_a_verdict(row: Put, found: Found) -> None:
    row("bm25", "d1", 0.1, 0.1)
    row("dense", "d1", 0.0, 0.0)
    row("bm25", "d2", 0.1, 0.1)
    assessed = found(of(("bm25",), ("dense",)))
    assert assessed.verdict == "reproduced"
    assert [each.collection for each in assessed.estimates] == ["d1"]
    assert assessed.command == "harness run --dataset d2 --method dense"


def test_a_small_effect_is_too_small_to_tell(row: Put, found: Found) -> None:
    row("bm25", "d1", 0.0005, 0.0)
    row("dense", "d1", 0.0, 0.0005)
    assert found(of(("bm25",), ("dense",), collections=("d1",))).verdict == "too small to tell"
    assert found(of(("bm25",), ("dense",), collections=("d1",), expects="not worse")).verdict == "reproduced"


def test_seeds_widen_the_interval_and_one_seed_is_noted(row: Put, found: Found) -> None:
    trained: dict[str, Any] = {"resolved": {"training": [{}]}}
    name = "dense+frozen_head"
    row("dense", "d1", 0.0, 0.0)
    row(name, "d1", 0.05, 0.05, **trained)
    claim = of((name,), ("dense",), collections=("d1",))
    one = found(claim)
    assert one.estimates[0].seeds == 1
    assert one.notes == ("a trained row has one seed on d1: other seeds may differ",)
    row(name, "d1", 0.15, 0.15, seed=1, **trained)
    two = found(claim)
    assert (two.estimates[0].seeds, two.notes) == (2, ())
    assert two.pooled is not None
    assert one.pooled is not None
    assert two.pooled.mean == pytest.approx(0.1, abs=0.01)
    assert two.pooled.error > 10 * one.pooled.error, "the seeds differ by ten times the noise of the queries"
    assert two.verdict == "too small to tell"


def test_a_row_with_earlier_defaults_counts_and_is_noted(row: Put, found: Found) -> None:
    row("bm25", "d1", 0.1, 0.1, method="bm25(k1=0.7)")
    row("dense", "d1", 0.0, 0.0)
    assessed = found(of(("bm25",), ("dense",), collections=("d1",)))
    assert assessed.verdict == "reproduced"
    assert assessed.notes == ("made by an earlier version, with other defaults: `bm25`",)


def test_trainings_by_todays_and_by_earlier_defaults_are_not_compared(row: Put, found: Found) -> None:
    trained = {"resolved": {"training": [{"seconds": 1.0}]}}
    row("dense+supervised", "d1", 0.1, 0.1, method="dense+supervised(scale=19)", **trained)
    row("dense+gist_embed", "d1", 0.0, 0.0, **trained)
    row("dense", "d1", 0.0, 0.0)
    mixed = found(of(("dense+supervised",), ("dense+gist_embed",), collections=("d1",)))
    assert (mixed.verdict, mixed.pooled) == ("not run", None)
    assert mixed.missing["d1"] == (
        "`dense+supervised` made by an earlier version, with other defaults, `dense+gist_embed` not"
    )
    assert mixed.command == "harness run --dataset d1 --method dense+supervised"
    assert found(of(("dense+supervised",), ("dense",), collections=("d1",))).verdict == "reproduced", "one training"


def test_rows_of_other_queries_or_revisions_are_not_compared(row: Put, put: Put, found: Found) -> None:
    row("bm25", "d1", 0.1, 0.1)
    put("dense", dict.fromkeys(IDS[:-1], 0.5), dataset="d1", method=parse_method("dense").full())
    row("bm25", "d2", 0.1, 0.1)
    row("dense", "d2", 0.1, 0.1, revision="0" * 32)
    assert found(of(("bm25",), ("dense",))).missing == {
        "d1": "its rows have scores on different queries",
        "d2": "its rows have scores on different revisions of the collection",
    }
