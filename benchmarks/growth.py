"""How time and memory of each stage grow with the collection: synthetic collections of 10³ to 10⁶ documents.

    python benchmarks/growth.py [--sizes 1000 10000 100000 1000000] [--memory 2GB] [--folder growth] [--plot growth.svg]

Every stage runs in a process of its own that finds the earlier stages' work in the cache: reading `corpus.jsonl` into
Arrow, BM25's index, BM25's search, encoding by a random model of one layer (so that what it takes beside a model
shows), exact search of 384 random dimensions a document, fusion of both rankings, measuring. Searches are of 200
queries, 1,000 deep. Prints seconds of processor time of all threads, which other programs on the machine move less than
those of the clock; the highest memory beside what the process held when the stage began, without pages of mapped files,
which the system takes back at will; and the slope
between the first and the last size, and between the last two, of both in logarithms: 1 is growth in proportion. Needs
the extra `plots` for the plot.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from _memory import highest
from _tiny_model import tiny_encoder
from exact import fill, opened, store_of, unit_vectors
from harness.api import open_context
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset
from harness.data.documents import Document
from harness.data.measures import parse_measures, per_query
from harness.data.ranking import Run, TopK
from harness.datasets import load_dataset
from harness.fusions.rrf import RRF
from harness.indexes.exact import Exact
from harness.methods import fit, index
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.runtime.context import Context
from synthetic import write

DIMENSION, QUERIES, DEPTH = 384, 200, 1000


def stage_work(stage: str, folder: Path, n: int, context: Context) -> Callable[[], object]:
    """What a stage does, what comes before it done."""
    if stage == "load":
        return lambda: load_dataset(str(folder), context)
    dataset = load_dataset(str(folder), context)
    if stage == "bm25 index":
        return lambda: index(BM25(), fit(BM25(), dataset.train, context), dataset.corpus, context)
    if stage == "bm25 search":
        searcher = index(BM25(), fit(BM25(), dataset.train, context), dataset.corpus, context)
        return lambda: searcher.search(dataset.test.queries, DEPTH)
    if stage == "encode":
        row = Dense(model=str(tiny_encoder((folder.parent / "tiny-encoder").absolute())))
        fitted = fit(row, dataset.train, context)
        index(row, fitted, Corpus.of([Document("none", "", "ba")]), context)  # loads the model
        return lambda: index(row, fitted, dataset.corpus, context)
    if stage == "exact search":
        vectors = opened(store_of(context.cache.root, n, DIMENSION), n)
        asked = unit_vectors(np.random.default_rng(0), QUERIES, DIMENSION)
        np.ones((2048, 2048), np.float32) @ np.ones((2048, 2048), np.float32)  # the product's own buffers
        return lambda: Exact().build(vectors, dataset.corpus.id_order, context).search(asked, DEPTH)
    one, other = _rankings(dataset, np.random.default_rng(5))
    if stage == "fusion":
        return lambda: RRF().fuse([one, other], dataset.corpus.id_order, DEPTH)
    run = Run.of(dataset.test.queries, one, dataset.corpus)
    return lambda: per_query(parse_measures(["nDCG@10", "R@100", "RR@10", "AP@100"]), dataset.test.qrels, run)


STAGES = ("load", "bm25 index", "bm25 search", "encode", "exact search", "fusion", "measure")


def _rankings(dataset: Dataset, rng: np.random.Generator) -> tuple[TopK, TopK]:
    """Two rankings of every query at random."""
    k, queries = min(DEPTH, len(dataset.corpus)), len(dataset.test.queries)
    scores = np.tile(np.linspace(1, 0, k, dtype=np.float32), (queries, 1))
    found = [np.stack([rng.choice(len(dataset.corpus), k, replace=False) for _ in range(queries)]) for _ in range(2)]
    return TopK(found[0], scores), TopK(found[1], scores)


def watched(work: Callable[[], object]) -> dict[str, float]:
    """Seconds of the clock, of the processors, and the highest memory in MiB beside what was held before."""

    def spent() -> tuple[object, dict[str, float]]:
        clock, processors = time.perf_counter(), time.process_time()
        held = work()
        return held, {"clock": time.perf_counter() - clock, "processors": time.process_time() - processors}

    (_, seconds), memory = highest(spent)
    return {**seconds, "memory": memory}


def _collection(arguments: argparse.Namespace, n: int) -> Path:
    return Path(arguments.folder) / f"documents-{n}"


def _stage(stage: str, n: int, arguments: argparse.Namespace) -> dict[str, float]:
    """A stage in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--folder",
        str(arguments.folder),
        "--memory",
        arguments.memory,
        "--one",
        stage,
        str(n),
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in json.loads(output.splitlines()[-1]).items()}


def slope(sizes: list[int], values: list[float]) -> float:
    """Of the logarithms, between the first and the last; no number where both are one."""
    if sizes[-1] == sizes[0]:
        return math.nan
    return math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0])


def plot(sizes: list[int], spent: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Both quantities over the number of documents, on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, quantity, unit in zip(
        axes, ("processors", "memory"), ("processor seconds", "MiB beside the process's own"), strict=True
    ):
        for stage, values in spent.items():
            axis.plot(sizes, [max(value[quantity], 1e-3) for value in values], marker="o", label=stage)
        axis.set(xscale="log", yscale="log", xlabel="documents", ylabel=unit)
        axis.grid(visible=True, alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path)


def main() -> None:
    """Times and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--folder", type=Path, default=Path("growth"), help="collections and cache; kept")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    cache = arguments.folder / "cache"
    if arguments.one:
        stage, n = arguments.one[0], int(arguments.one[1])
        context = open_context(cache_dir=cache, memory=arguments.memory)
        print(json.dumps(watched(stage_work(stage, _collection(arguments, n), n, context))))
        return
    spent: dict[str, list[dict[str, float]]] = {stage: [] for stage in STAGES}
    for place in [cache / "corpora", cache / "bm25", *(cache / "embeddings").glob("[!r]*")]:  # random vectors stay
        shutil.rmtree(place, ignore_errors=True)
    for n in arguments.sizes:
        if not (_collection(arguments, n) / "qrels" / "test.tsv").exists():
            write(_collection(arguments, n), n, QUERIES)
        store = store_of(cache, n, DIMENSION)
        if not any(store.folder.glob("*.arrow")):
            fill(store, n, DIMENSION)
        for stage in STAGES:
            spent[stage].append(_stage(stage, n, arguments))
            shown = "  ".join(f"{name} {value:.2f}" for name, value in spent[stage][-1].items())
            print(f"{n:>9,} {stage:14} {shown}", file=sys.stderr, flush=True)
    heads = [f"{n:,}" for n in arguments.sizes]
    for quantity, unit in (("processors", "processor seconds"), ("memory", "MiB")):
        print(f"\n| {unit} | {' | '.join(heads)} | slope | of the last two |\n| --- |{' --: |' * (len(heads) + 2)}")
        for stage, values in spent.items():
            numbers = [value[quantity] for value in values]
            slopes = [partial(slope, arguments.sizes[i:], [max(v, 1e-3) for v in numbers[i:]]) for i in (0, -2)]
            cells = [
                *(f"{number:.2f}" if number < 10 else f"{number:,.0f}" for number in numbers),
                *(f"{s():.2f}" for s in slopes),
            ]
            print(f"| {stage} | {' | '.join(cells)} |")
    if arguments.plot:
        plot(arguments.sizes, spent, arguments.plot)


if __name__ == "__main__":
    main()
