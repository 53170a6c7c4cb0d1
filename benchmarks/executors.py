"""What an executor on one machine costs: the same board in one process and elsewhere, in turn.

    python benchmarks/executors.py beir/scifact [--executor 'ray(workers=1)'] [--rounds 3] [--method bm25 …]

A first run fills the cache, so that all rounds find the same. Then each round makes every row again, as whole commands, in one
process and with each executor, and BM25 alone in the same ways: what that takes longer elsewhere is the start of workers, and of
Ray. Prints the seconds, the ratio to one process, and that without the start. With one worker the work is the same on both sides.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROWS = ("bm25", "dense", "hybrid-rrf", "hybrid-convex")


def main() -> None:
    """Times and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", nargs="?", default="stdlib/code")
    parser.add_argument("--executor", action="append", default=[], help="default: ray(workers=1)")
    parser.add_argument("--method", action="append", default=[], help=f"default: {' '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache-dir", type=Path, default=None, help="default: a new one, in which everything is made first")
    arguments = parser.parse_args()
    rows = arguments.method or list(ROWS)
    ways = ["local", *(arguments.executor or ["ray(workers=1)"])]
    with tempfile.TemporaryDirectory() as folder:
        places = ["--results", f"{folder}/results", "--cache-dir", str(arguments.cache_dir or f"{folder}/cache")]
        board = [sys.executable, "-m", "harness", "run", "--quiet", "--rerun", "--dataset", arguments.dataset, *places]

        def made(way: str, methods: Sequence[str]) -> float:
            asked = [word for method in methods for word in ("--method", method)]
            started = time.perf_counter()
            subprocess.run([*board, *asked, "--executor", way], check=True, stdout=subprocess.DEVNULL)
            return time.perf_counter() - started

        made("local", rows)
        whole: dict[str, list[float]] = {way: [] for way in ways}
        start: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(arguments.rounds):
            for spent, methods in ((whole, rows), (start, ["bm25"])):
                for way in ways:
                    spent[way].append(made(way, methods))
    print(f"{arguments.dataset}: {', '.join(rows)}; {arguments.rounds} rounds, nothing to encode")
    for way in ways:
        pairs = list(zip(whole[way], whole["local"], strict=True))
        begin = statistics.median(a - b for a, b in zip(start[way], start["local"], strict=True))
        ratio, without = statistics.median(a / b for a, b in pairs), statistics.median((a - begin) / b for a, b in pairs)
        told = f"{statistics.median(whole[way]):7.1f} s  ({min(whole[way]):.1f} to {max(whole[way]):.1f})"
        print(f"{way:24} {told}  ratio {ratio:.3f}, start {begin:.1f} s, without it {without:.3f}")


if __name__ == "__main__":
    main()
