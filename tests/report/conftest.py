"""Records to make tables of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.bench.record import Record

GOLDEN = Path(__file__).parent.parent / "bench" / "schema1"


@pytest.fixture
def made() -> Callable[..., Record]:
    """A record like the golden one of BM25, with what is named changed; `figures` are of nDCG@10."""

    def one(row: str = "bm25", figure: float | None = None, dataset: str = "beir/example/test", **changed: object) -> Record:
        held = json.loads((GOLDEN / "bm25.json").read_text(encoding="utf-8"))
        held["dataset"] = {**held["dataset"], "name": dataset, "notes": [], "unreachable": 0, **changed.pop("facts", {})}
        held["measures"] = {} if figure is None else {"nDCG@10": figure}
        held.update(row=row, method=changed.pop("method", row), **changed)
        return Record(**held)

    return one


@pytest.fixture
def skipped(made: Callable[..., Record]) -> Callable[..., Record]:
    def one(row: str, **changed: object) -> Record:
        problem = {"reason": "no model <x>.", "remedy": "hf download\nx|y."}
        settings = {"status": "skipped", "problem": problem, "latency": None, "seconds": {}, "size": {}, **changed}
        return made(row, **settings)

    return one
