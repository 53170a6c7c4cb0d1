"""A collection larger than the memory given to a run goes through every default row, in two processes at one cache at
once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.api import open_context
from harness.base.errors import SettingError
from harness.base.memory import LEAST
from harness.data.corpus import Corpus
from harness.data.corpus_file import write_corpus

DOCUMENTS, FEW, WORDS = 20_000, 2000, 400
RUN = """
import ctypes, gc, json, sys, threading, time, zlib
from pathlib import Path
import numpy as np, psutil
from harness.models.model_runner import ModelRunner
from harness.models.tokens import Item
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.api import methods_of, open_context
from harness.datasets import load_dataset
import ir_measures, datasketch, scipy.stats, torch, sentence_transformers  # what the process holds whatever it reads
import harness.bench.latency as latency

latency.LEAST, latency.MORE = 0.0, 0  # one look at it: a machine with two runs is busy, and each round searches again

root, folder, few, encoder, scorer, results = sys.argv[1:]

def answer(self, items, prompt):
    seeds = [zlib.crc32(repr(item.source).encode()) for item in items]
    if isinstance(items[0].source, str):
        return np.stack([np.random.default_rng(seed).standard_normal(384, np.float32) for seed in seeds])
    return np.array([[seed % 997] for seed in seeds], np.float32)

# A model would take most of the time and nothing of what is measured here.
ModelRunner.items = lambda self, sources, prompt: [Item(source, len(str(source)) // 4) for source in sources]
ModelRunner.budget, ModelRunner.run_batch = lambda self: 1024, answer

def anonymous():
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # what was given back is not counted
    held = psutil.Process().memory_info()
    return held.rss - held.shared

named, bm25, scores = f'dense(model="{encoder}")', "bm25", f'cross_encoder(model="{scorer}")'
rows = ["bm25", named, f"hybrid(methods=(bm25, {named}))", f"hybrid(methods=(bm25, {named}), fusion=convex)",
        f"bm25>>{named}", f"rerank(scorer={scores}, depth=20)"]
context = open_context(memory="16MiB", cache_dir=Path(root))
bench = Bench(methods_of(rows), [few, folder], context, Store(Path(results)), ["nDCG@10", "R@100"], 100)
for method in bench.methods:
    bench.run(few, method)
gc.collect()
(Path(root) / f"ready-{Path(results).name}").touch()
while len(list(Path(root).glob("ready-*"))) < 2:
    time.sleep(0.01)
before, seen, done = anonymous(), [0], threading.Event()
def sample():
    while not done.wait(0.02):
        seen.append(anonymous() - before)
thread = threading.Thread(target=sample)
thread.start()
records = [bench.run(folder, method).record for method in bench.methods]
done.set()
thread.join()
print(json.dumps({
    "peak": max(seen), "status": [[r.row, r.status, r.problem] for r in records],
    "runs": [r.run_sha256 for r in records], "measures": [r.measures for r in records],
    "built": sum(step.cached_seconds == 0 for step in context.ledger.steps.values() if step.label == "index bm25"),
    "encoded": max(phase["counts"].get("computed", 0) for phase in records[1].phases if phase["kind"] == "index"),
}))
"""


def written(folder: Path, documents: int) -> Path:
    """A collection of documents of random words, 1.6 KB each."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{number:x}" for number in range(30_000)])
    (folder / "qrels").mkdir(parents=True)
    with open(folder / "corpus.jsonl", "w", encoding="utf-8") as file:
        for row in range(documents):
            text = " ".join(words[np.minimum(rng.zipf(1.2, WORDS), 30_000) - 1])
            file.write(f'{{"_id": "d{row}", "title": "", "text": "{text} number{row}"}}\n')
    every, half = documents // 20, documents // 2
    rows = [json.dumps({"_id": f"q{row}", "text": f"number{row} w1 w7"}) for row in range(0, documents, every)]
    (folder / "queries.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for split, first in (("test", 0), ("train", half)):
        lines = [f"q{row}\td{row}\t1" for row in range(first, first + half, every)]
        (folder / "qrels" / f"{split}.tsv").write_text(
            "\n".join(["query-id\tcorpus-id\tscore", *lines]) + "\n", encoding="utf-8"
        )
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """33 MB of documents, to which 31 MB of vectors and 24 MB of postings come."""
    return written(tmp_path_factory.mktemp("large") / "many", DOCUMENTS)


@pytest.fixture(scope="module")
def runs(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, tiny_models: tuple[Path, Path]
) -> list[dict[str, Any]]:
    """What two processes that start together say of all default rows."""
    root = tmp_path_factory.mktemp("cache")
    few = written(root / "few", FEW)
    names = [str(path) for path in (root, folder, few, *tiny_models)]
    given = {
        **os.environ,
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }  # others keep what they are given back, as they see fit
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, *names, str(root / f"results{i}")], env=given, stdout=subprocess.PIPE, text=True
        )
        for i in range(2)
    ]
    return [json.loads(process.communicate(timeout=300)[0].splitlines()[-1]) for process in started]


def test_a_collection_larger_than_the_memory_goes_through_every_default_row(
    folder: Path, runs: list[dict[str, Any]]
) -> None:
    """What a small collection takes (code, caches of words) is not counted: what a larger one takes beyond it is what
    grows.

    Twice the budget: the vocabulary is not in blocks; texts, vectors or postings held beside that would pass it.
    """
    assert (folder / "corpus.jsonl").stat().st_size > 1.5 * LEAST
    for told in runs:
        assert [status for _, status, _ in told["status"]] == ["ok"] * 6, told["status"]
        assert told["measures"][0]["nDCG@10"] == 1
        assert told["peak"] < 2 * LEAST


def test_two_runs_at_one_cache_give_the_same_and_share_the_work(runs: list[dict[str, Any]]) -> None:
    one, other = runs
    assert one["runs"] == other["runs"]
    assert one["measures"] == other["measures"]
    assert one["encoded"] + other["encoded"] == DOCUMENTS - FEW  # which the small collection has too
    assert one["built"] + other["built"] == 1


def test_reading_some_rows_copies_no_column(tmp_path: Path) -> None:
    import pyarrow as pa

    write_corpus(tmp_path / "c.arrow", ((f"d{i}", "", "x" * 10_000) for i in range(4000)), "mine")  # type: ignore[misc]
    corpus = Corpus.open(tmp_path / "c.arrow")
    before = pa.total_allocated_bytes()
    highest = pa.default_memory_pool().max_memory()
    rows = np.random.default_rng(0).integers(0, 4000, 50)
    assert corpus.ids(rows) == [f"d{row}" for row in rows]
    assert all(len(text) == 10_000 for text in corpus.texts_of(rows))
    assert corpus.rows(["d7", "nowhere", "d7"]).tolist() == [7, -1, 7]
    assert pa.default_memory_pool().max_memory() <= max(highest, before + (4 << 20))
    assert max(map(len, corpus.text_blocks())) < 1000  # long documents, short blocks


def test_a_memory_that_is_none_is_refused(tmp_path: Path) -> None:
    for memory, told in (
        ("plenty", "is not a size"),
        ("1MB", "is too small: set at least"),
        (1000, "is too small: set at least"),
    ):
        with pytest.raises(SettingError, match=told):
            open_context(memory=memory, cache_dir=tmp_path)
