"""Matryoshka: a loss is computed on the first dimensions of the vectors too, so that these suffice for ranking."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from harness.base.errors import SettingError
from harness.training.base import Trainable, by_cosine
from harness.training.lesson import Lesson


def at_dimensions(lesson: Lesson, dimensions: Sequence[int], base: Trainable, recipe: str) -> Lesson:
    """The lesson with the sum of its loss over several numbers of dimensions.

    Source: Kusupati et al., "Matryoshka Representation Learning" (2205.13147), equation 1, with equal weights. The cut
    vectors are normalised again.

    Args:
        lesson: its loss is that of a sentence-transformers model.
        dimensions: of the cut vectors; all dimensions of the model are always among them.
        base: the encoder.
        recipe: name, for messages.

    Raises:
        SettingError: the encoder compares by the dot product; when the loss is built: it has fewer dimensions.
    """
    by_cosine(base, recipe)

    def loss(model: Any) -> Any:
        from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

        whole = model.get_embedding_dimension()
        if max(dimensions) > whole:
            raise SettingError(f"{recipe}: matryoshka: {base.name} has {whole} dimensions, not {max(dimensions)}")
        return MatryoshkaLoss(model, lesson.loss(model), sorted({whole, *dimensions}, reverse=True))

    def after(model: Any, built: Any, probe: Any) -> dict[str, Any]:
        return dict(lesson.after(model, built.loss, probe)) if lesson.after is not None else {}

    facts = {**lesson.facts, "matryoshka": sorted(dimensions, reverse=True)}
    return dataclasses.replace(lesson, loss=loss, after=after, facts=facts)
