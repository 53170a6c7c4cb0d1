from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from harness.training import card
from harness.training.lesson import Report
from harness.values import Value

REPORT = Report(
    examples=12345,
    steps=1200,
    epochs=2.0,
    seconds=75.4,
    schedule={},
    precision="bf16",
    device="cuda",
    preparation=1234.0,
    dev=((0, 0.25), (600, 0.5), (1200, 0.375)),
    chosen=600,
    dev_pool={"queries": 30, "documents": 1500, "whole_corpus": False},
    facts={"margin_scale": 7.5, "negatives": {"left_out": 3}},
    notes=("the teacher is weak",),
)


LABELLED = replace(REPORT, supervision="train labels")


@dataclass(frozen=True)
class Made(Value):
    scale: float = 20.0
    room: ClassVar[str] = "harness.recipes"


@dataclass(frozen=True)
class Pairs(Made):
    trains: ClassVar[str] = "cross_encoder"


def header(text: str) -> dict[str, object]:
    _, front, _ = text.split("---\n", 2)
    loaded = yaml.safe_load(front)
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("base", ["sentence-transformers/all-MiniLM-L6-v2", "/a folder/x: y #1", "- 'quoted\"", "5"])
def test_its_header_is_yaml_whatever_the_base_is_called(base: str) -> None:
    assert header(card.text(Made(), base, LABELLED, 3)) == {
        "library_name": "sentence-transformers",
        "base_model": base,
        "tags": ["sentence-transformers", "retrieval-harness"],
    }


def test_a_cross_encoder_is_called_one() -> None:
    text = card.text(Pairs(), "base", REPORT, 0)
    assert header(text)["tags"] == ["cross-encoder", "retrieval-harness"]
    assert 'CrossEncoder("path/to/this/folder")' in text
    assert 'SentenceTransformer("' not in text


def test_what_it_was_made_from_and_what_dev_said_is_told() -> None:
    text = card.text(Made(scale=5.0), "base", LABELLED, 3)
    for told in (
        "# base, trained by `test_card`",
        "| recipe | `test_card(scale=5)` |",
        "| labels used | train labels |",
        "| seed | 3 |",
        "| examples | 12,345 |",
        "| steps | 1,200 (2 epochs), weights of step 600 |",
        "| time | 75 s on cuda, bf16; 1,234 s of preparation |",
        "| nDCG@10 on dev | 0.2500 before, 0.5000 after (30 dev queries, 1,500 documents) |",
        "- margin_scale: 7.5",
        "- negatives: {'left_out': 3}",
        "- the teacher is weak",
    ):
        assert told in text.splitlines()


def test_what_is_not_known_is_not_told() -> None:
    text = card.text(Made(), "base", replace(REPORT, dev=(), dev_pool=None, facts={}, notes=()), 0)
    assert "dev" not in text
    assert "##" not in text.replace("# base", "")
    assert "(dev)" in card.text(Made(), "base", replace(REPORT, dev_pool=None), 0)


def test_it_is_written_beside_the_weights(tmp_path: Path) -> None:
    card.write(tmp_path, Made(), "bäse", REPORT, 0)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == card.text(Made(), "bäse", REPORT, 0)
