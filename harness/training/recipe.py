"""The contract of a recipe: a way of fine-tuning a model to a collection."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Interval, MinLen

from harness.base.errors import SettingError
from harness.choices.bounds import Count, Positive
from harness.choices.value import LATER, Value
from harness.data.dataset import TrainView
from harness.leaks.history import TrainedQuery, history, write_texts
from harness.methods import DEV_LABELS, NO_LABELS, TRAIN_LABELS, strongest
from harness.runtime.context import Context
from harness.training import fine_tuning
from harness.training.adapters import with_lora
from harness.training.base import Kind, Trainable
from harness.training.dev import Pool
from harness.training.lesson import Lesson, Report
from harness.training.matryoshka import at_dimensions
from harness.training.schedule import Budget, Precision, Schedule

LORA_RATE = 10.0
"""Factor of the learning rate where only adapters are trained: they need about ten times that of all weights (Biderman
et al., "LoRA Learns Less and Forgets Less", 2405.09673, section 4.5).
"""
MANY = 50.0
"""Passes over the examples that a training makes at most whose tokens are set."""
Need = Literal["train labels", "teacher", "guide", "generator"]


@dataclass(frozen=True)
class Recipe(Value, ABC):
    """A way of fine-tuning: settings only.

    Args:
        budget: `smoke` (seconds), `small` (up to about 15 minutes on 2 cores) or `full` (the paper's settings; wants a
            GPU).
        epochs: passes over the examples; None takes the budget's, as for all that follow.
        tokens: read in training, in up to 50 passes over the examples, so that recipes have the same length on any
            collection; with `epochs`, whichever ends first.
        batch: examples of one loss.
        accumulate: batches whose gradients are added before a step.
        learning_rate: the peak.
        max_length: tokens kept of a text while training.
        dropout: probability, in place of the model's own.
        precision: `auto` (bf16 where the processor has it), `bf16` or `fp32`.
        choose: `dev` keeps the checkpoint with the best nDCG@10 on dev, where the collection has dev queries, or the
            model before training if none is better; `last` the last.
        average: share of the trained weights in the saved model, the rest being those before training; None takes 0.5
            or 1, whichever is better on dev, and 1 without dev (`harness.training.delivery`).
        lora: rank of the adapters that are trained in place of the whole transformer, which is frozen
            (`harness.training.adapters`); None trains it whole. The learning rate of the budget is 10 times as high.
        lora_alpha: alpha / rank is the factor of the adapters; None takes twice the rank.
        lora_modules: what has adapters: `all` linear layers, or those of the `attention` only.
        matryoshka: numbers of dimensions whose loss is added to that of the whole vectors
            (`harness.training.matryoshka`), for `dense(dimensions=…)`.
    """

    budget: Budget = "small"
    epochs: Positive | None = None
    batch: Count | None = None
    accumulate: Count | None = None
    learning_rate: Positive | None = None
    max_length: Annotated[int, Ge(3)] | None = None
    dropout: Annotated[float, Interval(ge=0, lt=1)] | None = None
    precision: Precision = "auto"
    choose: Literal["dev", "last"] = "dev"
    average: Annotated[float, Interval(gt=0, le=1)] | None = field(default=None, metadata=LATER)
    tokens: Count | None = field(default=None, metadata=LATER)
    lora: Count | None = field(default=None, metadata=LATER)
    lora_alpha: Positive | None = field(default=None, metadata=LATER)
    lora_modules: Literal["all", "attention"] = field(default="all", metadata=LATER)
    matryoshka: Annotated[tuple[Count, ...], MinLen(1)] | None = field(default=None, metadata=LATER)

    room: ClassVar[str] = "harness.recipes"
    trains: ClassVar[Kind] = "encoder"
    """What kind of model."""
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What it needs besides the corpus."""
    unused: ClassVar[frozenset[str]] = frozenset()
    """Settings of all recipes that have no effect here; setting one is an error."""
    frozen: ClassVar[bool] = False
    """Whether the model stays unchanged and only a head behind it is trained, on its cached vectors."""
    without_labels: ClassVar[str] = ""
    """The expression of the recipe without labels, if it needs train labels only by default."""
    schedules: ClassVar[Mapping[Budget, Schedule]]
    """The numbers of each budget."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.schedule().check(self.name())
        of_vectors = frozenset() if self.trains == "encoder" else frozenset({"matryoshka"})
        for name in sorted(self.unused | of_vectors):
            if getattr(self, name) is not None:
                raise SettingError(f"{self.name()}: {name} has no meaning here; leave it out.")

    def needed(self) -> frozenset[Need]:
        """What it needs with these settings; `needs` with the defaults."""
        return self.needs

    def schedule(self) -> Schedule:
        """The budget's numbers, replaced by those that are set."""
        numbers = {field.name for field in dataclasses.fields(Schedule)}
        changes: dict[str, Any] = {}
        # Only settings of all recipes: a recipe's own setting of the same name, such as `decay`, means another thing.
        for setting in dataclasses.fields(Recipe):
            value = getattr(self, setting.name)
            if setting.name in numbers and value not in (None, "auto"):
                changes[setting.name] = value
        if "epochs" in changes:
            changes = {"steps": None, "tokens": None} | changes
        elif "tokens" in changes:
            changes |= {"steps": None, "epochs": MANY}
        schedule = dataclasses.replace(self.schedules[self.budget], **changes)
        if self.lora is None or self.learning_rate is not None:
            return schedule
        return dataclasses.replace(schedule, learning_rate=LORA_RATE * schedule.learning_rate)

    def fitted_here(self) -> Iterator[Value]:
        """The parts that are fitted on the same collection."""
        return self.parts()

    def helpers(self) -> Iterator[Recipe]:
        """Other recipes that it runs: those of its teacher, guide, judge and miners."""
        return recipes_in(self)

    def new_index(self) -> bool:
        """Whether the vectors of documents change, so that an index has to be built again."""
        return self.trains != "cross_encoder"

    def inputs(self, context: Context) -> dict[str, str]:
        """Hashes of the models that the settings name, as `Method.inputs`: of a teacher, a guide or a generator."""
        inputs: dict[str, str] = {}
        for part in self.parts():
            if hasattr(part, "inputs"):
                inputs |= part.inputs(context)
        return inputs

    @abstractmethod
    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """Examples, loss and schedule.

        Args:
            base: the model before training.
            view: corpus, train and dev queries; no test query and no test judgement.
            context: seed, cache, progress.

        Raises:
            Unavailable: the view lacks what the recipe needs.
            HarnessError: the settings do not suit the view.
        """

    def train(self, base: Trainable, view: TrainView, context: Context, place: Path, checkpoints: Path) -> Report:
        """Trains and saves the trained weights to the folder `place`.

        A recipe with a loop of its own overrides this, and calls `announce` before its first step. `average` has no
        part in it, except where the recipe is `frozen`: `deliver` follows.
        """
        lesson = self._adapted(self.lesson(base, view, context), base, context)

        def announce(pool: Pool | None) -> None:
            self.announce(lesson.queries(), pool, context, place)

        return fine_tuning.fine_tune(
            lesson,
            base,
            view,
            context,
            place,
            checkpoints,
            name=self.name(),
            on_dev=self.choose == "dev",
            announce=announce,
        )

    def deliver(
        self, trained: Path, report: Report, base: Trainable, view: TrainView, context: Context, place: Path
    ) -> Report:
        """Saves the weights that are delivered to the folder `place`: trained ones, those before, or their mean.

        Args:
            trained: the folder that `train` filled, perhaps with another `average`.
            report: of that training.
            base: the model before training.
            view: dev decides.
            context: seed, device.
            place: the folder of the model.
        """
        options: dict[str, Any] = {"name": self.name(), "average": self.average}
        return fine_tuning.deliver(trained, report, base, view, context, place, **options)

    def _adapted(self, lesson: Lesson, base: Trainable, context: Context) -> Lesson:
        """The lesson with the settings that suit every loss and model."""
        if self.matryoshka is not None:
            lesson = at_dimensions(lesson, self.matryoshka, base, self.name())
        if self.lora is not None:
            seed, alpha = int(context.rng("adapters").integers(2**31)), self.lora_alpha or 2.0 * self.lora
            lesson = with_lora(lesson, self.lora, alpha, self.lora_modules, seed)
        return lesson

    def announce(
        self, trained: Sequence[TrainedQuery], chosen_on: Pool | None, context: Context, place: Path
    ) -> None:
        """Stores the queries that the model is trained and chosen on next to it, and shows them to the run's guard.

        The guard returns nothing, so that nothing about test reaches the training.
        """
        queries = list(trained)
        if chosen_on is not None:
            queries += chosen_on.trained_queries()
        stored = history(queries)
        write_texts(place.parent, stored)
        context.announce(list(dict.fromkeys(query.text for query in stored.queries)))


def supervision(recipe: Recipe, view: TrainView) -> str:
    """Which labels a recipe uses on this view: its own, and those that its teacher, guide, judge and miners were
    trained with.
    """
    own = DEV_LABELS if recipe.choose == "dev" and view.dev is not None else NO_LABELS
    if "train labels" in recipe.needed():
        own = TRAIN_LABELS
    inside = chain.from_iterable(map(recipes_in, recipe.fitted_here()))
    return strongest((own, *(supervision(other, view) for other in inside)))


def trains(value: Value) -> bool:
    """Whether there is a recipe anywhere in a row, so that its model depends on the seed."""
    return next(recipes_in(value), None) is not None


def recipes_in(value: Value) -> Iterator[Recipe]:
    """The recipes anywhere in a value, without those inside them."""
    for part in value.parts():
        if isinstance(part, Recipe):
            yield part
        else:
            yield from recipes_in(part)
