"""Only rows with a model need its libraries compiled."""

from __future__ import annotations

import pytest

from harness.cli import beforehand
from harness.rows import parse_method


@pytest.mark.parametrize(
    ("rows", "times"),
    [
        (["bm25", "bm25(feedback=rm3)"], 0),
        (["bm25", "dense"], 1),
        (["hybrid-rrf"], 1),
        (["bm25 >> cross_encoder"], 1),
        ([], 0),
    ],
)
def test_libraries_are_compiled_for_rows_with_a_model(
    rows: list[str], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(beforehand, "compile_in_background", lambda: started.append("process"))
    beforehand.compile_for(map(parse_method, rows))
    assert len(started) == times
