"""The examples of a lesson as a dataset of the datasets library, which the trainer reads batch by batch."""

from __future__ import annotations

from typing import Any

from harness.training.examples import Picked
from harness.training.lesson import Lesson

LABEL = "label"


def dataset_of(lesson: Lesson) -> Any:
    """A dataset of a lesson's columns and labels; texts of `Picked` columns are looked up for each batch."""
    from datasets import Dataset

    columns: dict[str, Any] = {}
    picked: dict[str, Picked] = {}
    for name, column in lesson.columns.items():
        if isinstance(column, Picked):
            picked[name] = column
            columns[name] = column.places
        else:
            columns[name] = list(column)
    if lesson.labels is not None:
        columns[LABEL] = list(lesson.labels)
    dataset = Dataset.from_dict(columns)
    if picked:
        dataset.set_transform(lambda batch: _looked_up(batch, picked))
    return dataset


def _looked_up(batch: dict[str, list[Any]], picked: dict[str, Picked]) -> dict[str, list[Any]]:
    return {name: picked[name].looked_up(values) if name in picked else values for name, values in batch.items()}
