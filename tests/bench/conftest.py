"""A results folder with rows whose per-query values are given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.bench.evidence import Scores, scores
from harness.bench.record import Record
from harness.bench.store import Place, Store, Stored

GOLDEN = Path(__file__).parent / "schema1"


@pytest.fixture
def results(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


@pytest.fixture
def put(results: Store) -> Callable[..., Stored]:
    """`put("bm25", {"q1": 0.5}, seed=1)` writes a record and its values of nDCG@10."""

    def one(row: str, values: Mapping[str, float], seed: int = 0, dataset: str = "beir/example/test", **changed: Any) -> Stored:
        held = json.loads((GOLDEN / "bm25.json").read_text(encoding="utf-8"))
        revision = changed.pop("revision", held["dataset"]["revision"])
        held["dataset"] = {**held["dataset"], "name": dataset, "revision": revision}
        mean = sum(values.values()) / max(1, len(values))
        held.update({"row": row, "method": row, "seed": seed, "measures": {"nDCG@10": mean}, **changed})
        place = Place(results.root / dataset.replace("/", "-") / row / f"seed{seed}.json")
        record = Record(**held)
        results.save(place, record, {"nDCG@10": dict(values)})
        return Stored(record, place)

    return one


@pytest.fixture
def scored(results: Store, put: Callable[..., Stored]) -> Callable[..., Scores]:
    """`scored("dense", {"q1": 0.5}, {"q1": 0.6})`: a row with a seed for each mapping."""

    def one(row: str, *seeds: Mapping[str, float], **changed: Any) -> Scores:
        return scores([put(row, values, seed, **changed) for seed, values in enumerate(seeds)], results, "nDCG@10")

    return one
