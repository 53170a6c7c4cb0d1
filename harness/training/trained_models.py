"""Trained models, stored by the content of all that decides their weights: each is trained once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import SettingError, Unavailable
from harness.base.files import write_text
from harness.cache.code import MODELS, code_of
from harness.cache.folders import META
from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.dataset import TrainView
from harness.leaks.history import read_texts, together, write_history
from harness.methods import Method, fit, strongest
from harness.runtime.context import Context
from harness.runtime.ledger import costs
from harness.training import card, loop
from harness.training.base import Kind, Trainable
from harness.training.lesson import Report
from harness.training.recipe import Recipe, supervision

MODEL = "model"
WEIGHTS = "weights"
"""Kind of the entries with trained weights, before it is decided which weights are delivered: settings of delivery
(`Recipe.average`) share them.
"""
NOT_IN_KEY = (
    *("cache.ragged", "cache.shard_store", "cache.shards", "cache.vectors", "models.truncated", "training.checkpoints"),
    *("training.pace", "models.engine_settings", "models.engine_compare", "models.engine_check"),
)
"""Modules that do not count in the key of a trained model: how vectors are stored, which engine computes them after
training, how an interrupted run resumes, how long trainings take.
"""
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class TrainedModel:
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


def trained_model(recipe: Recipe, base: Trainable, view: TrainView, context: Context) -> TrainedModel:
    """The model that a recipe makes of another; trained if it is not cached.

    Args:
        recipe: how it is trained.
        base: the model before: an encoder of some kind or a cross-encoder.
        view: the data.
        context: its seed is part of the key, its cache stores the model.

    Raises:
        SettingError: the recipe trains another kind of model.
        Unavailable: the view lacks what the recipe needs.
        HarnessError: training fails.
    """
    _check_fit(recipe, base, view)
    key, describe = _entry(recipe, base, view, context)
    is_new = False

    def build(part: Path) -> None:
        nonlocal is_new
        is_new = True
        if recipe.frozen:  # the training of a head takes seconds, and delivers it too
            report = _train(recipe, base, view, context, part, key, describe)
        else:
            weights = trained_weights(recipe, base, view, context)
            report = recipe.deliver(weights.folder, weights.report, base, view, context, part / MODEL)
            write_history(part / MODEL, together(read_texts(weights.folder.parent), ()))
        report.write(part)
        card.write(part / MODEL, recipe, base.name, report, context.seed, view.revision)

    place = context.cache.folder("models", key, describe, build)
    loop.discard(_checkpoints(key, context))
    report = Report.read(place)
    if not is_new:
        context.ledger.saved(report.seconds + report.preparation)
    return TrainedModel(place / MODEL, report)


def trained_weights(recipe: Recipe, base: Trainable, view: TrainView, context: Context) -> TrainedModel:
    """The weights that a training ends with, before it is decided what is delivered; trained if they are not cached.

    Recipes that differ only in `average` share them. Arguments and errors are those of `trained_model`.
    """
    shared = dataclasses.replace(recipe, average=None)
    key, describe = _entry(shared, base, view, context, "training.delivery")
    is_new = False

    def build(part: Path) -> None:
        nonlocal is_new
        is_new = True
        _train(shared, base, view, context, part, key, describe).write(part)

    place = context.cache.folder(WEIGHTS, key, describe, build)
    loop.discard(_checkpoints(key, context))
    report = Report.read(place)
    if not is_new:
        context.ledger.saved(report.seconds + report.preparation)
    return TrainedModel(place / MODEL, report)


def _entry(
    recipe: Recipe, base: Trainable, view: TrainView, context: Context, *without: str
) -> tuple[str, dict[str, Any]]:
    """The key of a model, and what it says about itself; modules `without` do not count."""
    deciding = json.dumps(_deciding(recipe, base, view, context, without), sort_keys=True)
    describe = {"recipe": str(recipe), "base": base.name, "seed": context.seed, "data": view.revision}
    return hashlib.sha256(deciding.encode()).hexdigest()[:32], describe


def _checkpoints(key: str, context: Context) -> Path:
    return context.cache.root / CHECKPOINTS / key


def _train(
    recipe: Recipe, base: Trainable, view: TrainView, context: Context, part: Path, key: str, describe: dict[str, Any]
) -> Report:
    """Trains into the folder `part`, with the history of the model; the report is not written."""
    checkpoints = _checkpoints(key, context)
    checkpoints.mkdir(parents=True, exist_ok=True)
    write_text(checkpoints / META, json.dumps({"kind": CHECKPOINTS, "key": key, "describe": describe}))
    with context.cache.lock(CHECKPOINTS, key), context.ledger.tracked(f"train {recipe}") as training:
        report = recipe.train(base, view, context, part / MODEL, checkpoints)
    training.seconds = 0.0  # the loop's own time is in the report
    spent = costs(step for step in training.all() if step.kind != "model")
    named = [fit(method, view, context) for method in recipe.fitted_here() if isinstance(method, Method)]
    # A teacher that no setting names is among the steps; one with cached answers is not, but a setting names it.
    helpers = [*named, *(context.ledger.result(step) for step in training.all() if step.kind == "fit")]
    sources = [Path(base.weights)]
    for helper in helpers:
        sources.extend(getattr(helper, "models", ()))
    write_history(part / MODEL, together(read_texts(part), sources))
    return dataclasses.replace(
        report,
        preparation=round(sum(spent), 1),
        supervision=strongest((supervision(recipe, view), *(helper.supervision for helper in named))),
        **_without_folders(report, base),
    )


def _deciding(
    recipe: Recipe, base: Trainable, view: TrainView, context: Context, without: Sequence[str]
) -> dict[str, Any]:
    """JSON-safe: all that decides the weights."""
    recipes = (recipe, *recipe.helpers())
    return {
        "recipe": recipe.full(),
        "trained_by": [[each.name(), dataclasses.asdict(each.schedule())] for each in recipes],
        "code": _code(recipe, base, without),
        "inputs": recipe.inputs(context),
        "base": base.training_key,
        "scored_by": base.untrained.inputs(context),
        "data": view.revision,
        "seed": context.seed,
    }


def _code(recipe: Recipe, base: Trainable, without: Sequence[str]) -> str:
    """Hash of the code that decides the weights: of the recipe and the values in it, the training of this kind of
    model, and dev's first stages.
    """
    stages: Sequence[Value] = base.first_stages if recipe.choose == "dev" else ()
    named: list[str | Value] = [recipe, *stages, type(base).__module__, "harness.training.fine_tuning"]
    others = [f"harness.{name}" for name in (*NOT_IN_KEY, *without)]
    return code_of(*named, without=others, libraries=(*MODELS, "accelerate", "numpy"))


def _check_fit(recipe: Recipe, base: Trainable, view: TrainView) -> None:
    """Raises if the recipe is for another kind of model, or the view lacks what it needs."""
    if recipe.trains != base.kind:
        (trains, method), (given, _) = _KINDS[recipe.trains], _KINDS[base.kind]
        raise SettingError(f"{recipe.name()} trains {trains}, not {given}; write {method}+{recipe.name()}.")
    if "train labels" in recipe.needed() and view.train is None:
        others = [other for _, other in _room().usable() if other.trains == recipe.trains]
        usable = [each.without_labels if "train labels" in each.needs else each.name() for each in others]
        listed = ", ".join(filter(None, usable)) or "none of this kind"
        raise Unavailable(
            f"{recipe.name()} needs training judgements and the collection has none.",
            f"Recipes that need none: {listed}; or add qrels/train.tsv.",
        )


def _room() -> Room[Recipe]:
    """All recipes, for the message that names those which need no labels."""
    return Room(Recipe.room, Recipe, "recipe")  # type: ignore[type-abstract]


def _without_folders(report: Report, base: Trainable) -> dict[str, Any]:
    """Facts and notes with the base model's name in place of the folder it was loaded from: they go into records."""
    text = json.dumps({"facts": report.facts, "notes": report.notes})
    # Only folders: a hub's short name may be part of its full one.
    folders = {place for place in (base.weights, base.source) if Path(place).is_dir()}
    for folder in folders - {base.name}:
        text = text.replace(json.dumps(folder)[1:-1], json.dumps(base.name)[1:-1])
    replaced = json.loads(text)
    return {"facts": replaced["facts"], "notes": tuple(replaced["notes"])}


_KINDS: Mapping[Kind, tuple[str, str]] = {
    "encoder": ("an encoder", "dense"),
    "cross_encoder": ("a cross-encoder", "cross_encoder"),
    "sparse": ("a sparse encoder", "sparse"),
    "late": ("a late-interaction encoder", "late"),
}
"""What each kind of model is called, and the method that has one."""
