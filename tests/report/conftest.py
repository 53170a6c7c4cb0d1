"""Records to make tables of, and pages in a browser."""

from __future__ import annotations

import dataclasses
import json
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import api
from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.compare.evidence import contrasts
from harness.compare.verdict import verdict
from harness.report.across import Across
from harness.report.board import Table, tables
from harness.report.comparisons_across import compared_across
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.sweep.result import OnTest, SweepResult, curve, gains
from harness.sweep.trial import Trial

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
EVIL = "<script>document.title='stolen'</script><img src=x onerror=\"document.title='stolen'\">"
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; a test that needs it skips where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page's file; at the end it must have said nothing in the console and asked for nothing but itself."""
    said: list[str] = []
    contexts = []

    def one(path: Path, width: int = 1280, scheme: str = "light", scripts: bool = True, state: str = "") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        url = path.resolve().as_uri()
        page.on(
            "request",
            lambda request: said.append(f"request: {request.url[:80]}") if not _own(request.url, url) else None,
        )
        page.goto(url + state)
        return page

    yield one
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def board(put: Callable[..., StoredRecord], results: Store, context: Context) -> Path:
    """Three rows on one dataset, one on another; `trained` has two seeds and a learning curve."""
    values = {f"q{i:02}": (i % 10) / 10 for i in range(60)}
    told = {
        "training": [{"recipe": "supervised()", "dev": [[0, 0.5], [5, 0.6]], "loss": [[1, 2.0], [2, 1.0]], "chosen": 5}]
    }
    put("bm25", values, latency={"p50_ms": 1.0, "p95_ms": 2.0})
    put("dense", {q: min(1.0, v + 0.2) for q, v in values.items()}, latency={"p50_ms": 9.0, "p95_ms": 12.0})
    for seed in (0, 1):
        better = {q: min(1.0, v + 0.3 + seed / 100) for q, v in values.items()}
        put("trained", better, seed, method="dense(recipes=(supervised(),))", supervision="train labels", resolved=told)
    put("bm25", values, dataset="beir/other/test")
    api.write_leaderboard(results.root, context)
    return results.root / "leaderboard.html"


@pytest.fixture
def evil(tmp_path: Path, context: Context) -> Path:
    """A collection in which every id, title and text is made of tags."""
    folder = tmp_path / "evil<b>"
    (folder / "qrels").mkdir(parents=True)
    tight = EVIL.replace(" ", "/")
    documents = [{"_id": f"{i}{tight}", "title": f"{EVIL} title {i}", "text": f"word{i} {EVIL}"} for i in range(20)]
    queries = [{"_id": f"q{i}{tight}", "text": f"word{i} {EVIL}"} for i in range(6)]
    for name, rows in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    lines = ["query-id\tcorpus-id\tscore", *(f"q{i}{tight}\t{i}{tight}\t{1 + i % 2}" for i in range(6))]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    results = tmp_path / "results"
    api.run(
        "bm25", "bm25(k1=2)", f"dense(model={'./' + EVIL!r})", dataset=str(folder), results=results, context=context
    )
    api.write_leaderboard(results, context)
    return results / "leaderboard.html"


def _own(asked: str, url: str) -> bool:
    """Whether what a page asked for is itself, or made by itself."""
    return asked.partition("#")[0] == url or asked.startswith(("data:", "blob:"))
