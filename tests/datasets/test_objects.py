"""A collection of objects: mappings and DataFrames are the collection of the same files; its faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import Dataset, run
from harness.base.errors import DatasetError, SettingError, Unavailable
from harness.cache.folders import Cache
from harness.datasets import load_dataset
from harness.runtime.context import Context

CORPUS = {"d1": "lift of a wing", "d2": ("a title", "drag"), "d3": {"title": None, "text": "heat"}}
QUERIES = {"q1": "wing", "q2": "drag", "t1": "heat"}
QRELS = {"q1": {"d1": 2, "d3": 0}, "q2": ["d2"]}


def test_objects_are_a_collection_that_runs(context: Context, tmp_path: Path) -> None:
    dataset = Dataset.of(CORPUS, QUERIES, QRELS, context=context)
    assert repr(dataset) == "<Dataset objects/mine/test: 3 documents, 2 queries>"
    assert dataset.corpus[1] == ("d2", "a title", "drag")
    assert dataset.test.qrels == {"q1": {"d1": 2, "d3": 0}, "q2": {"d2": 1}}
    board = run("bm25", dataset=dataset, results=tmp_path / "results", context=context)
    assert board.measures("bm25")["RR@10"] == 1.0
    again = run("bm25", dataset="objects/mine", results=tmp_path / "results", context=context)
    assert again.results[0].kept


def test_a_frame_is_the_same_collection(context: Context) -> None:
    pd: Any = pytest.importorskip("pandas", reason="pandas is not installed")
    one = Dataset.of(CORPUS, QUERIES, QRELS, context=context)
    corpus = pd.DataFrame(
        {"doc_id": ["d1", "d2", "d3"], "title": ["", "a title", None], "text": ["lift of a wing", "drag", "heat"]}
    )
    queries = pd.DataFrame({"qid": list(QUERIES), "query": list(QUERIES.values())})
    qrels = pd.DataFrame({"query_id": ["q1", "q1", "q2"], "docno": ["d1", "d3", "d2"], "relevance": [2, 0, 1]})
    other = Dataset.of(corpus, queries, qrels, name="frames", context=context)
    assert other.revision == one.revision
    assert other.name == "objects/frames/test"


def test_train_and_dev_go_to_the_view(context: Context) -> None:
    dataset = Dataset.of(CORPUS, QUERIES, QRELS, train={"t1": ["d3"]}, dev={"q2": ["d2"]}, context=context)
    assert dataset.train.train is not None
    assert dataset.train.train.queries.ids == ["t1"]
    assert "q2" not in (dataset.train.dev.queries.ids if dataset.train.dev else [])  # it is in test


def test_a_collection_of_the_same_name_is_replaced(context: Context) -> None:
    Dataset.of(CORPUS, QUERIES, QRELS, train={"t1": ["d3"]}, context=context)
    fresh = Context(cache=context.cache)
    dataset = Dataset.of({**CORPUS, "d4": "jet"}, QUERIES, QRELS, context=fresh)
    assert len(dataset.corpus) == 4
    assert dataset.train.train is None
    assert len(load_dataset("objects/mine", Context(cache=context.cache)).corpus) == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"corpus": {"d1": 3}}, r"corpus: document 'd1' is int; give a text, \(title, text\)"),
        ({"corpus": ["a text"]}, "corpus: give id → text, or a DataFrame"),
        ({"queries": {"q1": None}}, "queries: query 'q1' is NoneType; give its text"),
        ({"qrels": {"q1": {"d1": 0.5}}}, r"query 'q1', document 'd1': the grade 0\.5 is not a whole number"),
        ({"qrels": ["d1"]}, "qrels: give query id"),
        ({"qrels": {"q1": ["d\t1"]}}, "has a tab or a line end"),
    ],
)
def test_faults_of_the_objects_are_named(given: dict[str, Any], message: str, context: Context) -> None:
    with pytest.raises(DatasetError, match=message):
        Dataset.of(**{"corpus": CORPUS, "queries": QUERIES, "qrels": QRELS, **given}, context=context)


def test_a_frame_without_a_column_is_refused_with_those_it_has(context: Context) -> None:
    pd: Any = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pd.DataFrame({"number": [1], "text": ["a"]})
    with pytest.raises(DatasetError, match=r"corpus: there is no column id or .*; there are number, text"):
        Dataset.of(frame, QUERIES, QRELS, context=context)


def test_a_name_and_another_cache(context: Context, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot be called '\.\./mine'"):
        Dataset.of(CORPUS, QUERIES, QRELS, name="../mine", context=context)
    Dataset.of(CORPUS, QUERIES, QRELS, context=context)
    with pytest.raises(Unavailable, match=r"no collection 'mine' made of objects in .*with the same cache"):
        load_dataset("objects/mine", Context(cache=Cache(tmp_path / "other")))
