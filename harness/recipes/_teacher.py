"""The teacher of recipes whose `teacher` is None: a cross-encoder trained here, from the student's own weights."""

from __future__ import annotations

import dataclasses

from harness.errors import SettingError
from harness.methods import METHODS, Method
from harness.recipes import RECIPES, Recipe
from harness.training.base import EncoderBase, Trainable


def local_teacher(base: Trainable, student: Recipe, *, gold: bool = False, queries: int | None = None) -> Method:
    """A cross-encoder from the student's weights, trained contrastively on the corpus, or on the same gold queries.

    Its budget and whether dev chooses its checkpoint are the student's: no label is used that the student does not own up to.
    """
    if not isinstance(base, EncoderBase):
        raise SettingError("a cross-encoder has no teacher of its own; name one, as teacher=cross_encoder")
    recipe = RECIPES.get("cross_encoder")
    how = recipe(budget=student.budget, choose=student.choose)
    how = dataclasses.replace(how, **({"queries": queries} if gold else {"pairs": "unlabelled"}))
    return METHODS.get("cross_encoder")(model=base.source, revision=base.revision, recipes=(how,))  # type: ignore[call-arg]
