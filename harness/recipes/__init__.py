"""Recipes: ways of fine-tuning a model to a collection, one per file.

A recipe is a frozen dataclass of settings. `lesson` turns what a `TrainView` holds into examples, a loss and a
schedule; the one loop (`harness.training.loop`) trains on them, chooses the checkpoint on dev, and goes on after a
kill; `trained` keeps the result as an ordinary sentence-transformers folder, so that the same recipe on the same data
with the same seed is never trained twice.
A row of the board is a method plus recipes: `dense+supervised`, or one after the other,
`dense+contrastive_tension+supervised`.

To add one: a file here with one frozen dataclass that derives from `Recipe`, and `tests/recipes/test_<file>.py`; the
contract tests, `harness list` and the command line find it by its file's name.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Interval

from harness.base.errors import SettingError, Unavailable
from harness.base.files import write_text
from harness.cache.code import MODELS, code_of
from harness.cache.folders import META
from harness.choices.bounds import Count, Positive
from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.queries import TrainView
from harness.leaks.history import Taught, history, keep, note, noted, together
from harness.methods import DEV_LABELS, NO_LABELS, TRAIN_LABELS, Method, fit, strongest
from harness.runtime.context import Context
from harness.runtime.ledger import costs
from harness.training import card, course, loop
from harness.training.base import Kind, Trainable
from harness.training.dev import Pool
from harness.training.lesson import Lesson, Report
from harness.training.schedule import Budget, Precision, Schedule

Need = Literal["train labels", "teacher", "guide", "generator"]
MODEL = "model"
APART = ("cache.ragged", "cache.vectors", "models.engine_check", "models.truncated", "training.checkpoints")
"""Modules of the package that decide no weight: how vectors lie on disk, which engine answers later, how a run is
resumed.
"""
CHECKPOINTS = "checkpoints"
log = logging.getLogger("harness.recipes")


@dataclass(frozen=True)
class Recipe(Value, ABC):
    """A way of fine-tuning: settings only.

    Args:
        budget: `smoke` (seconds), `small` (up to about 15 minutes on 2 cores) or `full` (the paper's settings; wants a
            GPU).
        epochs: passes over the examples; None takes the budget's, as for all that follow.
        batch: examples that stand in one loss together.
        accumulate: batches whose gradients are added before a step.
        learning_rate: the peak.
        max_length: tokens kept of a text while training.
        dropout: probability, in place of the model's own.
        precision: `auto` (bf16 where the processor has it), `bf16` or `fp32`.
        choose: `dev` keeps the checkpoint with the best nDCG@10 on dev, where the collection has dev queries; `last`
            the last.
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

    room: ClassVar[str] = "harness.recipes"
    trains: ClassVar[Kind] = "encoder"
    """What kind of model."""
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What it needs besides the corpus."""
    unused: ClassVar[frozenset[str]] = frozenset()
    """Settings of all recipes that mean nothing here; one that is set is refused."""
    frozen: ClassVar[bool] = False
    """Whether the model stays as it is and only a head behind it learns, so that its kept vectors serve."""
    without_labels: ClassVar[str] = ""
    """How a recipe that needs train labels is written to need none, where it can be."""
    schedules: ClassVar[Mapping[Budget, Schedule]]
    """The numbers of each budget."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.schedule().check(self.name())
        for name in sorted(self.unused):
            if getattr(self, name) is not None:
                raise SettingError(f"{self.name()}: {name} has no meaning here; leave it out.")

    def needed(self) -> frozenset[Need]:
        """What it needs with these settings; `needs` with the defaults."""
        return self.needs

    def schedule(self) -> Schedule:
        """The budget's numbers, with those that are set in their place."""
        # Of the settings that all recipes have: one's own may be called as a number of the schedule and mean another
        # thing.
        shared = {f.name for f in dataclasses.fields(Recipe)} & {f.name for f in dataclasses.fields(Schedule)}
        asked = {name: getattr(self, name) for name in shared}
        asked = {name: value for name, value in asked.items() if value not in (None, "auto")}
        steps = {"steps": None} if "epochs" in asked else {}
        return dataclasses.replace(self.schedules[self.budget], **{**steps, **asked})

    def fitted_here(self) -> Iterator[Value]:
        """The parts that learn from the same collection, where they learn."""
        return self.parts()

    def helpers(self) -> Iterator[Recipe]:
        """Other recipes that it has run: those of its teacher, guide, judge and miners."""
        return _recipes_in(self)

    def inputs(self, context: Context) -> dict[str, str]:
        """What the settings point to, by content, as `Method.inputs`: the models of a teacher, a guide or a
        generator.
        """
        return {k: v for part in self.parts() if hasattr(part, "inputs") for k, v in part.inputs(context).items()}

    @abstractmethod
    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """Examples, loss and schedule.

        Args:
            base: the model that is to be trained, as it is before.
            view: corpus, train and dev queries; no test query and no test judgement.
            context: seed, cache, progress.

        Raises:
            Unavailable: the view lacks what the recipe needs.
            HarnessError: the settings and the view do not fit.
        """

    def train(self, base: Trainable, view: TrainView, context: Context, place: Path, checkpoints: Path) -> Report:
        """Trains and saves the model to the folder `place`.

        A recipe with a loop of its own overrides this, and calls `announce` before its first step.
        """
        lesson = self.lesson(base, view, context)

        def announce(pool: Pool | None) -> None:
            self.announce(lesson.learnt(), pool, context, place)

        return course.follow(
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

    def announce(self, taught: Sequence[Taught], chosen_on: Pool | None, context: Context, place: Path) -> None:
        """Notes beside the model which queries it learns from and is chosen on, and shows them to whoever guards the
        run.

        One way: nothing of what is known about test comes back.
        """
        held = history([*taught, *(chosen_on.taught() if chosen_on is not None else ())])
        note(place.parent, held)
        context.announce(list(dict.fromkeys(one.text for one in held.taught)))


RECIPES: Room[Recipe] = Room(__name__, Recipe, "recipe")  # type: ignore[type-abstract]


@dataclass(frozen=True)
class Trained:
    """A trained model on disk.

    Args:
        folder: an ordinary sentence-transformers folder.
        report: what training did.
    """

    folder: Path
    report: Report

    @property
    def supervision(self) -> str:
        """Which labels were used, for training or for choosing the checkpoint."""
        return self.report.supervision


def trained(recipe: Recipe, base: Trainable, view: TrainView, context: Context) -> Trained:
    """The model that a recipe makes of another; trained now if it is not kept.

    Args:
        recipe: how.
        base: from what: an encoder of some kind or a cross-encoder.
        view: on what.
        context: its seed is part of the key, its cache keeps the model.

    Raises:
        SettingError: the recipe trains the other kind of model.
        Unavailable: the view lacks what the recipe needs.
        HarnessError: what training meets.
    """
    _check_fit(recipe, base, view)
    deciding = {
        "recipe": recipe.full(),
        "trained_by": [[r.name(), dataclasses.asdict(r.schedule())] for r in (recipe, *recipe.helpers())],
        "code": _code(recipe, base),
        "inputs": recipe.inputs(context),
        "base": base.training_key,
        "data": view.revision,
        "seed": context.seed,
    }
    key = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]
    checkpoints = context.cache.root / CHECKPOINTS / key
    fresh = False
    describe = {"recipe": str(recipe), "base": base.name, "seed": context.seed, "data": view.revision}

    def build(part: Path) -> None:
        nonlocal fresh
        fresh = True
        checkpoints.mkdir(parents=True, exist_ok=True)
        write_text(checkpoints / META, json.dumps({"kind": CHECKPOINTS, "key": key, "describe": describe}))
        with context.cache.lock(CHECKPOINTS, key), context.ledger.tracked(f"train {recipe}") as needed:
            report = recipe.train(base, view, context, part / MODEL, checkpoints)
        needed.seconds = 0.0  # the loop's own time is in the report
        spent = costs(step for step in needed.all() if step.kind != "model")
        report = dataclasses.replace(report, preparation=round(sum(spent), 1))
        named = [fit(m, view, context) for m in _methods_in(recipe)]
        used = strongest((supervision(recipe, view), *(helper.supervision for helper in named)))
        report = dataclasses.replace(report, supervision=used, **_named(report, base))
        report.write(part)
        card.write(part / MODEL, recipe, base.name, report, context.seed, view.revision)
        # A teacher that no setting names is among the steps; one whose answers were kept is not, but is named.
        helpers = [*named, *(context.ledger.result(step) for step in needed.all() if step.kind == "fit")]
        stands_on = [Path(base.weights), *(model for helper in helpers for model in getattr(helper, "models", ()))]
        keep(part / MODEL, together(noted(part), stands_on))

    place = context.cache.folder("models", key, describe, build)
    loop.discard(checkpoints)
    report = Report.read(place)
    if not fresh:
        context.ledger.saved(report.seconds + report.preparation)
    return Trained(place / MODEL, report)


