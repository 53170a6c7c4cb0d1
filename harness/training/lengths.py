"""How long texts are: tokens of an example, and the length at which dev is measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.training.callbacks import Measure
from harness.training.lesson import Lesson

SAMPLE = 256
"""Examples, at even distances, whose tokens are counted."""


def at_length(probe: Measure | None, length: int | None) -> Measure | None:
    """The probe at the model's own length: texts are cut shorter only in training, and a record is at the own length.

    Args:
        probe: model → nDCG@10 on dev.
        length: the model's own, in tokens; None if it has none.
    """
    if probe is None or length is None:
        return None

    def measured(model: Any) -> float:
        shorter, model.max_seq_length = model.max_seq_length, length
        try:
            return probe(model)
        finally:
            model.max_seq_length = shorter

    return measured


def tokens_of_example(model: Any, lesson: Lesson) -> float:
    """Tokens of an example that the model reads in training, on average over a sample of the examples.

    Args:
        model: cuts texts at `max_seq_length`.
        lesson: the examples.
    """
    places = np.unique(np.linspace(0, len(lesson) - 1, SAMPLE, dtype=np.int64)).tolist()
    texts = [text for column in lesson.columns.values() for place in places for text in _texts(column[place])]
    if not texts:
        return 0.0
    return mean_tokens(model, texts) * len(texts) / len(places)


def mean_tokens(model: Any, texts: list[str]) -> float:
    """Tokens of a text on average, each cut at the model's length; special tokens count.

    Args:
        model: of sentence-transformers.
        texts: one or more.
    """
    ids = model.tokenizer(texts, truncation=False, verbose=False)["input_ids"]
    most = int(model.max_seq_length)
    return sum(min(len(each), most) for each in ids) / len(texts)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value of a column: one, or a list of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        yield from (each for each in value if isinstance(each, str))
