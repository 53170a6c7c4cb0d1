"""Who judged a collection, from the labels next to its qrels; for records and comparisons."""

from __future__ import annotations

from typing import Any

from harness.base.errors import HarnessError
from harness.collection.labels import Labels, digest, labels_file, read_labels
from harness.data.dataset import Dataset
from harness.datasets.folder import locate


def labels_of(name: str) -> Labels | None:
    """The labels of a dataset with its split, as `folder/mine/test`; None if it is no folder or has none.

    Raises:
        DatasetError: a line of the file is no label.
    """
    if not name.startswith("folder/"):
        return None
    folder, _, split = name.removeprefix("folder/").rpartition("/")
    try:
        place, _ = locate(folder)
    except HarnessError:  # it is no longer there
        return None
    return read_labels(labels_file(place, split))


def judged_by(dataset: Dataset) -> dict[str, Any] | None:
    """JSON-safe: the summary of the labels that give a dataset's judgements; None without such labels."""
    labels = labels_of(dataset.name)
    summary = None if labels is None else labels.summary()
    return summary if summary is not None and summary["qrels"] == digest(dataset.test.qrels) else None