def _code(recipe: Recipe, base: Trainable) -> str:
    """Of all that decides the weights: the recipe, what it names, the training of its kind of model, dev's first
    stages.
    """
    stages: Sequence[Value] = base.first_stages if recipe.choose == "dev" else ()
    named: list[str | Value] = [recipe, *stages, type(base).__module__, "harness.training.course"]
    return code_of(*named, without=[f"harness.{name}" for name in APART], libraries=(*MODELS, "accelerate", "numpy"))


def _check_fit(recipe: Recipe, base: Trainable, view: TrainView) -> None:
    """Raises what `trained` says, where the recipe is for the other kind of model or the view lacks what it needs."""
    if recipe.trains != base.kind:
        (trains, method), (given, _) = _KINDS[recipe.trains], _KINDS[base.kind]
        raise SettingError(f"{recipe.name()} trains {trains}, not {given}; write {method}+{recipe.name()}.")
    if "train labels" in recipe.needed() and view.train is None:
        kin = [other for _, other in RECIPES.usable() if other.trains == recipe.trains]
        free = [k.without_labels if "train labels" in k.needs else k.name() for k in kin]
        raise Unavailable(
            f"{recipe.name()} needs training judgements and the collection has none.",
            f"Recipes that need none: {', '.join(filter(None, free)) or 'none of this kind'}; or add qrels/train.tsv.",
        )


