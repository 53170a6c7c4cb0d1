"""Who judged a collection."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bench.judged_by import judged_by, labels_of
from harness.collection.labels import Label, read_labels, write_labels
from harness.collection.qrels import read_qrels
from harness.datasets import load_dataset
from harness.runtime.context import Context


def test_only_labels_that_give_the_qrels_count(
    small_folder: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_folder.parent)
    assert judged_by(load_dataset("./small", context)) is None
    qrels = read_qrels(small_folder / "qrels" / "test.tsv")
    labels = [Label(q, d, g, "dense", "machine") for q, grades in qrels.items() for d, g in grades.items()]
    write_labels(small_folder, labels)
    dataset = load_dataset("./small", Context(cache=context.cache))
    summary = judged_by(dataset)
    assert summary is not None
    assert summary["pairs"] == {"machine": len(labels)}
    assert labels_of(dataset.name) == read_labels(small_folder / "qrels" / "test.labels.jsonl")
    labels[0] = labels[0]._replace(grade=0)
    content = (small_folder / "qrels" / "test.tsv").read_text()
    write_labels(small_folder, labels)
    (small_folder / "qrels" / "test.tsv").write_text(content)
    assert judged_by(dataset) is None


@pytest.mark.parametrize("name", ["beir/scifact/test", "folder/no/such/test"])
def test_other_datasets_have_no_labels(name: str) -> None:
    assert labels_of(name) is None
