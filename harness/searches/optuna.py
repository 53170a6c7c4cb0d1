"""Optuna: points drawn where earlier ones did well (TPE), from lists and ranges; needs the extra `optuna`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.base.optional import library
from harness.choices.bounds import Count
from harness.searches import SIZES, Choice, Measure, Point, Range, Search, Space, Stage, ascending

DIGITS = 3
"""Significant digits of a number drawn from a range: enough to distinguish settings, few enough to read."""


@dataclass(frozen=True)
class Optuna(Search):
    """Tree-structured Parzen estimators over the space.

    Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (NeurIPS 2011), as Optuna implements it. A
    study is not stored: the same seed and the same means give the same points, so that a killed sweep continues.

    Args:
        trials: points drawn.
        batch: trials drawn together before any is measured, so that they can be measured in parallel.
        pruner: `none` measures a point with the most training queries at once; `median` and `halving` (asynchronous) go
            up the number of training queries and drop a point that does worse than others with as many.
    """

    trials: Count = 30
    batch: Count = 4
    pruner: Literal["none", "median", "halving"] = "none"

    def _rungs(self, space: Space) -> list[Choice]:
        """Numbers of training queries, ascending; only None if no grid has any."""
        if not any(SIZES in grid for grid in space):
            return [None]
        rungs = ascending(space, SIZES, "optuna")
        return rungs if self.pruner != "none" else rungs[-1:]

    def stages(self, space: Space) -> list[Stage]:
        """See `Search.stages`."""
        library("optuna", "optuna")
        stages = []
        for rung in self._rungs(space):
            label = "trials"
            if SIZES in space[0]:
                label += f", {SIZES} = {'all' if rung is None else rung}"
            stages.append(Stage(label, self.trials))
        return stages

    def run(self, space: Space, measure: Measure, seed: int) -> None:
        """See `Search.run`."""
        optuna: Any = library("optuna", "optuna")
        pruners = {
            "none": optuna.pruners.NopPruner,
            "median": optuna.pruners.MedianPruner,
            "halving": optuna.pruners.SuccessiveHalvingPruner,
        }
        rungs = self._rungs(space)
        state = optuna.trial.TrialState
        with _quiet(optuna):
            sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=self.batch > 1)
            study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruners[self.pruner]())
            for start in range(0, self.trials, self.batch):
                trials = [study.ask() for _ in range(min(self.batch, self.trials - start))]
                points = [_point(trial, space) for trial in trials]
                values, complete = _climb(trials, points, rungs, measure)
                for i, (trial, value) in enumerate(zip(trials, values, strict=True)):
                    if value is None:
                        study.tell(trial, state=state.FAIL)
                    elif i in complete:
                        study.tell(trial, value)
                    else:
                        study.tell(trial, state=state.PRUNED)


def _climb(
    trials: Sequence[Any], points: Sequence[Point], rungs: Sequence[Choice], measure: Measure
) -> tuple[list[float | None], list[int]]:
    """Measures points with more and more training queries; a pruned or failed one is not measured further.

    Returns:
        The last mean of each, None if it failed, and the numbers of those that were measured at the last rung.
    """
    values: list[float | None] = [None] * len(trials)
    alive = list(range(len(trials)))
    for step, rung in enumerate(rungs):
        measured = [points[i].at(SIZES, rung) for i in alive]
        for i, value in zip(alive, measure(measured) if measured else (), strict=True):
            values[i] = value
            if value is not None:
                trials[i].report(value, step)
        is_last = step + 1 == len(rungs)
        alive = [i for i in alive if values[i] is not None and (is_last or not trials[i].should_prune())]
    return values, alive


def _point(trial: Any, space: Space) -> Point:
    number = int(trial.suggest_categorical("grid", list(range(len(space))))) if len(space) > 1 else 0
    settings = tuple((axis, _drawn(trial, f"{number} {axis}", values)) for axis, values in space[number].items())
    return Point(number, settings)


def _drawn(trial: Any, name: str, values: Any) -> Choice:
    if isinstance(values, Range):
        if values.whole:
            return int(trial.suggest_int(name, values.low, values.high, log=values.log))
        return float(f"{trial.suggest_float(name, values.low, values.high, log=values.log):.{DIGITS}g}")
    if name.endswith(f" {SIZES}") or len(values) == 1:  # the number of training queries is not searched: more is better
        return values[-1]  # type: ignore[no-any-return]
    return values[trial.suggest_categorical(name, list(range(len(values))))]  # type: ignore[no-any-return]


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Stops Optuna from logging trials; the sweep reports them."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
