from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard

from harness.choices.value import Value
from harness.training import card
from harness.training.lesson import Report

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


DATA = "0123456789abcdef0123456789abcdef"
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
    held = header(card.text(Made(), base, replace(LABELLED, dev=()), 3, DATA))
    assert held == {
        "library_name": "sentence-transformers",
        "base_model": base,
        "tags": ["sentence-transformers", "retrieval-harness"],
    }
    assert header(card.text(Made(), base, LABELLED, 3, DATA)).items() > held.items()


def test_a_cross_encoder_is_called_one() -> None:
    text = card.text(Pairs(), "base", REPORT, 0, DATA)
    assert header(text)["tags"] == ["cross-encoder", "retrieval-harness"]
    assert 'CrossEncoder("path/to/this/folder")' in text
    assert 'SentenceTransformer("' not in text


def test_what_it_was_made_from_and_what_dev_said_is_told() -> None:
    text = card.text(Made(scale=5.0), "base", LABELLED, 3, DATA)
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
    text = card.text(Made(), "base", replace(REPORT, dev=(), dev_pool=None, facts={}, notes=()), 0, DATA)
    assert "dev" not in text
    assert "##" not in text.replace("# base", "")
    assert "(dev)" in card.text(Made(), "base", replace(REPORT, dev_pool=None), 0, DATA)


def test_it_is_written_beside_the_weights(tmp_path: Path) -> None:
    card.write(tmp_path, Made(), "bäse", REPORT, 0, DATA)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == card.text(Made(), "bäse", REPORT, 0, DATA)


def test_the_hubs_parser_reads_what_dev_said_and_nothing_of_test(tmp_path: Path) -> None:
    card.write(tmp_path, Made(), "base", LABELLED, 0, DATA)
    read = ModelCard.load(tmp_path / "README.md")
    assert read.data.model_name == "base, trained by test_card"
    assert read.data.eval_results == [
        EvalResult(
            task_type="information-retrieval",
            dataset_type="training-view-0123456789ab",
            dataset_name="dev pool, 30 queries over 1500 documents",
            dataset_split="dev",
            dataset_revision=DATA,
            metric_type="ndcg_at_10",
            metric_name="nDCG@10 on dev, which chose the checkpoint",
            metric_value=0.5,
        )
    ]


REPORTED = card.Reported("dense+made", "beir/scifact", "test", "abc", {"nDCG@10": 0.6451, "R@100": 0.925})


def test_reported_figures_go_into_the_index_and_the_text_beside_what_dev_said(tmp_path: Path) -> None:
    card.write(tmp_path, Made(), "base", LABELLED, 0, DATA)
    before = ModelCard.load(tmp_path / "README.md")
    card.add_reported(tmp_path, REPORTED)
    read = ModelCard.load(tmp_path / "README.md")
    dev, *reported = read.data.eval_results
    assert [dev] == before.data.eval_results
    assert [(r.dataset_name, r.dataset_split, r.dataset_revision, r.metric_type, r.metric_value) for r in reported] == [
        ("beir/scifact", "test", "abc", "ndcg_at_10", 0.6451),
        ("beir/scifact", "test", "abc", "r_at_100", 0.925),
    ]
    assert {r.metric_name for r in reported} == {"nDCG@10 of dense+made", "R@100 of dense+made"}
    assert before.text.strip() in read.text
    assert "| nDCG@10 | 0.6451 |" in read.text.splitlines()


def test_figures_of_the_same_row_are_replaced_and_those_of_others_stay(tmp_path: Path) -> None:
    card.write(tmp_path, Made(), "base", LABELLED, 0, DATA)
    card.add_reported(tmp_path, REPORTED)
    card.add_reported(tmp_path, replace(REPORTED, row="bm25>>dense+made", measures={"nDCG@10": 0.7}))
    card.add_reported(tmp_path, replace(REPORTED, measures={"nDCG@10": 0.25}))
    read = ModelCard.load(tmp_path / "README.md")
    assert {r.metric_name: r.metric_value for r in read.data.eval_results[1:]} == {
        "nDCG@10 of bm25>>dense+made": 0.7,
        "nDCG@10 of dense+made": 0.25,
    }
    assert read.text.count("## `dense+made` on beir/scifact/test") == 1
    assert "| nDCG@10 | 0.7000 |" in read.text
    assert "0.6451" not in read.text


def test_a_card_without_an_index_gets_one(tmp_path: Path) -> None:
    card.write(tmp_path, Made(), "base", replace(LABELLED, dev=()), 0, DATA)
    card.add_reported(tmp_path, REPORTED)
    read = ModelCard.load(tmp_path / "README.md")
    assert read.data.model_name == tmp_path.name
    assert len(read.data.eval_results) == 2
