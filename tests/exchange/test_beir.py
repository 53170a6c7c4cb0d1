"""BEIR's own loader reads what is written, and we read what it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Labelled, Queries
from harness.datasets import load_dataset
from harness.exchange.beir import write_collection
from harness.runtime.context import Context


def by_beir(folder: Path, split: str) -> tuple[dict[str, Any], dict[str, str], dict[str, dict[str, int]]]:
    loader = pytest.importorskip("beir.datasets.data_loader", reason="beir is not installed")
    return loader.GenericDataLoader(str(folder)).load(split)  # type: ignore[no-any-return]


def assert_same(dataset: Dataset, folder: Path) -> None:
    """The reported split, as BEIR's loader gives it and as we hold it."""
    corpus, queries, qrels = by_beir(folder, dataset.name.rpartition("/")[2])
    documents = [d for batch in dataset.corpus.batches() for d in batch]
    assert {d.id: (d.title, d.text) for d in documents} == {i: (d["title"], d["text"]) for i, d in corpus.items()}
    assert queries == dict(zip(dataset.test.queries.ids, dataset.test.queries.texts, strict=True))
    assert qrels == dataset.test.qrels


def test_beir_reads_what_is_written(small: Dataset, tmp_path: Path, context: Context) -> None:
    assert write_collection(small, tmp_path / "out") == {"train": 24, "dev": 6, "test": 20}
    assert_same(small, tmp_path / "out")
    assert small.train.train is not None
    assert by_beir(tmp_path / "out", "train")[2] == small.train.train.qrels


def test_it_is_the_same_dataset_when_read_back(small: Dataset, tmp_path: Path, context: Context) -> None:
    write_collection(small, tmp_path / "out")
    again = load_dataset(str(tmp_path / "out"), context)
    assert again.revision == small.revision
    assert again.train.revision == small.train.revision


def test_we_read_what_beir_reads(small_folder: Path, small: Dataset) -> None:
    assert_same(small, small_folder)


@pytest.mark.parametrize(
    "line", [{"text": "only text"}, {"title": None, "text": "no title"}, {"title": "only title", "text": ""}]
)
def test_what_is_missing_in_a_document_is_read_alike(
    small_folder: Path, context: Context, line: dict[str, Any]
) -> None:
    with open(small_folder / "corpus.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"_id": "odd", **line}) + "\n")
    dataset = load_dataset(str(small_folder), context)
    theirs = by_beir(small_folder, "test")[0]["odd"]
    ours = dataset.corpus[len(dataset.corpus) - 1]
    assert (ours.title, ours.text) == (theirs["title"] or "", theirs["text"])


def test_odd_texts_and_grades_come_back(tmp_path: Path, context: Context) -> None:
    texts = ['"quoted"', "tab\tand\nline", "ünïcode \u2028 🙂", " led and followed ", "back\\slash"]
    corpus = Corpus.of([(f"d{i}", text, text) for i, text in enumerate(texts)])
    test = Labelled(
        Queries([f"q{i}" for i in range(5)], texts), {f"q{i}": {f"d{i}": i - 1, "gone": 1} for i in range(5)}
    )
    dataset = Dataset("folder/odd/dev", corpus, test, lambda: TrainView(corpus))
    assert write_collection(dataset, tmp_path / "out") == {"dev": 5}
    assert_same(dataset, tmp_path / "out")
    again = load_dataset(f"{tmp_path / 'out'}/dev", context)
    assert again.test.qrels == test.qrels
    assert again.corpus.revision == corpus.revision


@pytest.mark.parametrize("name", ['"d', "d\t1", " d", "d\n1"])
def test_an_id_that_beir_would_read_as_another_is_refused(name: str, tmp_path: Path) -> None:
    corpus = Corpus.of([(name, "", "text")])
    dataset = Dataset(
        "folder/odd/test", corpus, Labelled(Queries(["q"], ["text"]), {"q": {name: 1}}), lambda: TrainView(corpus)
    )
    with pytest.raises(DatasetError, match="BEIR's reader cannot read the id"):
        write_collection(dataset, tmp_path / "out")
