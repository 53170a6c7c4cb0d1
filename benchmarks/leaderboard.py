"""How long `harness leaderboard` takes over many records, how much memory, and how large the page is.

    python benchmarks/leaderboard.py [--datasets 50] [--rows 100] [--queries 300] [--documents 10] [--folder FOLDER]

Makes a results folder of synthetic records: `--rows` rows on each of `--datasets` datasets, each record with its
per-query values of four measures and a run of `--documents` documents a query. Then runs the command once in a process
of its own and prints seconds of the clock and of the processors, the highest resident memory (without pages of mapped
files), and the size of each file it wrote. With `--folder` the records are made there once and used again by the next
call. `--datasets 1 --rows 5000` is one large board.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from _memory import highest
from harness.bench.record import Record
from harness.bench.store import Place
from harness.data.measures import DEFAULT

SCORES = np.array((0.0, 0.3155, 0.3869, 0.4307, 0.5, 0.6309, 1.0))
"""Values that nDCG@10 of a query with one relevant document takes."""
FAMILIES = ("bm25(k1={})", "dense(model='{}')", "hybrid(depth={})", "rerank(depth={})")
FILES = ("leaderboard.md", "leaderboard.csv", "leaderboard.tex", "leaderboard.html")


def write(folder: Path, datasets: int, rows: int, queries: int, documents: int) -> None:
    """Writes the results folder; the same records for the same numbers."""
    rng = np.random.default_rng(0)
    for number in range(datasets):
        ease = rng.uniform(0, 1, queries)
        for row in range(rows):
            place = Place(folder / f"set{number}" / f"row{row}" / "seed0.json")
            place.record.parent.mkdir(parents=True, exist_ok=True)
            skill = rng.uniform(-0.2, 0.2)
            levels = np.clip(
                (ease + skill + rng.normal(0, 0.2, (len(DEFAULT), queries))) * len(SCORES), 0, len(SCORES) - 1
            )
            values = {
                measure: {f"q{i:05}": float(v) for i, v in enumerate(SCORES[each.astype(int)])}
                for measure, each in zip(DEFAULT, levels, strict=True)
            }
            place.queries.write_text(json.dumps(values, separators=(",", ":")), encoding="utf-8")
            place.run.write_bytes(run := _run(queries, documents, rng))
            means = {measure: sum(each.values()) / queries for measure, each in values.items()}
            text = _record(f"set{number}", row, queries, means, hashlib.sha256(run).hexdigest()).to_json()
            place.record.write_text(text, encoding="utf-8")


def _run(queries: int, documents: int, rng: np.random.Generator) -> bytes:
    found = rng.integers(0, 20, (queries, documents)) + 20 * np.arange(queries)[:, None]
    lines = [
        f"q{i:05} Q0 d{document} {rank} {documents - rank} harness\n"
        for i, row in enumerate(found.tolist())
        for rank, document in enumerate(row, start=1)
    ]
    return gzip.compress("".join(lines).encode(), 1, mtime=0)


def _record(dataset: str, row: int, queries: int, means: dict[str, float], run: str) -> Record:
    counts = {"documents": 100_000, "queries": queries, "judgements": 5 * queries, "unreachable": 0}
    name = FAMILIES[row % len(FAMILIES)].format(row)
    return Record(
        row=name,
        method=f"{name} {'with every setting written out ' * 10}",
        dataset={**counts, "name": f"made-up/{dataset}/test", "revision": "0" * 32, "notes": []},
        identity=f"{row:032}",
        depth=1000,
        measures=means,
        seconds={"fit": 1.0, "index": float(row), "search": 2.0},
        size={"index_bytes": 10**6 * (row + 1), "model_bytes": 10**7, "parameters": 10**7},
        latency={"p50_ms": 1.0 + row % 50, "p95_ms": 60.0},
        run_sha256=run,
        started="2026-01-01T00:00:00+00:00",
    )


def measured(folder: Path, cache: Path) -> tuple[dict[str, float], float]:
    """Seconds of the clock and of the processors, and the highest memory in MiB, of `harness leaderboard`."""
    import resource

    command = [
        sys.executable,
        "-m",
        "harness",
        "leaderboard",
        "-q",
        "--results",
        str(folder),
        "--cache-dir",
        str(cache),
    ]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    _, memory = highest(lambda: subprocess.run(command, check=True), others=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "CPU": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}, memory


def main() -> None:
    """Makes records, runs the command and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("datasets", 50), ("rows", 100), ("queries", 300), ("documents", 10)):
        parser.add_argument(f"--{name}", type=int, default=default, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="of the records; made where it is not there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as own:
        folder = (asked.folder or Path(own)) / f"{asked.datasets}x{asked.rows}x{asked.queries}x{asked.documents}"
        if not folder.exists():
            started = time.perf_counter()
            write(folder, asked.datasets, asked.rows, asked.queries, asked.documents)
            print(f"made {asked.datasets * asked.rows:,} records in {time.perf_counter() - started:.0f} s")
        spent, memory = measured(folder, Path(own) / "cache")
        print(f"{spent['wall']:.1f} s, {spent['CPU']:.1f} s of processors, {memory:,.0f} MiB")
        for name in FILES:
            print(f"{name}: {(folder / name).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
