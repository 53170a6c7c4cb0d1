from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import RecordError
from harness.bench.published import Published, published, read_all, write
from harness.bench.store import Store

HELD = {"title": "org/model", "source": "their paper", "figures": {"beir/x/test": {"nDCG@10": 0.5, "R@100": 1}}}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    one = Published("org/model", "their paper", {"beir/x/test": {"nDCG@10": 0.5}}, "k1=0.9")
    other = Published("aaa", "a page", {"beir/y/test": {"R@100": 0.25}})
    assert write(tmp_path, one) == tmp_path / "published" / "org-model.json"
    write(tmp_path, other)
    assert read_all(tmp_path) == ([other, one], [])
    assert one.row == "published/org/model"


def test_figures_of_the_same_title_are_replaced(tmp_path: Path) -> None:
    for figure in (0.5, 0.25):
        write(tmp_path, Published("a", "b", {"beir/x/test": {"nDCG@10": figure}}))
    assert [each.figures["beir/x/test"]["nDCG@10"] for each in read_all(tmp_path)[0]] == [0.25]


def test_they_are_no_records(tmp_path: Path) -> None:
    write(tmp_path, published(HELD, "test"))
    assert Store(tmp_path).stored() == ([], [])


def test_measures_are_named_as_ours_are() -> None:
    assert published(HELD, "test").figures == {"beir/x/test": {"nDCG@10": 0.5, "R@100": 1.0}}


@pytest.mark.parametrize(
    "changed",
    [
        {"title": None, "figures": None},
        {"figures": {"beir/x/test": {"nDCG@10": float("nan")}}},
        {"figures": {"beir/x/test": 0.5}},
    ],
)
def test_another_form_is_refused_with_the_file_it_stands_in(changed: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match=r"some\.json holds no published figures .*the form is"):
        published({**HELD, **changed}, "some.json")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (63.7, "63.7, not a score from 0 to 1: percent are divided by 100"),
        (-0.1, "-0.1, not a score from 0 to 1"),
        (True, "True, not a number"),
        ("0.5", "'0.5', not a number"),
    ],
)
def test_a_value_that_is_no_score_is_refused_with_its_place(value: object, why: str) -> None:
    with pytest.raises(RecordError, match=rf"some\.json: org/model: nDCG@10 on beir/x/test is {re.escape(why)}"):
        published({**HELD, "figures": {"beir/x/test": {"nDCG@10": value}}}, "some.json")


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, published(HELD, "test"))
    (tmp_path / "published" / "broken.json").write_text("{", encoding="utf-8")
    (tmp_path / "published" / "other.json").write_text(json.dumps([1]), encoding="utf-8")
    found, faults = read_all(tmp_path)
    assert [each.title for each in found] == ["org/model"]
    assert len(faults) == 2
