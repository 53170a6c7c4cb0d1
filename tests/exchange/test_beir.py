"""BEIR's own loader reads what is written, and we read what it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.base.errors import DatasetError, SettingError
from harness.bench.record import Record
from harness.collection.labels import Label, write_labels
from harness.collection.self_retrieval import MANIFEST, PARTS
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


@pytest.fixture
def made(small_folder: Path) -> Path:
    """A made test set: twelve queries are parts of documents and have their ids, and a machine judged all pairs."""
    with open(small_folder / "corpus.jsonl", encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    labels = []
    with open(small_folder / "queries.jsonl", "w", encoding="utf-8") as file:
        for place, document in enumerate(documents[:12]):
            words = document["text"].split()[:3]
            file.write(json.dumps({"_id": document["_id"], "text": " ".join(words)}) + "\n")
            others = [documents[(place + step) % len(documents)]["_id"] for step in (1, 2, 12)]
            labels += [
                Label(document["_id"], other, grade, "dense", "machine") for grade, other in enumerate(others, 1)
            ]
    for path in (small_folder / "qrels").iterdir():
        path.unlink()
    write_labels(small_folder, labels)
    (small_folder / MANIFEST).write_text(json.dumps({"queries": {PARTS: True}}))
    return small_folder


def ran(name: str, results: Path, context: Context) -> Record:
    (made,) = api.run("bm25", dataset=name, results=results, context=Context(cache=context.cache)).results
    assert made.record.status == "ok", made.record.problem
    return made.record


def test_a_copy_of_a_made_set_has_its_scores_and_notes(made: Path, tmp_path: Path, context: Context) -> None:
    (line,) = api.export_beir(str(made), tmp_path / "out", context)
    first, copy = (ran(str(place), tmp_path / "results", context) for place in (made, tmp_path / "out"))
    assert copy.measures == first.measures
    assert copy.dataset["revision"] == first.dataset["revision"]
    assert copy.dataset["notes"] == first.dataset["notes"]
    assert any("12 queries are also documents: each is left out" in note for note in copy.dataset["notes"])
    assert any("uncalibrated: 100% of the labels are of machines (dense)" in note for note in copy.dataset["notes"])
    assert copy.dataset["labels"] == first.dataset["labels"]
    assert "12 queries" not in line  # the line has the numbers of the splits
    assert "test 12" in line


@pytest.mark.parametrize("end", ["/test-dev-queries", "/folds-2-queries", "/folds-3-queries-dev-documents"])
def test_a_set_is_no_less_judged_by_a_machine_in_folds(
    made: Path, end: str, tmp_path: Path, context: Context
) -> None:
    whole, folds = (ran(str(made) + part, tmp_path / "results", context) for part in ("", end))
    assert folds.dataset["labels"] == whole.dataset["labels"]
    assert any("uncalibrated" in note for note in folds.dataset["notes"])


def test_a_set_in_a_data_folder_keeps_its_rule_and_judges(
    made: Path, tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(made.parent))
    whole, named = (ran(name, tmp_path / "results", context) for name in (str(made), f"beir/{made.name}"))
    assert named.dataset["labels"] == whole.dataset["labels"]
    assert named.dataset["notes"] == whole.dataset["notes"]
    assert named.measures == whole.measures


def test_folds_are_no_folder(small_folder: Path, tmp_path: Path, context: Context) -> None:
    with pytest.raises(SettingError, match="has folds, which a folder of files cannot have: copy folder/"):
        write_collection(load_dataset(f"{small_folder}/folds-2", context), tmp_path / "out", context)
    assert not (tmp_path / "out").exists()


def test_dev_that_is_cut_by_queries_is_copied_with_its_split(
    small_folder: Path, tmp_path: Path, context: Context
) -> None:
    dataset = load_dataset(f"{small_folder}/test-dev-queries", context)
    assert write_collection(dataset, tmp_path / "out", context).keys() == {"train", "dev", "test"}
