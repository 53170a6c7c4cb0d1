from __future__ import annotations

from pathlib import Path

import pytest

from harness.sweep.cells import Cells

OUTCOME = {"mean": 0.5, "values": {"q": 0.5}, "row": "bm25"}


def test_an_outcome_is_read_back_and_listed(tmp_path: Path) -> None:
    cells = Cells(tmp_path)
    assert cells.load("a") is None
    assert cells.all() == []
    held = cells.save("a", OUTCOME)
    assert cells.load("a") == held == {"schema": 1, "key": "a", **OUTCOME}
    cells.save("b", OUTCOME)
    assert [one["key"] for one in cells.all()] == ["a", "b"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t[: len(t) // 2],
        lambda t: t.replace('"a"', '"other"'),
        lambda t: t.replace(": 1,", ": 99,"),
        lambda t: "[]",
    ],
)
def test_what_is_damaged_or_of_another_form_is_done_again(tmp_path: Path, damage: object) -> None:
    cells = Cells(tmp_path)
    cells.save("a", OUTCOME)
    place = cells.place("a")
    place.write_text(damage(place.read_text()))  # type: ignore[operator]
    assert cells.load("a") is None
