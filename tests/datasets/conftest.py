"""Collections written to a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

Write = Callable[..., Path]

DOCUMENTS = [("d1", "Wings", "lift of a wing"), ("d2", "", "drag of a body"), ("d3", "Heat", "heat transfer")]
QUERIES = {"q1": "lift", "q2": "drag", "q3": "heat"}


def write_collection(
    folder: Path,
    documents: Sequence[tuple[str, str, str]] = DOCUMENTS,
    queries: Mapping[str, str] = QUERIES,
    qrels: Mapping[str, Mapping[str, Mapping[str, int]]] | None = None,
) -> Path:
    """Writes the three files of BEIR's format."""
    if qrels is None:
        qrels = {"test": {"q1": {"d1": 1}, "q2": {"d2": 2, "d1": 0}}}
    (folder / "qrels").mkdir(parents=True)
    rows = [json.dumps({"_id": i, "title": t, "text": x}) for i, t, x in documents]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rows = [json.dumps({"_id": i, "text": x}) for i, x in queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for split, judged in qrels.items():
        lines = ["query-id\tcorpus-id\tscore", *(f"{q}\t{d}\t{g}" for q, grades in judged.items() for d, g in grades.items())]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def collection(tmp_path: Path) -> Write:
    """Writes a collection: `collection(name, documents=…, queries=…, qrels=…)` gives its folder."""

    def write(name: str = "mine", **parts: object) -> Path:
        return write_collection(tmp_path / "data" / name, **parts)  # type: ignore[arg-type]

    return write
