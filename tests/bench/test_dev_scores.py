"""Rows on dev: as a record of a collection that reports dev would have them, and guarded as every row is."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import ModelError, Unavailable
from harness.bench.dev_scores import on_dev
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.data.measures import parse_measures
from harness.datasets import load_dataset
from harness.methods import Method, fit
from harness.methods.bm25 import BM25
from harness.rows import parse_method
from harness.runtime.context import Context

MEASURES = parse_measures(["nDCG@10", "R@100"])


def test_figures_are_those_of_a_collection_that_reports_these_queries(
    small: Dataset, small_folder: Path, tmp_path: Path, context: Context
) -> None:
    found = on_dev(BM25(), small, MEASURES, context)
    dev = small.train.dev
    assert dev is not None
    lines = [f"{q}\t{d}\t{g}" for q, grades in dev.qrels.items() for d, g in grades.items()]
    (small_folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(lines) + "\n")
    bench = Bench(
        [BM25()], [str(small_folder)], Context(cache=context.cache), Store(tmp_path / "r"), ["nDCG@10", "R@100"]
    )
    record = bench.run(str(small_folder), BM25()).record
    assert {m: round(v, 6) for m, v in found.measures.items()} == record.measures
    assert set(found.values["nDCG@10"]) == set(dev.queries.ids)
    assert found.supervision == "none"
    assert found.seconds.keys() == record.seconds.keys()


def test_a_collection_without_dev_queries_is_told_of(small: Dataset, context: Context) -> None:
    bare = dataclasses.replace(small, load_train=lambda: dataclasses.replace(small.train, dev=None))
    with pytest.raises(Unavailable, match=r"has no dev queries to choose on\. Add qrels/dev\.tsv"):
        on_dev(BM25(), bare, MEASURES, context)


def test_the_guard_of_test_stands_beside_it(
    small_folder: Path, tiny_encoder: Path, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    row = parse_method(f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke")')
    queries = small_folder / "queries.jsonl"
    lines = [json.loads(line) for line in queries.read_text().splitlines()]
    texts = {line["_id"]: line["text"] for line in lines}
    train = next(q for q in texts if q.startswith("train"))
    test = next(q for q in texts if q.startswith("asked"))
    lines = [{**line, "text": texts[test]} if line["_id"] == train else line for line in lines]
    queries.write_text("\n".join(map(json.dumps, lines)) + "\n")
    dataset = load_dataset(str(small_folder), context)
    with caplog.at_level(logging.WARNING):
        on_dev(row, dataset, MEASURES, context)
    assert "1 of 20 test queries also occur in the training or dev queries" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        on_dev(row, dataset, MEASURES, context, warned={(dataset.name, "labels")})
    assert "also occur in the training" not in caplog.text


def test_a_model_that_learnt_test_is_refused(small_folder: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    # A folder trained on the test queries of another copy of the collection, in which they are called train.
    swapped = tmp_path / "swapped"
    (swapped / "qrels").mkdir(parents=True)
    for name in ("corpus.jsonl", "queries.jsonl"):
        (swapped / name).write_bytes((small_folder / name).read_bytes())
    for one, other in (("train", "test"), ("test", "train")):
        (swapped / "qrels" / f"{one}.tsv").write_bytes((small_folder / "qrels" / f"{other}.tsv").read_bytes())
    context = Context(cache=Cache(tmp_path / "cache"))
    row = parse_method(f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke")')
    fitted: Any = fit(row, load_dataset(str(swapped), context).train, context)
    trained: Method = parse_method(f'dense(model="{fitted.models[0]}")')
    dataset = load_dataset(str(small_folder), Context(cache=context.cache))
    with pytest.raises(ModelError, match="the reported split"):
        on_dev(trained, dataset, MEASURES, Context(cache=context.cache))


def test_dev_is_measured_as_test_would_be_where_queries_are_documents(tmp_path: Path) -> None:
    """The same queries once as dev and once as test: BM25 and a weight chosen for two BM25s give the same values."""
    words = ["lift", "drag", "wing", "flow", "jet", "heat", "gas", "wave", "shock", "body"]
    documents = [
        {"_id": w, "title": "", "text": f"{w} and {words[i - 1]} and {words[i - 3]}"} for i, w in enumerate(words)
    ]
    for name, split in (("one", "dev"), ("two", "test")):
        (tmp_path / name / "qrels").mkdir(parents=True)
        (tmp_path / name / "corpus.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents))
        asked = [*({"_id": d["_id"], "text": d["text"]} for d in documents), {"_id": "other", "text": "lift of a jet"}]
        (tmp_path / name / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in asked))
        judged = "".join(f"{w}\t{words[i - 1]}\t1\n" for i, w in enumerate(words))
        (tmp_path / name / "qrels" / f"{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    (tmp_path / "one" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nother\tlift\t1\n")
    context = Context(cache=Cache(tmp_path / "cache"))
    dataset = load_dataset(str(tmp_path / "one"), context)
    assert dataset.train.dev is not None
    found = on_dev(BM25(), dataset, MEASURES, context, depth=3)
    store = Store(tmp_path / "r")
    bench = Bench([BM25()], [str(tmp_path / "two")], context, store, ["nDCG@10", "R@100"], 3)
    record = bench.run(str(tmp_path / "two"), BM25()).record
    assert {m: round(v, 6) for m, v in found.measures.items()} == record.measures
    assert dataset.train.dev.drop_self == set(words)
    row = parse_method("hybrid(methods=(bm25, bm25(k1=1.2)), fusion=convex)")
    chosen = fit(row, dataset.train, context).resolved
    best = max(chosen["dev"].values())
    measured = on_dev(
        parse_method(f"hybrid(methods=(bm25, bm25(k1=1.2)), fusion={_plain(chosen)})"), dataset, MEASURES, context
    )
    assert measured.measures["nDCG@10"] == pytest.approx(best, abs=1e-5)


def _plain(chosen: Mapping[str, Any]) -> str:
    return f"convex(weight={chosen['fusion']['weight']})"
