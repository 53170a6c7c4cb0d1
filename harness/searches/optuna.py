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

    Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (NeurIPS 2011), as Optuna has it. Nothing is
    kept of a
    study: with the same seed and the same figures it asks for the same points, so that a killed sweep goes on where it
    was.

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
            held = [] if SIZES not in space[0] else [f"{SIZES} = {'all' if rung is None else rung}"]
            found.append(Stage(", ".join(["trials", *held]), self.trials))
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
                asked = [study.ask() for _ in range(min(self.batch, self.trials - start))]
                drawn = [_point(trial, space) for trial in asked]
                values: list[float | None] = [None] * len(asked)
                alive = list(range(len(asked)))
                for step, rung in enumerate(rungs):
                    at = [drawn[i].at(SIZES, rung) for i in alive]
                    for i, value in zip(alive, measure(at) if at else (), strict=True):
                        values[i] = value
                        if value is not None:
                            asked[i].report(value, step)
                    last = step + 1 == len(rungs)
                    alive = [i for i in alive if values[i] is not None and (last or not asked[i].should_prune())]
                for i, (trial, value) in enumerate(zip(asked, values, strict=True)):
                    state = optuna.trial.TrialState
                    if value is None:
                        study.tell(trial, state=state.FAIL)
                    elif i in alive:
                        study.tell(trial, value)
                    else:
                        study.tell(trial, state=state.PRUNED)


def _point(trial: Any, space: Space) -> Point:
    number = int(trial.suggest_categorical("grid", list(range(len(space))))) if len(space) > 1 else 0
    return Point(number, tuple((axis, _drawn(trial, f"{number} {axis}", held)) for axis, held in space[number].items()))


def _drawn(trial: Any, name: str, held: Any) -> Choice:
    if isinstance(held, Range):
        if held.whole:
            return int(trial.suggest_int(name, held.low, held.high, log=held.log))
        return float(f"{trial.suggest_float(name, held.low, held.high, log=held.log):.{DIGITS}g}")
    if name.endswith(f" {SIZES}") or len(held) == 1:  # how much there is to learn from is not a matter of taste
        return held[-1]  # type: ignore[no-any-return]
    return held[trial.suggest_categorical(name, list(range(len(held))))]  # type: ignore[no-any-return]


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Inside, Optuna tells of no trials; the sweep does."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
