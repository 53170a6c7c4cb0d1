"""A made collection that a machine judged: eight queries, three documents of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.collection.labels import Label, write_labels
from harness.judging.target import Target, open_target
from harness.runtime.context import Context

EVIL = "<img src=x onerror=\"document.title='stolen'\">"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    (folder / "qrels").mkdir(parents=True)
    documents = [
        {"_id": f"d{i}", "title": f"Title {i}", "text": f"text {i} about the part{i % 8} {EVIL}"} for i in range(30)
    ]
    queries = [{"_id": f"q{i}", "text": f"what is part{i}"} for i in range(8)]
    for name, rows in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    labels = [
        Label(f"q{i}", f"d{i + 8 * place}", 3 - place, "dense", "machine") for i in range(8) for place in range(3)
    ]
    write_labels(folder, labels)
    return folder


@pytest.fixture
def target(made: Path, context: Context) -> Target:
    return open_target("./mine", None, context)
