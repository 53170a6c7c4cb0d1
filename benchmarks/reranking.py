"""Re-ranking side by side: `CrossEncoder.predict` for each query, and ours by each engine and precision.

    python benchmarks/reranking.py beir/scifact [--queries 20] [--depth 100] [--block 5] [--rounds 1] [--model M] [--way
    W]…

Each round scores BM25's best documents of the same test queries with each, some queries at a time in turn, in one
process and on the same threads, so that other work on the machine slows all alike. The library's way is one call of
`CrossEncoder.predict` at its defaults for each query; ours sorts the pairs of a block's queries by length. Models are
loaded and warm, and nothing is kept. Without --model the model is all-MiniLM-L6-v2, which needs no download, with a
scoring head of fixed random numbers: its products are those of a MiniLM cross-encoder, its ranking means nothing.
Prints seconds of a round; how many times as long `CrossEncoder.predict` takes; the largest change of a score in
standard deviations; |ΔnDCG@10|; and how much of the machine's peak the products reach, as `encoding.py` has it.
"""

from __future__ import annotations

import argparse
import dataclasses
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
from harness.data.ranking import Floats, Ints, select
from harness.datasets import load_dataset
from harness.engines._limit import products
from harness.methods import fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.models.cross_encoder import Pair, PairScorer, open_pair_scorer
from harness.models.resolve import resolve
from harness.runtime.context import Context

LIBRARY = "CrossEncoder.predict"


def with_random_head(folder: Path, context: Context) -> str:
    """A folder with the default encoder and a scoring head whose weights are drawn from a fixed seed."""
    import torch
    from sentence_transformers import CrossEncoder as Model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Model(str(resolve(Dense().model, context).path), num_labels=1, max_length=512, device="cpu")
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return str(folder / "model")


def candidates(dataset: Dataset, queries: Queries, depth: int, context: Context) -> list[Ints]:
    """Rows of BM25's best documents, for each query."""
    searcher = index(BM25(), fit(BM25(), dataset.train, context), dataset.corpus, context)
    return [rows for rows, _ in search(BM25(), searcher, queries, depth, context).rows()]


def ndcg(dataset: Dataset, queries: Queries, found: list[Ints], scores: Floats) -> float:
    """The mean nDCG@10 of the queries, their candidates ordered by the scores, which stand end to end."""
    rankings = []
    parts = np.split(scores, np.cumsum([len(rows) for rows in found])[:-1])
    for name, rows, own in zip(queries.ids, found, parts, strict=True):
        best, values = select(rows, own, dataset.corpus.id_order, 10)
        rankings.append((name, dataset.corpus.ids(best), values.tolist()))
    qrels = {name: dataset.test.qrels[name] for name in queries.ids}
    return means(per_query(parse_measures(["nDCG@10"]), qrels, rankings))["nDCG@10"]


def main() -> None:
    """Times and prints."""
    options = parser(__doc__, rounds=1)
    options.add_argument("dataset", nargs="?", default="stdlib/code")
    options.add_argument("--model", help="a cross-encoder; default: all-MiniLM-L6-v2 with a random head")
    options.add_argument("--queries", type=int, default=20, help="the first so many test queries")
    options.add_argument("--depth", type=int, default=100)
    options.add_argument(
        "--block", type=int, default=5, help="queries that are scored at a time (default: %(default)s)"
    )
    options.add_argument("--way", action="append", help=f"default: {', '.join(WAYS)}")
    arguments = options.parse_args()
    dataset = load_dataset(arguments.dataset, open_context())
    with tempfile.TemporaryDirectory() as folder:
        context = Context(cache=Cache(Path(folder) / "cache"), device="cpu")
        model = arguments.model or with_random_head(Path(folder), context)
        measure(dataset, model, arguments, context)


def measure(dataset: Dataset, model: str, arguments: argparse.Namespace, context: Context) -> None:
    """Times and prints."""
    import torch

    usual = open_pair_scorer(CrossEncoder(model=model)._pair_settings(), context)
    queries = dataset.test.queries.only(dataset.test.queries.ids[: arguments.queries])
    found = candidates(dataset, queries, arguments.depth, context)
    pairs = [[(q, d) for d in dataset.corpus.texts_of(rows)[:]] for q, rows in zip(queries.texts, found, strict=True)]
    flat: list[Pair] = [pair for some in pairs for pair in some]

    def by_library(each: Sequence[list[Pair]]) -> Floats:
        model = usual.model
        scores = [model.predict(some, activation_fn=torch.nn.Identity(), show_progress_bar=False) for some in each]
        return np.concatenate([np.asarray(s, np.float32) for s in scores])

    def ours(scorer: PairScorer) -> Callable[[Sequence[list[Pair]]], Floats]:
        return lambda each: scorer.compute([pair for some in each for pair in some])[:, 0]

    runs = {LIBRARY: by_library} | {
        name: ours(usual.with_engine(way)) for name, way in ways_of(arguments.way or WAYS).items()
    }
    for run in runs.values():
        run([flat[:32]])  # loads, traces, warms
    peaks = Peaks()
    table, parts = in_blocks("", runs, pairs, arguments.block, arguments.rounds, LIBRARY)
    scores = {name: np.concatenate(some) for name, some in parts.items()}
    peaks.again()
    work = products(config_of(usual.model), [item.length for item in usual.items(flat)])
    title = (
        f"{dataset.name}: {len(queries)} queries, {len(flat):,} pairs, "
        f"{arguments.model or 'MiniLM with a random head'}, "
        f"{torch.get_num_threads()} threads: {work:,.0f} GFLOP; {peaks}"
    )
    figures = {name: ndcg(dataset, queries, found, own) for name, own in scores.items()}
    extra = {}
    for name, own in scores.items():
        seconds = statistics.median(each["wall"] for each in table.spent[name])
        change = float(np.abs(own - scores[LIBRARY]).max() / scores[LIBRARY].std())
        extra[name] = {
            "pairs/s": f"{len(flat) / seconds:.1f}",
            "score change, σ": f"{change:.1e}",
            "nDCG@10": f"{figures[name]:.5f}",
            "|Δ|": f"{abs(figures[name] - figures[LIBRARY]):.5f}",
            "utilisation": peaks.reached(name, work, seconds),
        }
    show(dataclasses.replace(table.with_extra(extra), title=title), arguments)


if __name__ == "__main__":
    main()
