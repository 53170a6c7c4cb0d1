"""Encoding side by side: `SentenceTransformer.encode` at its defaults, and ours by each engine and precision.

    python benchmarks/encoding.py beir/scifact [--documents N] [--block N] [--rounds 1] [--way "openvino bf16"]…

Each round encodes the same documents with each, block by block in turn, in one process and on the same threads, so that
other work on the machine slows all alike. Models are loaded and warm, and nothing is kept. Prints seconds of a round;
how many times as long `SentenceTransformer.encode` takes; the largest change of a cosine; |ΔnDCG@10| of exact search
over the encoded documents, the test queries encoded the same way (those whose relevant documents are all left out by
--documents do not count); and how much of the machine's peak the model's products reach:

    utilisation = Σ over texts of layers · (24·L·d² + 4·L²·d) / seconds / peak     (for an intermediate size of 4·d)

with L tokens of a text, without padding, d the hidden size; peak is measured here, as the best product of two square
matrices by torch in the precision's own arithmetic (fp32, else bf16).
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from _table import in_blocks, parser, show
from _ways import WAYS, Peaks, config_of, ways_of
from harness.api import open_context
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.data.measures import means, parse_measures, per_query
from harness.data.queries import Queries
from harness.data.ranking import Floats, select
from harness.datasets import load_dataset
from harness.engines._limit import products
from harness.methods.dense import Dense
from harness.models.encoder import Encoder, open_encoder
from harness.runtime.context import Context

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


def main() -> None:
    """Times and prints."""
    options = parser(__doc__, rounds=1)
    options.add_argument("dataset", nargs="?", default="stdlib/code")
    options.add_argument("--model", default=Dense().model)
    options.add_argument("--documents", type=int, help="the first so many; default: all")
    options.add_argument(
        "--block", type=int, default=512, help="documents that are encoded at a time (default: %(default)s)"
    )
    options.add_argument("--way", action="append", help=f"default: {', '.join(WAYS)}")
    arguments = options.parse_args()
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

    def by_library(some: Sequence[str], side: str) -> Floats:
        prompt = usual.prompts[side]  # type: ignore[index]
        found = usual.model.encode(some, prompt=prompt, normalize_embeddings=normalise, show_progress_bar=False)
        return np.asarray(found, np.float32)

    def ours(encoder: Encoder) -> Callable[[Sequence[str], str], Floats]:
        return lambda some, side: encoder.encode_in_batches(some, side)  # type: ignore[arg-type]

    ways = ways_of(arguments.way or WAYS)

    def documents_by(run: Callable[[Sequence[str], str], Floats], some: Sequence[str]) -> Floats:
        return run(some, "document")

    runs = {LIBRARY: by_library} | {name: ours(usual.with_engine(way)) for name, way in ways.items()}
    for run in runs.values():
        run(texts[:64], "document")  # loads, traces, warms
    peaks = Peaks()
    documents = {name: functools.partial(documents_by, run) for name, run in runs.items()}
    table, parts = in_blocks("", documents, texts, arguments.block, arguments.rounds, LIBRARY)
    vectors = {name: np.concatenate(some) for name, some in parts.items()}
    figures = dict.fromkeys(runs, float("nan"))
    if queries.ids:
        figures = {
            name: ndcg(dataset, vectors[name], queries, run(queries.texts, "query")) for name, run in runs.items()
        }
    peaks.again()
    work = products(config_of(usual.model), [item.length for item in usual.items(texts, "document")])
    title = (
        f"{dataset.name}: {len(texts):,} documents, {arguments.model}, {torch.get_num_threads()} threads: {work:,.0f} "
        f"GFLOP; "
        f"{peaks}"
    )
    extra = {}
    for name in runs:
        seconds = statistics.median(each["wall"] for each in table.spent[name])
        change = float((1 - cosines(vectors[name], vectors[LIBRARY])).max())
        extra[name] = {
            "documents/s": f"{len(texts) / seconds:.1f}",
            "cosine change": f"{max(0.0, change):.1e}",
            "nDCG@10": f"{figures[name]:.5f}",
            "|Δ|": f"{abs(figures[name] - figures[LIBRARY]):.5f}",
            "utilisation": peaks.reached(name, work, seconds),
        }
    show(dataclasses.replace(table.with_extra(extra), title=title), arguments)


def cosines(one: Floats, other: Floats) -> Floats:
    """(n,) of (n, D) pairs, in double precision."""
    first, second = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(axis=1) / lengths  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
