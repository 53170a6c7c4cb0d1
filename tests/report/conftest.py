"""Records to make tables of."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.compare.evidence import contrasts
from harness.compare.verdict import verdict
from harness.report.across import Across
from harness.report.board import Table, tables
from harness.report.comparisons_across import compared_across
from harness.rows import parse_method
from harness.sweep.result import OnTest, SweepResult, curve, gains
from harness.sweep.trial import Trial

GOLDEN = Path(__file__).parent.parent / "bench" / "schema1"


@pytest.fixture
def made() -> Callable[..., Record]:
    """A record like the golden one of BM25, with what is named changed; `figures` are of nDCG@10."""

    def one(
        row: str = "bm25", figure: float | None = None, dataset: str = "beir/example/test", **changed: object
    ) -> Record:
        held = json.loads((GOLDEN / "bm25.json").read_text(encoding="utf-8"))
        held["dataset"] = {
            **held["dataset"],
            "name": dataset,
            "notes": [],
            "unreachable": 0,
            **changed.pop("facts", {}),
        }
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


@pytest.fixture
def two_datasets(put: Callable[..., StoredRecord], results: Store) -> Callable[[], tuple[list[Table], Across]]:
    """Stores `best`, `twin` and `last` on `d1` (30 queries) and `d2` (90), `half` on `d1` alone; called, reads what is
    stored.
    """
    rng = np.random.default_rng(5)
    for dataset, n in (("d1", 30), ("d2", 90)):
        base = rng.uniform(0.3, 0.7, n)
        for row, shift in (("best", 0.1), ("twin", 0.098), ("last", -0.1)):
            put(
                row,
                {f"q{i}": round(float(v), 6) for i, v in enumerate(base + shift + rng.normal(0, 0.05, n))},
                dataset=dataset,
            )
    put("half", {f"q{i}": 0.9 for i in range(30)}, dataset="d1")

    def there() -> tuple[list[Table], Across]:
        held, _ = results.stored()
        found = tables(stored.record for stored in held)
        over = compared_across(found, results, held)
        assert over is not None
        return found, over

    return there


RNG = np.random.default_rng(4)
EASE = np.clip(RNG.random((40, 1)), 0.2, 0.8)


def tried(row: str, mean: float, size: int | None = None, config: str = "", **more: Any) -> Trial:
    noise = np.random.default_rng(zlib.crc32(row.encode())).standard_normal((40, 2))
    table = EASE + mean + 0.02 * noise
    cells = tuple(
        {"seed": k, "mean": float(v.mean()), "values": {f"q{i:02}": float(x) for i, x in enumerate(v)}, "seconds": 3.0}
        for k, v in enumerate(table.T)
    )
    return Trial(parse_method("bm25"), row, config or row, size, config or row, cells, **more)


@pytest.fixture
def found(scored: Callable[..., Any]) -> SweepResult:
    """A sweep of four rows, three of them on one learning curve, with three baselines."""
    rows = (
        tried("a", 0.1, 900, "a"),
        tried("a(300)", 0.02, 300, "a"),
        tried("a(100)", -0.1, 100, "a"),
        tried("b", 0.0),
    )
    others = parse_method("bm25(k1=2)")  # the chosen row is none of the baselines
    levels = {"bm25": 0.0, "low": -0.5, "high": 0.5}
    baselines = tuple(dataclasses.replace(tried(row, mean), method=others) for row, mean in levels.items())
    bare = SweepResult("trial", "beir/example/test", "nDCG@10", "grid", rows, baselines)
    queries = [f"t{i:02}" for i in range(40)]
    own = scored("a", *({q: float(v) for q, v in zip(queries, EASE[:, 0] + 0.05, strict=True)} for _ in range(2)))
    other = scored("bm25", {q: float(v) for q, v in zip(queries, EASE[:, 0], strict=True)})
    on_test = curve("a", "a", {100: EASE - 0.05, 900: EASE + 0.05}, {"bm25": EASE})
    verdicts = tuple(verdict(one) for one in contrasts([(own, other)]))
    tested = OnTest(own, on_test, verdicts, gains(rows[0], baselines[0], own, other), ("a",))
    return dataclasses.replace(bare, tested=tested)
