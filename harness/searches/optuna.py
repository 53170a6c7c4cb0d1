"""Optuna: points drawn where earlier ones did well (TPE), from lists and ranges; needs the extra `optuna`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from harness.base.optional import library
from harness.choices.bounds import Count
from harness.searches import SIZES, Choice, Measure, Point, Range, Search, Space, Stage, ascending

DIGITS = 3
"""Of a number drawn from a range: enough to tell settings apart, few enough to read."""


@dataclass(frozen=True)
class Optuna(Search):
    """Tree-structured Parzen estimators over the space.

    Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (NeurIPS 2011), as Optuna implements it. A
    study is not stored: the same seed and the same means give the same points, so that a killed sweep continues.

    Args:
        trials: points drawn.
        batch: drawn together, before any of them is measured: so many can be measured at a time.
        pruner: `none` measures a point with the most training queries at once; `median` and `halving` (asynchronous) go
            up the number of training queries and give up a point that does worse than others did with as many.
    """

    trials: Count = 30
    batch: Count = 4
    pruner: Literal["none", "median", "halving"] = "none"

    def _rungs(self, space: Space) -> list[Choice]:
        """Numbers of training queries to go up; one that says nothing where no grid has any."""
        if not any(SIZES in grid for grid in space):
            return [None]
        rungs = ascending(space, SIZES, "optuna")
        return rungs if self.pruner != "none" else rungs[-1:]

    def stages(self, space: Space) -> list[Stage]:
        """See `Search.stages`."""
        library("optuna", "optuna")
        found = []
        for rung in self._rungs(space):
            sizes = f", {SIZES} = {'all' if rung is None else rung}" if SIZES in space[0] else ""
            found.append(Stage(f"trials{sizes}", self.trials))
        return found

    def run(self, space: Space, measure: Measure, seed: int) -> None:
        """See `Search.run`."""
        optuna: Any = library("optuna", "optuna")
        pruners = {
            "none": optuna.pruners.NopPruner,
            "median": optuna.pruners.MedianPruner,
            "halving": optuna.pruners.SuccessiveHalvingPruner,
        }
        rungs = self._rungs(space)
        with _quiet(optuna):
            sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=self.batch > 1)
            study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruners[self.pruner]())
            for start in range(0, self.trials, self.batch):
                trials = [study.ask() for _ in range(min(self.batch, self.trials - start))]
                drawn = [_point(trial, space) for trial in trials]
                values: list[float | None] = [None] * len(trials)
                alive = list(range(len(trials)))
                for step, rung in enumerate(rungs):
                    at = [drawn[i].at(SIZES, rung) for i in alive]
                    for i, value in zip(alive, measure(at) if at else (), strict=True):
                        values[i] = value
                        if value is not None:
                            trials[i].report(value, step)
                    last = step + 1 == len(rungs)
                    alive = [i for i in alive if values[i] is not None and (last or not trials[i].should_prune())]
                for i, (trial, value) in enumerate(zip(trials, values, strict=True)):
                    state = optuna.trial.TrialState
                    if value is None:
                        study.tell(trial, state=state.FAIL)
                    elif i in alive:
                        study.tell(trial, value)
                    else:
                        study.tell(trial, state=state.PRUNED)


def _point(trial: Any, space: Space) -> Point:
    number = int(trial.suggest_categorical("grid", list(range(len(space))))) if len(space) > 1 else 0
    return Point(
        number, tuple((axis, _drawn(trial, f"{number} {axis}", values)) for axis, values in space[number].items())
    )


def _drawn(trial: Any, name: str, values: Any) -> Choice:
    if isinstance(values, Range):
        if values.whole:
            return int(trial.suggest_int(name, values.low, values.high, log=values.log))
        return float(f"{trial.suggest_float(name, values.low, values.high, log=values.log):.{DIGITS}g}")
    if name.endswith(f" {SIZES}") or len(values) == 1:  # more training data is never a choice to explore
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
