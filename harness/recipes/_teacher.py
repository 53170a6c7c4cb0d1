"""The teacher of recipes whose `teacher` is None: a cross-encoder trained here, from the student's own weights."""

from __future__ import annotations

from typing import Any

from harness.base.errors import SettingError
from harness.methods import METHODS, Method
from harness.recipes import RECIPES, Recipe
from harness.training.base import EncoderBase, Trainable
from harness.training.trained import with_recipes


def local_recipes(
    student: Recipe, *, gold: bool = False, queries: int | None = None, **settings: Any
) -> tuple[Recipe, ...]:
    """How the teacher is trained: contrastively on the corpus, and then on the same gold queries, as the row `ce`.

    Its budget and whether dev chooses its checkpoints are the student's: no label is used that the student does not own
    up to.
    """
    recipe: Any = RECIPES.get("cross_encoder")
    both: dict[str, Any] = {"budget": student.budget, "choose": student.choose}
    first = recipe(**both, pairs="unlabelled")
    return (first, recipe(**both, queries=queries, **settings)) if gold else (first,)


def local_teacher(base: Trainable, recipes: tuple[Recipe, ...]) -> Method:
    """A cross-encoder from the student's weights, trained by the recipes; it reads as many tokens as the student."""
    if not isinstance(base, EncoderBase):
        raise SettingError("a cross-encoder has no teacher of its own; name one, as teacher=cross_encoder")
    settings: dict[str, Any] = {
        "revision": base.revision,
        "trust_remote_code": base.trust_remote_code,
        "max_length": base.encoder.resolved["max_length"],
    }
    untrained = METHODS.get("cross_encoder")(model=base.source, **settings)  # type: ignore[call-arg]
    return with_recipes(untrained, recipes)
