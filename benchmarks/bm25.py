"""BM25 side by side: ours, bm25s by hand with the same analyser, and Lucene through Pyserini where it is installed.

    python benchmarks/bm25.py beir/scifact [--rounds 5]

Each round does the same work with each, in turn: analyse and index the corpus, then the 1,000 best documents of every test
query. Ours goes the whole way of a row, the index written to a fresh cache and mapped back. Prints the medians and the ratio,
pair by pair, to bm25s by hand.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bm25s

from harness.analyzers.english import English
from harness.api import open_context
from harness.cache.folders import Cache
from harness.context import Context
from harness.datasets import load_dataset
from harness.judged import Dataset
from harness.methods import fit, index, search
from harness.methods.bm25 import BM25

DEPTH = 1000


def ours(dataset: Dataset) -> dict[str, float]:
    """The row `bm25`, from a cold cache."""
    with tempfile.TemporaryDirectory() as folder:
        context = Context(cache=Cache(Path(folder)))
        method = BM25()
        started = time.perf_counter()
        searcher = index(method, fit(method, dataset.train, context), dataset.corpus, context)
        indexed = time.perf_counter()
        search(method, searcher, dataset.test.queries, DEPTH, context)
        return _seconds(started, indexed)


def by_hand(dataset: Dataset) -> dict[str, float]:
    """bm25s as its README uses it, with our analyser."""
    analyze = English()
    started = time.perf_counter()
    model = bm25s.BM25(k1=0.9, b=0.4, method="lucene")
    model.index([analyze(text) for text in dataset.corpus.texts[:]], show_progress=False)
    indexed = time.perf_counter()
    queries = [analyze(text) for text in dataset.test.queries.texts]
    model.retrieve(queries, k=min(DEPTH, len(dataset.corpus)), show_progress=False)
    return _seconds(started, indexed)


def pyserini(dataset: Dataset) -> dict[str, float]:
    """Lucene through Pyserini, one thread; the start of the JVM and the import of the searcher are not counted."""
    from pyserini.index.lucene import LuceneIndexer
    from pyserini.search.lucene import LuceneSearcher

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        indexer = LuceneIndexer(folder, threads=1)
        for batch in dataset.corpus.batches():
            texts = [f"{d.title} {d.text}".strip() for d in batch]
            indexer.add_batch_raw([json.dumps({"id": d.id, "contents": t}) for d, t in zip(batch, texts, strict=True)])
        indexer.close()
        indexed = time.perf_counter()
        searcher = LuceneSearcher(folder)
        searcher.set_bm25(0.9, 0.4)
        for text in dataset.test.queries.texts:
            searcher.search(text, k=DEPTH)
        return _seconds(started, indexed)


def _seconds(started: float, indexed: float) -> dict[str, float]:
    ended = time.perf_counter()
    return {"index": indexed - started, "search": ended - indexed, "both": ended - started}


def main() -> None:
    """Times and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", nargs="?", default="stdlib/code")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    dataset = load_dataset(arguments.dataset, open_context())
    ways: dict[str, Callable[[Dataset], dict[str, float]]] = {"harness": ours, "bm25s by hand": by_hand}
    if importlib.util.find_spec("pyserini") is not None:
        ways["pyserini"] = pyserini
    spent: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for _ in range(arguments.rounds + 1):
        for name, way in ways.items():
            spent[name].append(way(dataset))
    print(f"{dataset.name}: {len(dataset.corpus):,} documents, {len(dataset.test.queries)} queries, {arguments.rounds} rounds")
    for name, rounds in spent.items():
        counted = rounds[1:]  # the first is the warm-up
        shown = "  ".join(f"{part} {statistics.median(r[part] for r in counted):7.3f} s" for part in ("index", "search", "both"))
        pairs = [r["both"] / o["both"] for r, o in zip(counted, spent["bm25s by hand"][1:], strict=True)]
        print(f"{name:14} {shown}   ratio to bm25s by hand {statistics.median(pairs):.3f} ({min(pairs):.3f} to {max(pairs):.3f})")


if __name__ == "__main__":
    main()
