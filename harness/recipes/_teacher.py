"""The teacher of recipes whose `teacher` is None: a cross-encoder trained here, from the student's own weights."""

from __future__ import annotations

from harness.errors import SettingError
from harness.methods import METHODS, Method
from harness.recipes import RECIPES
from harness.training.base import EncoderBase, Trainable
from harness.training.schedule import Budget


def local_teacher(base: Trainable, budget: Budget, *, gold: bool = False, queries: int | None = None) -> Method:
    """A cross-encoder from the student's weights, trained contrastively on the corpus, or on the same gold queries."""
    if not isinstance(base, EncoderBase):
        raise SettingError("a cross-encoder has no teacher of its own; name one, as teacher=cross_encoder")
    recipe = RECIPES.get("cross_encoder")
    how = recipe(budget=budget, queries=queries) if gold else recipe(budget=budget, pairs="unlabelled")  # type: ignore[call-arg]
    return METHODS.get("cross_encoder")(model=base.source, revision=base.revision, recipes=(how,))  # type: ignore[call-arg]
