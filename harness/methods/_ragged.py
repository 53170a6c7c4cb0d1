"""What the methods on sparse and late-interaction encoders share: training one, and saying what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from harness.data.dataset import TrainView
from harness.methods import METHODS, Fitted, Method, Size, strongest
from harness.models.ragged import RaggedEncoder
from harness.recipes import Recipe, Trained, told, trained
from harness.runtime.context import Context
from harness.training.base import Trainable

E = TypeVar("E", bound=RaggedEncoder)
Base = Callable[[E, Sequence[Method], Method], Trainable]


def taught(
    method: Method, recipes: Sequence[Recipe], encoder: E, base: Base[E], view: TrainView, context: Context
) -> tuple[E, list[Trained]]:
    """The encoder that the recipes make of another, one after the other, and what each did.

    Args:
        method: the row; its `recipes` are these.
        recipes: how.
        encoder: as it is before.
        base: encoder, first stages, row before training → what a recipe is given.
        view: on what.
        context: seed, cache.

    Raises:
        ModelError: there is no recipe and the model is none of this kind.
    """
    lessons: list[Trained] = []
    for done, recipe in enumerate(recipes):
        untrained = _untrained(encoder, replace(method, recipes=tuple(recipes[:done])))  # type: ignore[type-var]
        lesson = trained(recipe, base(encoder, (METHODS.get("bm25")(), untrained), untrained), view, context)
        encoder = encoder.retrained(lesson.folder)
        lessons.append(lesson)
    encoder.check()
    return encoder, lessons


def _untrained(encoder: RaggedEncoder, row: Method) -> Method:
    """The model before training as a row; where it is none of this kind yet, the dense row of its weights."""
    if encoder.ready:
        return row
    settings: dict[str, Any] = {f"{side}_prompt": prompt for side, prompt in encoder.prompts.items()}
    model, revision = encoder.source
    dense: Any = METHODS.get("dense")
    return dense(model=model, revision=revision, trust_remote_code=encoder.trusted, **settings)  # type: ignore[no-any-return]


def inputs(encoder: RaggedEncoder, recipes: Sequence[Recipe], context: Context) -> dict[str, str]:
    """See `Method.inputs`."""
    folder = encoder.folder
    return {folder.name: folder.sha, **{k: v for recipe in recipes for k, v in recipe.inputs(context).items()}}


class FittedRagged(Fitted):
    """Says what is known of an encoder and its lessons."""

    def __init__(
        self, key: str, settings: dict[str, Any], encoder: RaggedEncoder, recipes: Any, lessons: Sequence[Trained]
    ) -> None:
        self.key = key
        self.resolved = {**encoder.resolved, **settings, **told(recipes, lessons)}
        self.supervision = strongest(lesson.supervision for lesson in lessons)
        self.notes = tuple(note for lesson in lessons for note in lesson.report.notes)
        self.models = (encoder.folder.path,)


def size(encoder: RaggedEncoder, index_bytes: int, dimensions: int = 0) -> Size:
    """What an index and the model take."""
    return Size(index_bytes, encoder.folder.model_bytes, encoder.folder.parameters, dimensions)
