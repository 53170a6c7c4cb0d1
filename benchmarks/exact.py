"""Exact search beside FAISS's flat index and `semantic_search`: batch search of random unit vectors, on the same
threads.

    python benchmarks/exact.py [--vectors 1000000] [--queries 1000] [--dimension 384] [--k 10 100 1000] [--memory 2GB]

Each round searches with each, in turn, after a warm-up. FAISS and sentence-transformers hold all vectors in memory.
Ours reads them from the cache's shards, in the order in which an encoder writes them (a chunk's texts by length), and
holds them only where
the budget has a place for that: both ways are timed. Every ranking of ours is compared with FAISS's: where the two
differ, the scores must be as near as float32 tells them. Needs the extra `faiss`. The last line has the highest memory
of a process that opens the shards and searches, beside what it held before, without the pages of mapped files, which
the system takes back at will.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from _memory import highest
from _table import Parts, interleaved, middle, parser, show, timed
from harness.base.memory import LEAST, Memory, parse_size
from harness.cache.folders import Cache
from harness.cache.shards import text_keys
from harness.cache.vectors import StoredVectors, VectorStore
from harness.data.ranking import Floats, Ints, TopK
from harness.indexes.exact import Exact
from harness.models.encode_once import CHUNK
from harness.runtime.context import Context

SHARD = 100_000
FLAT = "FAISS flat"


def unit_vectors(rng: np.random.Generator, n: int, dimension: int) -> Floats:
    """(n, D) random vectors of length 1."""
    vectors = rng.standard_normal((n, dimension), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # type: ignore[no-any-return]


def blocks(n: int, dimension: int) -> Iterator[tuple[int, Floats]]:
    """The collection, the same each time, so many vectors at a time: place of the first, vectors."""
    for start in range(0, n, SHARD):
        rng = np.random.default_rng([1, start])
        yield start, unit_vectors(rng, min(SHARD, n - start), dimension)


def store_of(cache: Path, n: int, dimension: int) -> VectorStore:
    """The collection's place in a cache."""
    return VectorStore(Cache(cache), "embeddings", f"random-{n}-{dimension}", {})


def fill(store: VectorStore, n: int, dimension: int) -> None:
    """Writes the collection as encoding does: the texts of a chunk in an order that is not theirs."""
    for start, vectors in blocks(n, dimension):
        keys = text_keys(str(i) for i in range(start, start + len(vectors)))
        order = np.concatenate(
            [
                first + np.random.default_rng([2, start, first]).permutation(min(CHUNK, len(vectors) - first))
                for first in range(0, len(vectors), CHUNK)
            ]
        )
        store.write(keys.take(order), vectors[order], 0.0)


def opened(store: VectorStore, n: int) -> StoredVectors:
    """The collection, mapped."""
    import pyarrow as pa

    held = store.read()
    keys = pa.concat_arrays([text_keys(str(i) for i in range(s, min(s + 4096, n))) for s in range(0, n, 4096)])
    return store.at(held, held.locate(keys))


def agree(ours: TopK, flat: tuple[Floats, Ints], k: int) -> float:
    """Share of FAISS's rows that are ours too; every rank's score must be within float32's error."""
    scores, rows = flat
    if not np.allclose(ours.scores[:, :k], scores, atol=1e-5):
        raise SystemExit("the scores differ from FAISS's by more than float32 allows")
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(ours.indices, rows, strict=True)]))


def peak(cache: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """What a search takes beyond what the process held before, in MiB; run in a process of its own."""
    store = store_of(cache, arguments.vectors, arguments.dimension)
    queries = unit_vectors(np.random.default_rng(0), arguments.queries, arguments.dimension)
    vectors = opened(store, arguments.vectors)
    order = np.random.default_rng(3).permutation(arguments.vectors).astype(np.int32)
    np.ones((2048, 2048), np.float32) @ np.ones((2048, 2048), np.float32)  # the product's own buffers
    context = Context(cache=Cache(cache), memory=Memory(parse_size(arguments.memory)))
    _, most = highest(lambda: Exact().build(vectors, order, context).search(queries, max(arguments.k)))
    return {"peak": most, "resident": psutil.Process().memory_info().rss / 2**20}


def main() -> None:
    """Times and prints."""
    options = parser(__doc__, rounds=3)
    options.add_argument("--vectors", type=int, default=1_000_000)
    options.add_argument("--queries", type=int, default=1000)
    options.add_argument("--dimension", type=int, default=384)
    options.add_argument("--k", type=int, nargs="+", default=[10, 100, 1000])
    options.add_argument("--memory", default="2GB")
    options.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.cache is not None:
        print(json.dumps(peak(arguments.cache, arguments)))
        return
    import faiss
    import torch
    from sentence_transformers.util import dot_score, semantic_search

    n, dimension = arguments.vectors, arguments.dimension
    threads = psutil.cpu_count(logical=False) or 1
    faiss.omp_set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        store = store_of(Path(folder), n, dimension)
        fill(store, n, dimension)
        stored = opened(store, n)
        order = np.random.default_rng(3).permutation(n).astype(np.int32)
        queries = unit_vectors(np.random.default_rng(0), arguments.queries, dimension)
        streamed = Exact().build(
            stored, order, Context(cache=Cache(Path(folder)), memory=Memory(parse_size(arguments.memory)))
        )
        held = Exact().build(
            stored, order, Context(cache=Cache(Path(folder)), memory=Memory(max(LEAST, n * dimension * 32)))
        )
        index = faiss.IndexFlatIP(dimension)
        for _, vectors in blocks(n, dimension):
            index.add(vectors)
        depths = sorted(arguments.k)
        whole = torch.from_numpy(index.reconstruct_n(0, n))

        def library(asked: Floats, k: int) -> tuple[Floats, Ints]:
            found = semantic_search(torch.from_numpy(asked), whole, top_k=k, score_function=dot_score)
            pairs = [[(hit["score"], hit["corpus_id"]) for hit in hits] for hits in found]
            return np.array([[score for score, _ in hits] for hits in pairs]), np.array(
                [[row for _, row in hits] for hits in pairs]
            )

        ways: dict[str, Callable[[Floats, int], Any]] = {
            FLAT: index.search,
            "semantic_search": library,
            "exact, in memory": held.search,
            f"exact, --memory {arguments.memory}": streamed.search,
        }
        found: dict[str, dict[int, Any]] = {way: {} for way in ways}

        def searched(way: str) -> Parts:
            return {f"k={k}": timed(lambda k=k: found[way].update({k: ways[way](queries, k)})) for k in depths}  # type: ignore[misc]

        title = f"{n:,} vectors of {dimension}, {arguments.queries:,} queries, {threads} threads"
        asked = {way: partial(searched, way) for way in ways}
        table = interleaved(title, asked, arguments.rounds, against=FLAT)
        extra: dict[str, dict[str, str]] = {}
        for way in ways:
            ratios = {f"k={k}, ratio": middle(table.ratios(way, f"k={k}")) for k in depths[:-1]}
            same = [agree(found[way][k], found[FLAT][k], k) for k in depths] if way.startswith("exact") else []
            extra[way] = {**ratios, "the same rows": ", ".join(f"{share:.4%}" for share in same)}
        show(table.with_extra(extra), arguments)
        printed = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--cache", folder], check=True, capture_output=True, text=True
        ).stdout
        memory = json.loads(printed)
        print(
            f"a search with --memory {arguments.memory} takes {memory['peak']:,.0f} MiB beside what the process held "
            f"(resident in all, pages of the mapped shards included: {memory['resident']:,.0f} MiB)"
        )


if __name__ == "__main__":
    main()
