"""Who judged a collection, from the labels next to its qrels; for records and comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.collection.labels import Labels, digest, labels_file, labels_giving, read_labels
from harness.collection.variant import reported_split
from harness.data.dataset import Dataset
from harness.datasets import made_folder
from harness.runtime.context import Context

IGNORED: Final = (
    "the labels file does not give the judgements of the qrels, so it is ignored: is it of this collection?"
)


def labels_of(name: str, wanted: str, context: Context | None = None) -> Labels | None:
    """The labels of a dataset that give certain judgements; None if it has none, or is not on this machine.

    Args:
        name: full, as `folder/mine/test`, `beir/mine/test` or `folder/mine/folds-5`.
        wanted: `harness.collection.labels.digest` of the judgements.
        context: its data folders; None takes the defaults.

    Raises:
        DatasetError: a line of a file is no label.
    """
    folder = made_folder(name, context or Context())
    return None if folder is None else labels_giving(folder, wanted, reported_split(name))


@dataclass(frozen=True)
class JudgedBy:
    """Who judged what a dataset reports on.

    Args:
        summary: JSON-safe: `Labels.summary` of the labels that give its judgements; None without such labels.
        note: what a reader of the scores must know; empty if machines judged nothing.
    """

    summary: Mapping[str, Any] | None = None
    note: str = ""


def judged_by(dataset: Dataset, context: Context) -> JudgedBy:
    """Who judged a dataset.

    Raises:
        DatasetError: a line of its labels is no label.
    """
    folder = made_folder(dataset.name, context)
    if folder is None:
        return JudgedBy()
    split, queries = reported_split(dataset.name), frozenset(dataset.test.queries.ids)
    labels = labels_giving(folder, digest(dataset.test.qrels), split, queries)
    if labels is None:
        return JudgedBy(note=_unused(folder, split, queries))
    summary = labels.summary()
    machines = [judge for judge, kind in summary["judges"].items() if kind == "machine"]
    if not machines:
        return JudgedBy(summary)
    people = f"people judged {summary['people_queries']:,} of {len(queries):,} queries completely"
    note = f"labels of machines ({', '.join(machines)}); {people}"
    if summary["people_queries"] == 0:
        by_machine, pairs = summary["pairs"].get("machine", 0), sum(summary["pairs"].values())
        note = f"uncalibrated: {by_machine / pairs:.0%} of the labels are of machines ({', '.join(machines)})"
    return JudgedBy(summary, note)


def _unused(folder: Path, split: str | None, queries: frozenset[str]) -> str:
    """A note if there are labels of these queries, which do not give the judgements."""
    for each in ("train", "dev", "test") if split is None else (split,):
        labels = read_labels(labels_file(folder, each))
        if labels is not None and (split is not None or any(label.query in queries for label in labels.every)):
            return IGNORED
    return ""
