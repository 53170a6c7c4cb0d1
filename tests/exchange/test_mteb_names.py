"""Datasets and measures by their names here and in MTEB."""

from __future__ import annotations

import sys

import pytest

from harness.exchange.mteb_names import TASKS, datasets_of, from_mteb, task_of, to_mteb


@pytest.mark.parametrize(
    ("dataset", "task"),
    [
        ("beir/scifact/test", ("SciFact", "default", "test")),
        ("beir/cqadupstack/tex/test", ("CQADupstackTexRetrieval", "default", "test")),
        ("mteb/NFCorpus/test", ("NFCorpus", "default", "test")),
        ("mteb/MIRACLRetrieval/de/dev", ("MIRACLRetrieval", "de", "dev")),
        ("beir/example/test", ("beir-example", "default", "test")),
        ("stdlib/code/test", ("stdlib-code", "default", "test")),
        ("folder/./my docs/test", ("folder-.-my-docs", "default", "test")),
    ],
)
def test_a_dataset_is_a_task(dataset: str, task: tuple[str, str, str]) -> None:
    assert task_of(dataset) == task
    if dataset.startswith("mteb/") or task[0] in TASKS.values():
        assert dataset in datasets_of(*task)


def test_beirs_collections_are_tasks_of_mteb() -> None:
    pytest.importorskip("mteb", reason="mteb is not installed")
    known = sys.modules["mteb.get_tasks"]._TASKS_REGISTRY
    assert set(TASKS.values()) <= known.keys()
    assert len(set(TASKS.values())) == len(TASKS)
    assert {known[task].metadata.type for task in TASKS.values()} == {"Retrieval"}


@pytest.mark.parametrize(
    ("here", "there"), [("nDCG@10", "ndcg_at_10"), ("R@100", "recall_at_100"), ("Success@1", "hit_rate_at_1")]
)
def test_a_measure_has_two_names(here: str, there: str) -> None:
    assert to_mteb(here) == there
    assert from_mteb(there) == here


@pytest.mark.parametrize("name", ["ERR@20", "nDCG", "RR", "nauc_ndcg_at_10_max", "ndcg_at_10", "main_score"])
def test_a_measure_that_mteb_lacks_has_no_name_there(name: str) -> None:
    assert to_mteb(name) is None


@pytest.mark.parametrize("name", ["nauc_ndcg_at_10_max", "main_score", "hf_subset", "nDCG@10"])
def test_a_score_that_is_no_measure_here_has_no_name(name: str) -> None:
    assert from_mteb(name) is None
