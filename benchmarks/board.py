"""The whole default board against what every board needs anyway: encoding the corpus once with sentence-transformers.

    python benchmarks/board.py beir/scifact [--rounds 1]

Each round times, as whole processes and in turn: (a) `SentenceTransformer.encode` of the corpus at its defaults, with the model
the board uses; (b) `harness run` from an empty cache, all default rows; (c) the same command again, nothing changed; (d) with
`--rerun`, so that every row is done again from what is kept. Prints the seconds and the ratio of (b) to (a).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness.api import open_context
from harness.datasets import load_dataset
from harness.modeling.resolve import resolve

ENCODE = """
import json, sys
from sentence_transformers import SentenceTransformer
texts = json.load(open(sys.argv[2]))
SentenceTransformer(sys.argv[1]).encode(texts)
"""


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Times and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", nargs="?", default="stdlib/code")
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    context = open_context()
    dataset = load_dataset(arguments.dataset, context)
    model = resolve("sentence-transformers/all-MiniLM-L6-v2", context)
    spent: dict[str, list[float]] = {}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            texts = Path(folder) / "texts.json"
            texts.write_text(json.dumps(dataset.corpus.texts[:]), encoding="utf-8")
            board = ["harness", "run", "--quiet", "--dataset", arguments.dataset]
            board += ["--results", f"{folder}/results", "--cache-dir", f"{folder}/cache"]
            ways = {
                "(a) SentenceTransformer.encode": [sys.executable, "-c", ENCODE, str(model.path), str(texts)],
                "(b) harness run, cold": board,
                "(c) harness run, again": board,
                "(d) harness run --rerun": [*board, "--rerun"],
            }
            for name, command in ways.items():
                spent.setdefault(name, []).append(_timed(command))
    print(f"{dataset.name}: {len(dataset.corpus):,} documents, {len(dataset.test.queries)} queries, {arguments.rounds} rounds")
    for name, seconds in spent.items():
        print(f"{name:32} {statistics.median(seconds):8.1f} s  ({min(seconds):.1f} to {max(seconds):.1f})")
    ratios = [b / a for a, b in zip(spent["(a) SentenceTransformer.encode"], spent["(b) harness run, cold"], strict=True)]
    print(f"{'ratio (b) to (a)':32} {statistics.median(ratios):8.3f}    ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
