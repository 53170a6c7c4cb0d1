"""Small tasks that tests define for MTEB, which has to be installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from datasets import Dataset as Rows
from mteb.abstasks import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata

CORPUS = [
    ("d1", "Wings", "lift of a wing"),
    ("d2", "", "drag of a body"),
    ("d3", None, "heat transfer"),
    ("q2", "", "a plate"),
]
TEXTS = {"q1": "lift", "q2": "drag", "t1": "what flies", "t2": "what slows", "v1": "what warms", "t9": "elsewhere"}
QRELS = {
    "test": {"q1": {"d1": 2, "d2": 0}, "q2": {"d2": 1, "q2": 1}},
    "train": {"t1": {"d1": 1}, "t2": {"d2": 1}, "t9": {"another": 1}},
    "validation": {"v1": {"d3": 1}},
}
Register = Callable[..., None]


def metadata(name: str, **changed: Any) -> TaskMetadata:
    said = {
        "name": name,
        "description": "a made-up task",
        "dataset": {"path": "nobody/nothing", "revision": "1"},
        "type": "Retrieval",
        "category": "t2t",
        "modalities": ["text"],
        "eval_splits": ["test"],
        "eval_langs": ["eng-Latn"],
        "main_score": "ndcg_at_10",
        "license": "cc-by-4.0",
    }
    return TaskMetadata(**{**said, **changed})


def split_data(split: str, **more: Any) -> dict[str, Any]:
    return {
        "corpus": Rows.from_list([{"id": i, "title": t, "text": x} for i, t, x in CORPUS]),
        "queries": Rows.from_list([{"id": q, "text": TEXTS[q], **more} for q in QRELS[split]]),
        "relevant_docs": {q: dict(grades) for q, grades in QRELS[split].items()},
        "top_ranked": None,
    }


def define(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    splits: Mapping[str, Any],
    said: Mapping[str, Any] | None = None,
    **attributes: Any,
) -> None:
    """Makes a task of these splits known to MTEB; the data of a split that is None are `split_data`'s."""

    def load_data(self: Any, num_proc: int | None = None, **kwargs: Any) -> None:
        self.dataset = {}
        self.dataset["default"] = {split: split_data(split) if data is None else data for split, data in splits.items()}
        self.data_loaded = True

    made = type(
        name,
        (AbsTaskRetrieval,),
        {"metadata": metadata(name, **(said or {})), "load_data": load_data, **attributes},
    )
    monkeypatch.setitem(sys.modules["mteb.get_tasks"]._TASKS_REGISTRY, name, made)
