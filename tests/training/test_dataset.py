from __future__ import annotations

from typing import Any

import numpy as np

from harness.training.batches import sampler
from harness.training.dataset import dataset_of
from harness.training.examples import Picked
from harness.training.lesson import Lesson
from harness.training.schedule import Schedule


def test_texts_are_looked_up_when_they_are_read() -> None:
    read: list[int] = []

    class Texts(list[str]):
        def __getitem__(self, index: Any) -> Any:
            read.append(index)
            return f"text {index}"

    columns = {"query": ["a", "b", "c"], "positive": Picked(Texts(), np.array([7, 5, 7]))}
    dataset = dataset_of(Lesson(columns, lambda model: None, Schedule(), labels=[[1.0], [2.0], [3.0]]))  # type: ignore[arg-type, return-value]
    assert read == []
    assert dataset[1] == {"query": "b", "positive": "text 5", "label": [2.0]}
    assert dataset[[0, 2]] == {"query": ["a", "c"], "positive": ["text 7", "text 7"], "label": [[1.0], [3.0]]}
    assert read == [5, 7, 7]
    assert dataset.column_names == ["query", "positive", "label"]


def test_a_picked_column_reads_as_a_list_does() -> None:
    column = Picked(["a", "b", "c"], np.array([2, 0, 0]))
    assert list(column) == column[:] == ["c", "a", "a"]
    assert column[1:] == ["a", "a"]


def test_the_length_of_a_lesson_is_that_of_one_pass() -> None:
    lesson = Lesson({"query": Picked(["a", "b"], np.array([0, 1, 1, 0]))}, lambda model: None, Schedule(), per_pass=2)  # type: ignore[arg-type, return-value]
    assert len(lesson) == 2
    assert len(dataset_of(lesson)) == 4


def test_all_passes_are_read_in_their_order() -> None:
    lesson = Lesson(
        {"query": Picked(["a", "b", "c"], np.array([0, 1, 2, 2, 0, 1]))},
        lambda model: None,  # type: ignore[arg-type, return-value]
        Schedule(),
        order="given",
        per_pass=3,
    )
    assert list(sampler(lesson, 2, seed=0)) == [[0, 1], [2, 3], [4, 5]]
