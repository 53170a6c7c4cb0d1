"""From a lesson to a saved model, as most recipes do it: load, measure, train, save, and decide what is delivered."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from harness.data.dataset import TrainView
from harness.runtime.context import Context
from harness.training import loop
from harness.training.base import Trainable
from harness.training.batches import relevant_texts
from harness.training.callbacks import Measure
from harness.training.delivery import delivered
from harness.training.dev import Pool
from harness.training.dev_before import score_of_row
from harness.training.examples import QUERY
from harness.training.lesson import Lesson, Report
from harness.training.schedule import Schedule


def fine_tune(
    lesson: Lesson,
    base: Trainable,
    view: TrainView,
    context: Context,
    place: Path,
    checkpoints: Path,
    *,
    name: str,
    on_dev: bool,
    announce: Callable[[Pool | None], None],
) -> Report:
    """Trains a model on a lesson and saves the trained weights.

    Args:
        lesson: examples, loss, schedule.
        base: the model before.
        view: its dev queries choose the checkpoint.
        context: seed, device, cache, progress.
        place: the folder of the model.
        checkpoints: a folder of this training only.
        name: of the recipe, for messages.
        on_dev: whether dev chooses the checkpoint.
        announce: called before the first step with the pool that dev is measured on.

    Raises:
        HarnessError: what `loop.train` and `loop.save` raise.
    """
    model = base.fresh(context)
    if lesson.order == "distinct" and not lesson.relevant:
        lesson = dataclasses.replace(lesson, relevant=relevant_texts(view, lesson.columns.get(QUERY, ())))
    probe = base.probe(view, lesson.schedule, context) if on_dev else None
    prompts = dict(lesson.prompts or base.prompts)
    if base.kind != "cross_encoder":
        model.prompts, model.default_prompt_name = {**prompts}, None  # saved in the folder
    first: Measure | None = probe
    if probe is not None and base.row is not None:
        before = score_of_row(base.row, probe, view, context)
        first = lambda model: before  # noqa: E731 - the row's own vectors or scores, which are cached
    elif probe is not None and lesson.prompts is not None:  # step 0 is measured with the model's former prompts
        first = base.probe(view, lesson.schedule, context)
    if probe is not None and lesson.prompts is not None:
        probe.prompts = prompts
    dev_pool = None if probe is None else probe.pool
    announce(dev_pool)
    report = loop.train(model, lesson, prompts, probe, context, checkpoints, name, first)
    loop.save(model, place, name)
    return dataclasses.replace(report, dev_pool=None if dev_pool is None else dev_pool.describe())


def deliver(
    trained: Path,
    report: Report,
    base: Trainable,
    view: TrainView,
    context: Context,
    place: Path,
    *,
    name: str,
    average: float | None,
) -> Report:
    """Saves the weights that are delivered after a training (`harness.training.delivery`).

    Args:
        trained: the folder with the trained weights.
        report: of the training.
        base: the model before it.
        view: its dev queries decide, if they chose the checkpoint.
        context: seed, device.
        place: the folder of the model.
        name: of the recipe, for notes.
        average: as `Recipe.average`.

    Returns:
        The report, with what was decided.
    """
    if not base.whole:  # with a random layer, the model before training ranks nothing
        _copy(trained, place)
        return report
    after = base.after(trained, base.untrained, context, frozen=False)
    model, is_encoder = after.fresh(context), base.kind != "cross_encoder"
    if is_encoder:
        model.prompts, model.default_prompt_name = dict(after.prompts), None
    probe = base.probe(view, Schedule(**report.schedule), context) if report.dev else None
    if probe is not None and is_encoder:
        probe.prompts = dict(after.prompts)
    report = delivered(model, report, probe, lambda: base.fresh(context).state_dict(), average, name)
    if report.average == 1.0:
        _copy(trained, place)
        return report
    if not report.average:
        model = base.fresh(context)
        if is_encoder:
            model.prompts, model.default_prompt_name = dict(base.prompts), None
    loop.save(model, place, name)
    return report


def _copy(trained: Path, place: Path) -> None:
    """The same model under another name: its weights are linked, other files copied."""
    shutil.copytree(trained, place, copy_function=_link)


def _link(source: str, target: str) -> None:
    if source.endswith(".safetensors"):
        with contextlib.suppress(OSError):  # a file system without links
            os.link(source, target)
            return
    shutil.copy2(source, target)
