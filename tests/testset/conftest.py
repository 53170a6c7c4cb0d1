"""A corpus of short documents on ten subjects, and requests that load no model or the tiny one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.judges.row import Row
from harness.methods.dense import Dense
from harness.rows import parse_method
from harness.testset.documents import Source
from harness.testset.request import Request

SUBJECTS = ("engine", "garden", "harbour", "library", "kitchen", "glacier", "violin", "market", "planet", "bridge")
PARTS = ("valve", "hedge", "crane", "shelf", "stove", "crevasse", "string", "stall", "crater", "cable")


@pytest.fixture
def corpus_folder(tmp_path: Path) -> Path:
    """60 Markdown files."""
    root = tmp_path / "texts"
    root.mkdir()
    for i in range(60):
        one, other = SUBJECTS[i % 10], PARTS[(i * 3 + i // 10) % 10]
        text = (
            f"The {one} of town {i} needs a {other} that fits. Workers repaired the {other} in year {1900 + i}. "
            f"Since then nobody has complained about the {one} or its {PARTS[i % 10]} in district {i * 7}."
        )
        (root / f"{one}-{i:02}.md").write_text(f"# The {one} of town {i}\n\n{text}\n", encoding="utf-8")
    return root


@pytest.fixture
def request_of(corpus_folder: Path, tmp_path: Path, tiny_encoder: Path) -> Callable[..., Request]:
    """A request with BM25 as the pool and the tiny encoder as the judge."""

    def one(**changed: Any) -> Request:
        settings = {
            "source": Source(corpus_folder),
            "out": tmp_path / "mine",
            "queries": 12,
            "judge": Row(Dense(model=str(tiny_encoder), precision="fp32"), third=0.9, second=0.6, first=0.3),
            "pool": (parse_method("bm25"),),
            "depth": 5,
            **changed,
        }
        return Request(**settings)

    return one
