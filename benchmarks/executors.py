"""What an executor on one machine costs: the same board in one process and elsewhere, in turn.

    python benchmarks/executors.py beir/scifact [--executor 'ray(workers=1)'] [--rounds 3] [--method bm25 …]

A first run fills the cache, so that all rounds find the same. Then each round makes every row again, as whole commands,
in one
process and with each executor, and BM25 alone in the same ways: what that takes longer elsewhere is the start of
workers, and of Ray. Prints the seconds, the ratio to one process, and that without the start. With one worker the work
is the same on both sides.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from _table import Parts, interleaved, middle, parser, process, show

LOCAL = "local"
ROWS = ("bm25", "dense", "hybrid-rrf", "hybrid-convex")


def main() -> None:
    """Times and prints."""
    options = parser(__doc__, rounds=3)
    options.add_argument("dataset", nargs="?", default="stdlib/code")
    options.add_argument("--executor", action="append", default=[], help="default: ray(workers=1)")
    options.add_argument("--method", action="append", default=[], help=f"default: {' '.join(ROWS)}")
    options.add_argument(
        "--cache-dir", type=Path, default=None, help="default: a new one, in which everything is made first"
    )
    arguments = options.parse_args()
    rows = arguments.method or list(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        places = ["--results", f"{folder}/results", "--cache-dir", str(arguments.cache_dir or f"{folder}/cache")]
        board = [sys.executable, "-m", "harness", "run", "--quiet", "--rerun", "--dataset", arguments.dataset, *places]

        def seconds(way: str, methods: Sequence[str]) -> float:
            asked = [word for method in methods for word in ("--method", method)]
            return process([*board, *asked, "--executor", way])["wall"]

        def made(way: str) -> Parts:
            return {"BM25 alone": seconds(way, ["bm25"]), "the board": seconds(way, rows)}

        seconds(LOCAL, rows)
        ways = {way: partial(made, way) for way in (LOCAL, *(arguments.executor or ["ray(workers=1)"]))}
        title = f"{arguments.dataset}: {', '.join(rows)}; nothing to encode"
        table = interleaved(title, ways, arguments.rounds, warm_up=0, against=LOCAL)
    extra = {}
    for way, spent in table.spent.items():
        pairs = list(zip(spent, table.spent[LOCAL], strict=True))
        start = statistics.median(own["BM25 alone"] - local["BM25 alone"] for own, local in pairs)
        without = [(own["the board"] - start) / local["the board"] for own, local in pairs]
        extra[way] = {"start s": f"{start:.1f}", "ratio without it": middle(without)}
    show(table.with_extra(extra), arguments)


if __name__ == "__main__":
    main()
