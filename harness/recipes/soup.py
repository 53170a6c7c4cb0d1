"""Soup: the mean of the weights of several trainings that differ only in their seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.leaks.history import read_history, together, write_texts
from harness.recipes import Need, Recipe
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training.base import Trainable
from harness.training.delivery import mean
from harness.training.dev import Probe
from harness.training.dev_before import score_of_row
from harness.training.lesson import Lesson, Report
from harness.training.loop import save
from harness.training.schedule import Budget, Schedule
from harness.training.trained_models import TrainedModel, trained_weights


@dataclass(frozen=True)
class Soup(Recipe):
    """The mean of the weights of several trainings of one recipe from the same model.

    Source: Wortsman et al., "Model soups" (2203.05482), sections 2 and 3: weights that were fine-tuned from the same
    pre-trained ones can be averaged, and the mean is often better than the best of them; a query costs what it costs
    with one model, where an ensemble of scores encodes it with each. There the trainings also differ in other settings.
    After that, `average` mixes the mean with the weights before training as for every recipe.

    Settings of all recipes (`learning_rate`, `budget`, …) that are set here are those of each training. The trainings
    are stored and shared with the rows of one seed: with `seeds=3`, seed 0 of this row has seeds 0, 1 and 2 of the
    recipe, and seed 1 has 3, 4 and 5.

    Args:
        recipe: how each model is trained; one that trains an encoder's weights.
        seeds: number of trainings.
        mix: `uniform` takes all of them; `greedy` takes them in the order of their scores on dev, and leaves out each
            one that makes the mean worse there (`uniform` without dev).
    """

    recipe: Recipe = field(default_factory=Supervised)
    seeds: Annotated[int, Ge(2)] = 3
    mix: Literal["uniform", "greedy"] = "uniform"

    needs: ClassVar[frozenset[Need]] = Supervised.needs
    schedules: ClassVar[Mapping[Budget, Schedule]] = Supervised.schedules

    def __post_init__(self) -> None:
        if self.recipe.trains != "encoder" or self.recipe.frozen or isinstance(self.recipe, Soup):
            raise SettingError(
                f"soup: {self.recipe.name()} does not train the weights of an encoder that all seeds start from; take "
                "a recipe that does, as soup(recipe=supervised)."
            )
        super().__post_init__()

    @property
    def each(self) -> Recipe:
        """The recipe of every training, with the settings that are set here."""
        given = {one.name: getattr(self, one.name) for one in dataclasses.fields(Recipe) if one.name != "average"}
        defaults = {one.name: one.default for one in dataclasses.fields(Recipe)}
        return dataclasses.replace(self.recipe, **{k: v for k, v in given.items() if v != defaults[k]})

    def needed(self) -> frozenset[Need]:
        """See `Recipe.needed`."""
        return self.recipe.needed()

    def schedule(self) -> Schedule:
        """See `Recipe.schedule`; that of each training."""
        return self.each.schedule()

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`; that of each training, with the seed of the context."""
        return self.each.lesson(base, view, context)

    def train(self, base: Trainable, view: TrainView, context: Context, place: Path, checkpoints: Path) -> Report:
        """See `Recipe.train`: the trainings that are not stored are done, and averaged."""
        recipe, models = self.each, []
        for number in range(self.seeds):
            within = context.reseeded(context.seed * self.seeds + number)
            within = within if context.guard is None else within.guarded(context.guard)
            models.append(trained_weights(recipe, base, view, within))
        context.ledger.saved(sum(model.report.preparation for model in models))
        write_texts(place.parent, together(read_history(models[0].folder), [model.folder for model in models[1:]]))
        first = models[0].report
        probe = base.probe(view, Schedule(**first.schedule), context) if first.dev else None
        soup = _Mixture(models, base, context, probe)
        taken = soup.greedy() if self.mix == "greedy" and probe is not None else soup.uniform()
        save(soup.model, place, self.name())
        return dataclasses.replace(
            first,
            seconds=round(sum(model.report.seconds for model in models), 1),
            dev=() if probe is None else ((0, _before(base, probe, view, context)), (first.steps, soup.measured())),
            chosen=first.steps,
            dev_pool=None if probe is None else probe.pool.describe(),
            facts={
                **first.facts,
                "seeds": [context.seed * self.seeds + number for number in range(self.seeds)],
                "taken": [context.seed * self.seeds + number for number in taken],
                "dev_of_trainings": [_best(model.report) for model in models],
            },
            notes=tuple(dict.fromkeys(note for model in models for note in model.report.notes)),
        )


def _best(report: Report) -> float | None:
    """nDCG@10 on dev of the checkpoint that a training chose; None without dev."""
    return dict(report.dev).get(report.chosen)


def _before(base: Trainable, probe: Probe, view: TrainView, context: Context) -> float:
    """nDCG@10 on dev before training, with the prompts of the model before."""
    assert base.row is not None  # an encoder ranks by itself
    return round(score_of_row(base.row, probe, view, context), 6)


class _Mixture:
    """The mean of some models' weights.

    Args:
        models: from the same start.
        base: the start.
        context: opens them.
        probe: measures on dev; its prompts become those of the models. None without dev.
    """

    def __init__(self, models: Sequence[TrainedModel], base: Trainable, context: Context, probe: Probe | None) -> None:
        opened = [base.after(model.folder, base.untrained, context, frozen=False) for model in models]
        self.model: Any = opened[0].fresh(context)
        self.model.prompts, self.model.default_prompt_name = dict(opened[0].prompts), None
        self._weights = [each.fresh(context).state_dict() for each in opened]
        self._probe = probe
        if probe is not None:
            probe.prompts = dict(opened[0].prompts)

    def uniform(self) -> list[int]:
        """Takes all; returns their numbers."""
        self._set(range(len(self._weights)))
        return list(range(len(self._weights)))

    def greedy(self) -> list[int]:
        """Takes the best on dev, then each one that does not make the mean worse there; returns their numbers."""
        alone = {number: self._set([number]).measured() for number in range(len(self._weights))}
        order = sorted(alone, key=lambda number: -alone[number])
        taken, best = order[:1], alone[order[0]]
        for number in order[1:]:
            value = self._set([*taken, number]).measured()
            if value >= best:
                taken, best = [*taken, number], value
        self._set(taken)
        return sorted(taken)

    def measured(self) -> float:
        """nDCG@10 on dev of the weights as they are set."""
        assert self._probe is not None
        return round(self._probe(self.model), 6)

    def _set(self, numbers: Sequence[int]) -> _Mixture:
        mixed = self._weights[numbers[0]]
        for count, number in enumerate(numbers[1:], 2):
            mixed = mean(mixed, self._weights[number], 1 / count)
        self.model.load_state_dict(mixed)
        return self
