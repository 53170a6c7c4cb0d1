"""How large a board's HTML page is, and how long a browser takes to open it.

    python benchmarks/open_page.py [results/leaderboard.html] [--rows 50] [--datasets 10] [--queries 1000] [--rounds 5]

Without a file it makes a page of a made-up board, with random values, four measures, top tens, texts and titles of the
length of SciFact's. Each round is a fresh browser context: seconds until the page is loaded and painted (two frames),
then until the plots of all datasets, and the queries of one, are shown. Needs playwright and Debian's chromium.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from harness.bench.record import Record
from harness.compare.comparison import Position
from harness.data.measures import DEFAULT
from harness.report.board import Line, Table
from harness.report.page import page
from harness.report.page_data import page_data
from harness.report.per_query import packed
from harness.statistics.bootstrap import Interval

METHODS = ("bm25(k1={})", "dense(model='{}')", "hybrid(depth={})", "rerank(depth={})")
SCORE = (0.0, 0.3155, 0.3869, 0.4307, 0.5, 0.6309, 1.0)


def _table(number: int, rows: int, queries: int, rng: np.random.Generator) -> Table:
    counts = {"documents": 100_000, "queries": queries, "judgements": 5 * queries, "unreachable": 0}
    facts = {**counts, "notes": [], "revision": "0" * 32}
    lines = []
    for row in range(rows):
        name = METHODS[row % 4].format(row)
        values = {m: float(v) for m, v in zip(DEFAULT, rng.uniform(0.2, 0.8, len(DEFAULT)), strict=True)}
        training = {
            "recipe": "supervised()",
            "dev": [[s, s / 100] for s in range(9)],
            "loss": [[s, 1 / s] for s in range(1, 99)],
        }
        record = Record(
            row=name,
            method=f"{name} {'with every setting written out ' * 10}",
            dataset={**facts, "name": f"beir/set{number}/test"},
            depth=1000,
            measures=values,
            resolved={"training": [{**training, "seconds": float(row), "chosen": 8}]} if row % 8 == 1 else {},
            seconds={"fit": 1.0, "index": float(row), "search": 2.0},
            size={"index_bytes": 10**6 * (row + 1), "model_bytes": 10**7, "parameters": 10**7},
            latency={"p50_ms": float(rng.uniform(0.1, 50)), "p95_ms": 60.0},
            identity="0" * 32,
            run_sha256="0" * 64,
            started="2026-01-01T00:00:00+00:00",
        )
        first = values[DEFAULT[0]]
        lines.append(
            Line(name, (record,), Position(row, Interval(first - 0.03, first + 0.03), (1 + row // 2, rows), None))
        )
    lines.sort(key=lambda line: -(line.value(DEFAULT[0]) or 0))
    return Table(f"beir/set{number}/test", tuple(DEFAULT), tuple(lines))


def _queries(table: Table, queries: int, rng: np.random.Generator) -> dict[str, Any]:
    """As `harness.report.per_query.per_query` gives it: rows find mostly the same documents in another order."""
    words = np.array([f"word{i}" for i in range(20_000)])
    pool = 8 * queries
    likely = rng.integers(0, pool, (queries, 16))
    found = []
    for line in range(len(table.lines)):
        values = {m: (rng.choice(SCORE, queries) * 10_000).round().astype(int).tolist() for m in table.measures}
        tops = np.take_along_axis(likely, rng.permuted(np.tile(np.arange(16), (queries, 1)), axis=1)[:, :10], axis=1)
        found.append({"line": line, "seeds": 1, "values": values, "tops": tops.tolist()})
    return {
        "dataset": table.dataset,
        "why": "",
        "queries": [f"q{i:05}" for i in range(queries)],
        "texts": [" ".join(words[rng.integers(0, 20_000, 12)]) for _ in range(queries)],
        "rows": found,
        "documents": [str(int(i)) for i in rng.integers(10**6, 10**8, pool)],
        "titles": [" ".join(words[rng.integers(0, 20_000, 11)]) for _ in range(pool)],
        "grades": [[[int(d), 1] for d in set(likely[q, :2].tolist())] for q in range(queries)],
        "relevant": [2] * queries,
        "slices": [
            {"name": "length", "labels": ["short", "middle", "long"], "of": rng.integers(0, 3, queries).tolist()}
        ],
    }


def made(rows: int, datasets: int, queries: int) -> str:
    """The page of a made-up board."""
    rng = np.random.default_rng(0)
    tables = [_table(i, rows, queries, rng) for i in range(datasets)]
    files = [[[{"record": "x/y/seed0.json"}] for _ in table.lines] for table in tables]
    data = page_data([[table.by(m) if i else table for i, m in enumerate(table.measures)] for table in tables], files)
    return page(data, [packed(_queries(table, queries, rng)) for table in tables])


def opened(file: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round until the page, its plots and its queries are there."""
    from playwright.sync_api import sync_playwright

    painted = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    spent: dict[str, list[float]] = {"open": [], "plots": [], "queries": []}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(rounds):
            context = browser.new_context()
            tab = context.new_page()
            for name in spent:
                started = time.perf_counter()
                if name == "open":
                    tab.goto(file.resolve().as_uri())
                else:
                    tab.click(f"#tab-{name}")
                    tab.wait_for_selector("#drawn svg" if name == "plots" else "#listed button.query")
                tab.evaluate(painted)
                spent[name].append(time.perf_counter() - started)
            context.close()
        browser.close()
    return spent


def main() -> None:
    """Times and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    for name, default in (("rows", 50), ("datasets", 10), ("queries", 1000), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = asked.file or Path(folder) / "leaderboard.html"
        if not asked.file:
            started = time.perf_counter()
            file.write_text(made(asked.rows, asked.datasets, asked.queries), encoding="utf-8")
            print(f"made in {time.perf_counter() - started:.1f} s")
        print(f"{file.stat().st_size / 1e6:.2f} MB")
        for name, spent in opened(file, asked.rounds).items():
            print(f"{name}: median {statistics.median(spent):.2f} s, {min(spent):.2f} to {max(spent):.2f} s")


if __name__ == "__main__":
    main()
