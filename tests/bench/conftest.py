"""The made-up collection with queries planted where they should not be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Plant = Callable[[Mapping[str, str]], str]


@pytest.fixture
def plant(small_folder: Path) -> Plant:
    """Query id → its new text; answers the collection's name."""

    def one(texts: Mapping[str, str]) -> str:
        file = small_folder / "queries.jsonl"
        held = [json.loads(line) for line in file.read_text().splitlines()]
        assert set(texts) <= {query["_id"] for query in held}
        rows = [json.dumps({**query, "text": texts.get(query["_id"], query["text"])}) for query in held]
        file.write_text("\n".join(rows) + "\n")
        return str(small_folder)

    return one


@pytest.fixture
def titles(language: Any) -> dict[str, str]:
    """Document id → title, of those that have one."""
    return {i: title for i, title, _ in language.documents if title}
