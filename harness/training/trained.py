"""A trained row: a method whose model recipes train first, one after the other; itself a method."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from harness.base.errors import SettingError
from harness.choices.value import Value
from harness.data.dataset import TrainView
from harness.methods import Fitted, Method, TrainableMethod, strongest
from harness.runtime.context import Context
from harness.training.base import EncoderBase, PairBase, Trainable
from harness.training.ragged_base import LateBase, SparseBase
from harness.training.recipe import Recipe
from harness.training.trained_models import TrainedModel, trained_model

KINDS: Mapping[str, type[Trainable]] = {each.kind: each for each in (EncoderBase, PairBase, SparseBase, LateBase)}
"""`TrainableMethod.kind` → what is trained."""


@dataclass(frozen=True)
class Trained(Method):
    """A method after its model was trained: `dense+supervised`. It is named, printed and searched as the method is.

    Args:
        method: whose model is trained.
        recipes: each starts from the model of the one before.
    """

    method: TrainableMethod
    recipes: tuple[Recipe, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.method, TrainableMethod):
            raise SettingError(f"{self.method.name()} is not trainable, so no recipe can follow it")
        if not self.recipes:
            raise SettingError(f"{self.method.name()}: a trained row needs a recipe")

    def name(self) -> str:  # type: ignore[override]  # of the row, since this class is not an item of a room
        """The method's name."""
        return self.method.name()

    @property
    def untrained(self) -> Value:
        """See `Value.untrained`."""
        return self.method

    def settings(self, recipes: tuple[Value, ...] = ()) -> dict[str, Any]:
        """See `Value.settings`: those of the method, with its recipes."""
        return self.method.settings(self.recipes)

    def differing_settings(self, other: Value) -> str:
        """See `Value.differing_settings`: the method's."""
        return self.method.differing_settings(other.untrained)

    def _expression(
        self,
        *,
        full: bool,
        short: Callable[[Value], str | None] = lambda value: None,
        recipes: tuple[Value, ...] = (),
    ) -> str:
        if full:
            return self.method._expression(full=True, short=short, recipes=self.recipes)
        return "+".join(part.with_short_names(short) for part in (self.method, *self.recipes))

    def nested(self) -> Iterator[Method]:
        """See `Method.nested`: those inside the method, which is not fitted by itself."""
        return self.method.nested()

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        inputs = self.method.inputs(context)
        for recipe in self.recipes:
            inputs = inputs | recipe.inputs(context)
        return inputs

    def encoding(self) -> Method | None:
        """See `Method.encoding`: the row itself, since a recipe may learn from every setting of the method."""
        return self if self.method.encoding() is not None else None

    def reach(self, depth: int) -> int:
        """See `Method.reach`."""
        return self.method.reach(depth)

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`."""
        return self.method.depth_of(part, depth)

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Trains the model, unless it is cached, and fits the method with it.

        Raises:
            SettingError: a recipe trains another kind of model.
            Unavailable: the model does not exist, or the collection lacks what a recipe needs.
        """
        base, models = self._trained(self.recipes, view, context)
        return _reported(self.method.fitted(base.model, view, context), self.recipes, models)

    def base_of_last(self, view: TrainView, context: Context) -> Trainable:
        """The model before the last recipe; those before it are trained if they are not cached."""
        return self._trained(self.recipes[:-1], view, context)[0]

    def _trained(
        self, recipes: Sequence[Recipe], view: TrainView, context: Context
    ) -> tuple[Trainable, list[TrainedModel]]:
        row = self.method.while_training()
        base = KINDS[self.method.kind].of(self.method.open_model(context), row)
        models = []
        for number, recipe in enumerate(recipes, 1):
            model = trained_model(recipe, base, view, context)
            models.append(model)
            so_far = with_recipes(row, self.recipes[:number])
            base = base.after(model.folder, so_far, context, frozen=recipe.frozen)
        return base, models


def _reported(fitted: Fitted, recipes: Sequence[Recipe], models: Sequence[TrainedModel]) -> Fitted:
    """The same fitted method, which reports how its model was trained."""
    trainings = [
        {"recipe": recipe.full(), **dataclasses.asdict(model.report)}
        for recipe, model in zip(recipes, models, strict=True)
    ]
    after = copy.copy(fitted)
    after.resolved = {**fitted.resolved, "training": trainings}
    after.supervision = strongest([fitted.supervision, *(model.supervision for model in models)])
    after.notes = (*chain.from_iterable(model.report.notes for model in models), *fitted.notes)
    return after


def with_recipes(method: Method, recipes: tuple[Recipe, ...]) -> Method:
    """The row `method + recipe + …`; recipes of a row that is trained already come first.

    Raises:
        SettingError: the method cannot be trained.
    """
    if not recipes:
        return method
    if isinstance(method, Trained):
        return dataclasses.replace(method, recipes=(*method.recipes, *recipes))
    return Trained(method, recipes)  # type: ignore[arg-type]  # checked there
