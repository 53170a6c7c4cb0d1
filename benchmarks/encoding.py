"""Encoding side by side: `SentenceTransformer.encode` at its defaults, and ours by each engine and precision.

    python benchmarks/encoding.py beir/scifact [--documents N] [--block N] [--rounds 1] [--way "openvino bf16"]…

Each round encodes the same documents with each, block by block in turn, in one process and on the same threads, so that other
work on the machine slows all alike. Models are loaded and warm, and nothing is kept. Prints seconds of a round; how many times
as long `SentenceTransformer.encode` takes, over all blocks and as their median; the largest change of a cosine; |ΔnDCG@10| of
exact search over the encoded documents, the test queries encoded the same way (those whose relevant documents are all left out
by --documents do not count); and how much of the machine's peak the model's products reach:

    utilisation = Σ over texts of layers · (24·L·d² + 4·L²·d) / seconds / peak          (for an intermediate size of 4·d)

with L tokens of a text, without padding, d the hidden size; peak is measured here, as the best product of two square matrices
by torch in the precision's own arithmetic (fp32, else bf16).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.api import open_context
from harness.cache.folders import Cache
from harness.context import Context
from harness.datasets import load_dataset
from harness.engines._limit import peak, products
from harness.errors import Unavailable
from harness.judged import Dataset, Queries
from harness.measures import means, parse_measures, per_query
from harness.methods.dense import Dense
from harness.modeling.encoder import Encoder, open_encoder
from harness.modeling.golden import Way
from harness.ranking import Floats, select

WAYS = ("torch fp32", "torch bf16", "openvino fp32", "openvino bf16", "openvino int8")
LIBRARY = "SentenceTransformer.encode"


def judged(dataset: Dataset, documents: int) -> Queries:
    """The test queries that have a relevant document among the first so many."""
    held = set(dataset.corpus.ids(np.arange(documents)))
    counted = [q for q, grades in dataset.test.qrels.items() if any(g > 0 and d in held for d, g in grades.items())]
    return dataset.test.queries.only(counted)


def ndcg(dataset: Dataset, documents: Floats, queries: Queries, vectors: Floats) -> float:
    """The mean nDCG@10 of queries by (Q, D) vectors over the first documents; others are not judged."""
    held = set(dataset.corpus.ids(np.arange(len(documents))))
    qrels = {q: {d: g for d, g in dataset.test.qrels[q].items() if d in held} for q in queries.ids}
    rows = np.arange(len(documents), dtype=np.int64)
    rankings = []
    for name, query in zip(queries.ids, vectors, strict=True):
        best, scores = select(rows, documents @ query, dataset.corpus.id_order, 10)
        rankings.append((name, dataset.corpus.ids(best), scores.tolist()))
    return means(per_query(parse_measures(["nDCG@10"]), qrels, rankings))["nDCG@10"]


def ways_of(names: Sequence[str]) -> dict[str, Way]:
    """The ways that are installed, by name."""
    found = {}
    for name in names:
        way = Way.of(name)
        try:
            way.engine.versions()
        except Unavailable as error:
            print(f"without {name}: {error}")
            continue
        found[name] = way
    return found


def config_of(model: Any) -> Any:
    """The configuration of a model's transformer."""
    return model[0].model.config


def main() -> None:
    """Times and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", default="stdlib/code")
    parser.add_argument("--model", default=Dense().model)
    parser.add_argument("--documents", type=int, help="the first so many; default: all")
    parser.add_argument("--block", type=int, default=512, help="documents that are encoded at a time (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--way", action="append", help=f"default: {', '.join(WAYS)}")
    arguments = parser.parse_args()
    dataset = load_dataset(arguments.dataset, open_context())
    with tempfile.TemporaryDirectory() as folder:
        measure(dataset, arguments, Context(cache=Cache(Path(folder)), device="cpu"))


def measure(dataset: Dataset, arguments: argparse.Namespace, context: Context) -> None:
    """Times and prints."""
    import torch

    usual = open_encoder(Dense(model=arguments.model)._encoder_settings(), context)
    texts = dataset.corpus.texts_of(np.arange(min(arguments.documents or len(dataset.corpus), len(dataset.corpus))))[:]
    queries = judged(dataset, len(texts))
    normalise = usual.similarity == "cosine"

    def by_library(some: list[str], side: str) -> Floats:
        prompt = usual.prompts[side]  # type: ignore[index]
        found = usual.model.encode(some, prompt=prompt, normalize_embeddings=normalise, show_progress_bar=False)
        return np.asarray(found, np.float32)

    def ours(encoder: Encoder) -> Callable[[list[str], str], Floats]:
        return lambda some, side: encoder.in_batches(some, side)  # type: ignore[arg-type]

    ways = ways_of(arguments.way or WAYS)
    runs = {LIBRARY: by_library} | {name: ours(usual.by(way)) for name, way in ways.items()}
    for run in runs.values():
        run(texts[:64], "document")  # loads, traces, warms
    spent: dict[str, list[float]] = {name: [] for name in runs}
    parts: dict[str, list[Floats]] = {}
    peaks = {precision: peak(precision) for precision in ("fp32", "bf16")}
    for _ in range(arguments.rounds):
        parts = {name: [] for name in runs}
        for first in range(0, len(texts), arguments.block):
            for name, run in runs.items():
                started = time.perf_counter()
                parts[name].append(run(texts[first : first + arguments.block], "document"))
                spent[name].append(time.perf_counter() - started)
            told = ", ".join(f"{name} {seconds[-1]:.1f}" for name, seconds in spent.items())
            done = first + len(parts[LIBRARY][-1])
            print(f"{done:,} documents, seconds of the last block: {told}", file=sys.stderr, flush=True)
    vectors = {name: np.concatenate(some) for name, some in parts.items()}
    figures = {name: ndcg(dataset, vectors[name], queries, run(queries.texts, "query")) for name, run in runs.items()}
    peaks = {precision: max(best, peak(precision)) for precision, best in peaks.items()}
    work = products(config_of(usual.model), [item.length for item in usual.items(texts, "document")])
    print(
        f"{dataset.name}: {len(texts):,} documents, {arguments.model}, {torch.get_num_threads()} threads, "
        f"{arguments.rounds} rounds: {work:,.0f} GFLOP, peak {peaks['fp32']:.0f} GFLOP/s fp32, {peaks['bf16']:.0f} bf16"
    )
    for name in runs:
        seconds = sum(spent[name]) / arguments.rounds
        ratio = sum(spent[LIBRARY]) / sum(spent[name])
        middle = statistics.median(first / own for first, own in zip(spent[LIBRARY], spent[name], strict=True))
        change = float((1 - cosines(vectors[name], vectors[LIBRARY])).max())
        reached = work / seconds / peaks["fp32" if name == LIBRARY or name.endswith("fp32") else "bf16"]
        print(
            f"{name:28} {seconds:8.2f} s {len(texts) / seconds:7.1f} documents/s  {ratio:5.2f} × (median {middle:.2f})  "
            f"cosine change {max(0.0, change):.1e}  nDCG@10 {figures[name]:.5f} |Δ| {abs(figures[name] - figures[LIBRARY]):.5f}  "
            f"utilisation {reached:.0%}"
        )


def cosines(one: Floats, other: Floats) -> Floats:
    """(n,) of (n, D) pairs, in double precision."""
    first, second = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(axis=1) / lengths  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