def _named(report: Report, base: Trainable) -> dict[str, Any]:
    """Facts and notes with the base model's name in place of the folder it was loaded from: they go into records."""
    text = json.dumps({"facts": report.facts, "notes": report.notes})
    # Folders alone: a hub's short name may be part of its full one.
    for folder in {f for f in (base.weights, base.source) if Path(f).is_dir()} - {base.name}:
        text = text.replace(json.dumps(folder)[1:-1], json.dumps(base.name)[1:-1])
    held = json.loads(text)
    return {"facts": held["facts"], "notes": tuple(held["notes"])}


def supervision(recipe: Recipe, view: TrainView) -> str:
    """Which labels a recipe uses on this view: its own, and those that its teacher, guide, judge and miners were
    trained with.
    """
    own = DEV_LABELS if recipe.choose == "dev" and view.dev is not None else NO_LABELS
    if "train labels" in recipe.needed():
        own = TRAIN_LABELS
    inside = (other for part in recipe.fitted_here() for other in _recipes_in(part))
    return strongest((own, *(supervision(other, view) for other in inside)))


def trains(value: Value) -> bool:
    """Whether a recipe stands anywhere in a row, so that a seed makes another model of it."""
    return next(_recipes_in(value), None) is not None


def _methods_in(recipe: Recipe) -> Iterator[Method]:
    """The methods that a recipe names and that learn from the same collection."""
    return (part for part in recipe.fitted_here() if isinstance(part, Method))


def _recipes_in(value: Value) -> Iterator[Recipe]:
    for part in value.parts():
        if isinstance(part, Recipe):
            yield part
        else:
            yield from _recipes_in(part)


def told(recipes: Sequence[Recipe], lessons: Sequence[Trained]) -> dict[str, Any]:
    """What a record says about training: one entry for each recipe, empty without any."""
    said = [
        {"recipe": recipe.full(), **dataclasses.asdict(lesson.report)}
        for recipe, lesson in zip(recipes, lessons, strict=True)
    ]
    return {"training": said} if said else {}


_KINDS: Mapping[Kind, tuple[str, str]] = {
    "encoder": ("an encoder", "dense"),
    "cross_encoder": ("a cross-encoder", "cross_encoder"),
    "sparse": ("a sparse encoder", "sparse"),
    "late": ("a late-interaction encoder", "late"),
}
"""What each kind of model is called, and the method that has one."""
