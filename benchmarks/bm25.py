"""BM25 side by side: ours, bm25s by hand with the same analyser, and Lucene where the extra `lucene` is installed.

    python benchmarks/bm25.py beir/scifact [--rounds 5] [--feedback rm3]
    python benchmarks/synthetic.py 100000 many && python benchmarks/bm25.py ./many

Each round does the same work with each, in turn: analyse and index the corpus, then the 1,000 best documents of every
test query. Ours and Lucene go the whole way of a row, the index written to a fresh cache and opened again; the start of
Java is not counted. bm25s compiles its search where numba is installed; both of its ways are timed then. With feedback
both search twice, and Lucene's index holds term vectors in any case. The ratio is that to bm25s by hand; memory is the
highest beside what was held before, Java's too, without pages of mapped files.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bm25s

from _memory import highest
from _table import Parts, interleaved, parser, show
from harness.analyzers.english import English
from harness.api import open_context
from harness.base.errors import Unavailable
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.datasets import load_dataset
from harness.lucene.java import installed
from harness.methods import Method, fit, index, search
from harness.methods.lucene import start
from harness.rows import parse_method
from harness.runtime.context import Context

DEPTH = 1000
BY_HAND = "bm25s by hand"


def row(method: Method, dataset: Dataset) -> Parts:
    """A row, from a cold cache."""
    with tempfile.TemporaryDirectory() as folder:
        context = Context(cache=Cache(Path(folder)))
        fitted = fit(method, dataset.train, context)
        if method.name() == "lucene":
            start(installed(), context)
        started = time.perf_counter()
        searcher = index(method, fitted, dataset.corpus, context)
        indexed = time.perf_counter()
        search(method, searcher, dataset.test.queries, DEPTH, context)
        return _seconds(started, indexed)


def by_hand(backend: str, dataset: Dataset) -> Parts:
    """bm25s as its README uses it, with our analyser."""
    analyze = English()
    started = time.perf_counter()
    model = bm25s.BM25(k1=0.9, b=0.4, method="lucene", backend=backend)
    model.index([analyze(text) for text in dataset.corpus.texts[:]], show_progress=False)
    indexed = time.perf_counter()
    queries = [analyze(text) for text in dataset.test.queries.texts]
    model.retrieve(queries, k=min(DEPTH, len(dataset.corpus)), show_progress=False)
    return _seconds(started, indexed)


def _seconds(started: float, indexed: float) -> Parts:
    ended = time.perf_counter()
    return {"index": indexed - started, "search": ended - indexed, "both": ended - started}


def main() -> None:
    """Times and prints."""
    options = parser(__doc__, rounds=5)
    options.add_argument("dataset", nargs="?", default="stdlib/code")
    options.add_argument("--warm-up", type=int, default=1, help="rounds that do not count; default: %(default)s")
    options.add_argument("--feedback", help="as rm3 or rocchio(beta=0.5)")
    arguments = options.parse_args()
    dataset = load_dataset(arguments.dataset, open_context())
    most: dict[str, float] = {}

    def watched(way: str, work: Callable[[], Parts]) -> Callable[[], Parts]:
        def done() -> Parts:
            spent, memory = highest(work, others=True)
            most[way] = max(most.get(way, 0.0), memory)
            return spent

        return done

    ways: dict[str, Callable[[], Parts]] = {BY_HAND: functools.partial(by_hand, "numpy", dataset)}
    if importlib.util.find_spec("numba"):
        ways[f"{BY_HAND}, numba"] = functools.partial(by_hand, "numba", dataset)
    settings = f"(feedback={arguments.feedback})" if arguments.feedback else ""
    for name in ("bm25", "lucene"):
        ways[f"{name}{settings}"] = functools.partial(row, parse_method(f"{name}{settings}"), dataset)
    try:
        installed()
    except Unavailable as error:
        print(f"without Lucene: {error}")
        del ways[f"lucene{settings}"]
    title = f"{dataset.name}: {len(dataset.corpus):,} documents, {len(dataset.test.queries)} queries"
    watching = {way: watched(way, work) for way, work in ways.items()}
    table = interleaved(title, watching, arguments.rounds, warm_up=arguments.warm_up, against=BY_HAND)
    extra = {way: {"peak MiB": f"{memory:,.0f}"} for way, memory in most.items()}
    show(dataclasses.replace(table, extra=extra), arguments)


if __name__ == "__main__":
    main()
