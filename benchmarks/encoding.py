"""Encoding side by side: `SentenceTransformer.encode` at its defaults, and ours by each engine and precision.

    python benchmarks/encoding.py beir/scifact [--documents N] [--rounds 1] [--way "openvino bf16"]…

Each round encodes the same documents with each, in turn, in one process and on the same threads. Models are loaded and warm, and
nothing is kept. Prints seconds, the ratio to `SentenceTransformer.encode` pair by pair, the largest change of a cosine, and
|ΔnDCG@10| of exact search over the encoded documents with the test queries encoded the same way; queries whose relevant documents
are all left out by --documents do not count. And how much of the machine's peak the model's products reach:

    utilisation = Σ over texts of layers · (24·L·d² + 4·L²·d) / seconds / peak          (for an intermediate size of 4·d)

with L tokens of a text, without padding, d the hidden size; peak is measured here, as the best product of two square matrices by
torch in the precision's own arithmetic (fp32, else bf16).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _sides import WAYS, peak, products, ways_of

from harness.api import open_context
from harness.cache.folders import Cache
from harness.context import Context
from harness.datasets import load_dataset
from harness.judged import Dataset
from harness.measures import means, parse_measures, per_query
from harness.methods.dense import Dense
from harness.modeling.encoder import Encoder, open_encoder
from harness.ranking import Floats, select

LIBRARY = "SentenceTransformer.encode"


def ndcg(dataset: Dataset, documents: Floats, queries: Floats) -> dict[str, float]:
    """nDCG@10 of each query over the first documents, of queries that have a relevant one among them."""
    held = set(dataset.corpus.ids(np.arange(len(documents))))
    qrels = {q: {d: g for d, g in grades.items() if d in held} for q, grades in dataset.test.qrels.items()}
    rows, order = np.arange(len(documents)), dataset.corpus.id_order[: len(documents)]
    rankings = []
    for name, query in zip(dataset.test.queries.ids, queries, strict=True):
        best, scores = select(rows, documents @ query, order, 10)
        rankings.append((name, dataset.corpus.ids(best), scores.tolist()))
    judged = {q: grades for q, grades in qrels.items() if any(g > 0 for g in grades.values())}
    values = per_query(parse_measures(["nDCG@10"]), judged, [r for r in rankings if r[0] in judged])
    return means(values)


def main() -> None:
    """Times and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", default="stdlib/code")
    parser.add_argument("--model", default=Dense().model)
    parser.add_argument("--documents", type=int, help="the first so many; default: all")
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
    queries = list(dataset.test.queries.texts)
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
    vectors: dict[str, Floats] = {}
    for _ in range(arguments.rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            vectors[name] = run(texts, "document")
            spent[name].append(time.perf_counter() - started)
    figures = {name: ndcg(dataset, vectors[name], run(queries, "query"))["nDCG@10"] for name, run in runs.items()}
    peaks = {precision: peak(precision) for precision in ("fp32", "bf16")}
    work = products(usual.model[0].model.config, [item.length for item in usual.items(texts, "document")])
    print(
        f"{dataset.name}: {len(texts):,} documents, {arguments.model}, {torch.get_num_threads()} threads, "
        f"{arguments.rounds} rounds: {work:,.0f} GFLOP, peak {peaks['fp32']:.0f} GFLOP/s fp32, {peaks['bf16']:.0f} bf16"
    )
    for name in runs:
        middle = statistics.median(spent[name])
        ratio = statistics.median(first / own for first, own in zip(spent[LIBRARY], spent[name], strict=True))
        change = float((1 - cosines(vectors[name], vectors[LIBRARY])).max())
        reached = work / middle / peaks["fp32" if name == LIBRARY or name.endswith("fp32") else "bf16"]
        print(
            f"{name:28} {middle:8.2f} s {len(texts) / middle:7.1f} documents/s  {ratio:5.2f} ×  "
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
