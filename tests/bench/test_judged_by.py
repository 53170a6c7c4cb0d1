"""Who judged a collection."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bench.judged_by import IGNORED, JudgedBy, judged_by, labels_of
from harness.collection.labels import Label, read_labels, write_labels
from harness.collection.qrels import read_qrels
from harness.datasets import load_dataset
from harness.runtime.context import Context


def test_only_labels_that_give_the_qrels_count(
    small_folder: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_folder.parent)
    assert judged_by(load_dataset("./small", context), context) == JudgedBy()
    qrels = read_qrels(small_folder / "qrels" / "test.tsv")
    labels = [Label(q, d, g, "dense", "machine") for q, grades in qrels.items() for d, g in grades.items()]
    write_labels(small_folder, labels)
    dataset = load_dataset("./small", Context(cache=context.cache))
    judged = judged_by(dataset, context)
    assert judged.summary is not None
    assert judged.summary["pairs"] == {"machine": len(labels)}
    assert judged.note == "uncalibrated: 100% of the labels are of machines (dense)"
    stored = read_labels(small_folder / "qrels" / "test.labels.jsonl")
    assert labels_of(dataset.name, judged.summary["qrels"]) == stored
    assert labels_of(dataset.name, "0" * 16) is None
    labels[0] = labels[0]._replace(grade=0)
    content = (small_folder / "qrels" / "test.tsv").read_text()
    write_labels(small_folder, labels)
    (small_folder / "qrels" / "test.tsv").write_text(content)
    assert judged_by(dataset, context) == JudgedBy(note=IGNORED)


@pytest.mark.parametrize("name", ["beir/scifact/test", "folder/no/such/test"])
def test_other_datasets_have_no_labels(name: str) -> None:
    assert labels_of(name, "0" * 16) is None
