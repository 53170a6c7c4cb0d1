"""Equal trials of recipes with their reports: one sweep for each recipe, then one table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.base.defaults import RESULTS
from harness.base.errors import NoScores
from harness.bench.runner import Result
from harness.executors import Executor
from harness.report.equal_sheet import equal_sheet
from harness.report.run_sweep import sweep
from harness.report.sheet_formats import Shown
from harness.runtime.context import Context
from harness.sweep.run import FinishedSweep
from harness.sweep.spec import Spec
from harness.sweep.trial import CellResult


@dataclass
class EqualTrials:
    """What equal trials found.

    Args:
        finished: the sweeps of recipes that have scores.
        without: row and recipe on a collection → why it has none.
    """

    finished: list[FinishedSweep] = field(default_factory=list)
    without: dict[str, NoScores] = field(default_factory=dict)

    @property
    def shown(self) -> Shown:
        """A table for each collection, and a verdict on each recipe."""
        names = dict.fromkeys(each.found.dataset for each in self.finished)
        made = [equal_sheet([each.found for each in self.finished if each.found.dataset == name]) for name in names]
        sentences = [sentence for _, lines in made for sentence in lines]
        sentences += [f"{recipe} has no scores: {error}" for recipe, error in self.without.items()]
        return Shown([sheet for sheet, _ in made], sentences)

    @property
    def skipped(self) -> bool:
        """Whether no recipe has scores, and each only because something is absent."""
        return not self.finished and all(error.skipped for error in self.without.values())

    @property
    def failed(self) -> bool:
        """Whether a recipe or one of its settings failed."""
        return any(each.failed for each in self.finished) or any(not error.skipped for error in self.without.values())


def equal(
    specs: Sequence[Spec],
    executor: str | Executor | None = None,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[CellResult], None] | None = None,
    show: Callable[[Result], None] | None = None,
) -> EqualTrials:
    """Runs the sweeps of `harness.sweep.equal.equal_trials`; those that have no scores do not stop the others.

    Args:
        specs: one for each recipe.
        executor: as those that follow, of `harness.sweep.run.sweep`.
        results: folder of the records.
        context: cache, device and first seed.
        tell: called after each cell.
        show: called after each row on test.

    Raises:
        HarnessError: bad input, or a collection that cannot be loaded.
    """
    found = EqualTrials()
    for spec, name in [(each, name) for each in specs for name in each.datasets]:
        try:
            found.finished += sweep(replace(spec, datasets=(name,)), executor, results, context, tell, show)
        except NoScores as error:
            found.without[f"{spec.group_of(0)} on {name}"] = error
    return found
