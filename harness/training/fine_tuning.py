"""From a lesson to a saved model, as most recipes do it: load, measure, train, save."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from harness.data.dataset import TrainView
from harness.runtime.context import Context
from harness.training import loop
from harness.training.base import Trainable
from harness.training.batches import relevant_texts
from harness.training.delivery import delivered
from harness.training.dev import Pool
from harness.training.examples import QUERY
from harness.training.lesson import Lesson, Report


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
    average: float | None = None,
    announce: Callable[[Pool | None], None],
) -> Report:
    """Trains a model on a lesson and saves it.

    Args:
        lesson: examples, loss, schedule.
        base: the model before.
        view: its dev queries choose the checkpoint.
        context: seed, device, cache, progress.
        place: the folder of the model.
        checkpoints: a folder of this training only.
        name: of the recipe, for messages.
        on_dev: whether dev chooses the checkpoint.
        average: as `Recipe.average`.
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
    first = probe
    if probe is not None and lesson.prompts is not None:  # step 0 is measured with the model's former prompts
        first = base.probe(view, lesson.schedule, context)
        probe.prompts = prompts
    dev_pool = None if probe is None else probe.pool
    announce(dev_pool)
    report = loop.train(model, lesson, prompts, probe, context, checkpoints, name, first)
    if base.whole:  # with a random layer, the model before training ranks nothing
        report = delivered(model, report, probe, lambda: base.fresh(context).state_dict(), average, name)
        if not report.average:
            model = base.fresh(context)
            if base.kind != "cross_encoder":
                model.prompts, model.default_prompt_name = dict(base.prompts), None
    loop.save(model, place, name)
    return dataclasses.replace(report, dev_pool=None if dev_pool is None else dev_pool.describe())
