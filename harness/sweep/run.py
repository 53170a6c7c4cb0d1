"""A sweep from end to end: rows are tried on dev, the best there is chosen, and that one is reported on test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.base.defaults import RESULTS
from harness.base.errors import NoScores
from harness.base.files import slug
from harness.bench.run_rows import executor_of
from harness.bench.store import Store
from harness.executors import Executor
from harness.executors.local import Local
from harness.rows import row_name
from harness.runtime.context import Context, open_context
from harness.searches import SIZES
from harness.sweep.cells import Cells
from harness.sweep.estimate import Planned, planned
from harness.sweep.on_test import RowsOnTest, Show
from harness.sweep.result import SweepResult, choose
from harness.sweep.spec import CELLS, Spec, load
from harness.sweep.trial import CellResult, Trial
from harness.sweep.trials import Trials

FOLDER = "sweeps"
Tell = Callable[[CellResult], None] | None
Write = Callable[[SweepResult, Path, bool], object] | None


@dataclass(frozen=True)
class FinishedSweep:
    """A sweep over one collection, and its folder.

    Args:
        found: its result.
        folder: with `sweep.md`, `sweep.json`, `sweep.csv`, and the plots if matplotlib is installed.
    """

    found: SweepResult
    folder: Path

    @property
    def failed(self) -> bool:
        """Whether a row failed, or the chosen one has no scores on test."""
        return self.found.tested is None or any(trial.problem and not trial.skipped for trial in self.found.tried)


def sweep(
    path: str | Path | Spec,
    executor: str | Executor | None = None,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Tell = None,
    show: Show = None,
    write: Write = None,
) -> list[FinishedSweep]:
    """Does what a sweep's file says, on each of its collections.

    Cells that this sweep or another has done are not done again, so that a killed sweep continues. Everything is
    chosen on dev; on test there are the chosen row, its settings with fewer training queries, and the baselines.

    Args:
        path: of the TOML file, or what it says.
        executor: where cells run, as an expression or a value; None runs them here.
        results: folder of the records; the sweep's own is `sweeps/<name>/<dataset>` in it, the cells are in
            `sweeps/cells`.
        context: cache, device and first seed.
        tell: called after each cell.
        show: called after each row on test.
        write: stores the result in the sweep's folder; called before the test split is used and again at the end (the
            third argument: whether it is the end).

    Raises:
        NoScores: no row has scores for every seed.
        HarnessError: bad input, or a collection that cannot be loaded.
    """
    spec = path if isinstance(path, Spec) else load(Path(path))
    place = executor_of(executor) or Local()
    context = context or open_context()
    return [_one(spec, name, place, Path(results), context, tell, show, write) for name in spec.datasets]


def plan(
    path: str | Path | Spec, results: str | Path = RESULTS, context: Context | None = None
) -> dict[str, list[Planned]]:
    """What a sweep will take: dataset → a line for each part of the search. Nothing is measured.

    Raises:
        HarnessError: bad input, or a collection that cannot be loaded.
    """
    spec = path if isinstance(path, Spec) else load(Path(path))
    context = context or open_context()
    records = Store(Path(results)).all()[0]
    plans = {}
    for name in spec.datasets:
        trials = Trials(spec, name, Local(), context, Cells(Path()))
        cells = Cells(_folder(spec, trials, Path(results), CELLS))
        own = [record for record in records if record.dataset["name"] == trials.dataset.name]
        plans[name] = planned(spec, trials, cells, own)
    return plans


def _folder(spec: Spec, trials: Trials, results: Path, name: str) -> Path:
    inside = Store(results).place(trials.dataset.name, spec.baselines[0], 0).record.parents[1].name
    return results / FOLDER / name / inside


def _one(
    spec: Spec, name: str, executor: Executor, results: Path, context: Context, tell: Tell, show: Show, write: Write
) -> FinishedSweep:
    """The sweep on one collection."""
    Store(results).check()
    context.ledger.turn_to(name)
    trials = Trials(spec, name, executor, context, Cells(Path()), tell)
    folder = _folder(spec, trials, results, slug(spec.name))
    trials.cells = Cells(_folder(spec, trials, results, CELLS))
    baselines = trials.rows(spec.baselines)
    spec.search.run(spec.space, trials.measure, context.seed)
    chosen = _chosen(spec, trials)
    ranked = sorted(trials.tried, key=lambda trial: (not trial.ok, -trial.mean if trial.ok else 0.0))
    result = SweepResult(
        spec.name,
        trials.dataset.name,
        spec.measure,
        str(spec.search),
        tuple(ranked),
        tuple(baselines),
        aliases={row_name(method): alias for method, alias in spec.aliases.items()},
    )
    if write is not None:
        write(result, folder, False)  # before test: an error there does not lose the scores on dev
    on_test = RowsOnTest(spec, name, trials, executor, results, context, show)
    try:
        result = replace(result, tested=on_test.report(result, chosen, folder))
    except NoScores as error:
        result = replace(result, problem=str(error))
    if write is not None:
        write(result, folder, True)
    return FinishedSweep(result, folder)


def _chosen(spec: Spec, trials: Trials) -> Trial:
    """The best row on dev, after its settings were measured with every number of training queries of the grid: a search
    that increases the training queries skips some.
    """
    chosen = choose(trials.tried)
    if chosen is not None:
        for point in trials.points_of(chosen):
            sizes = spec.space[point.grid].get(SIZES)
            if isinstance(sizes, tuple) and len(sizes) > 1:
                trials.measure([point.at(SIZES, size) for size in sizes])
        chosen = choose(trials.tried)
    if chosen is None:
        problems = dict.fromkeys(f"{trial.row}: {trial.problem}" for trial in trials.tried if trial.problem)
        raise NoScores(
            f"no row of {spec.file.path.name} has scores on dev ({'; '.join(problems)}).",
            skipped=all(trial.skipped for trial in trials.tried),
        )
    return chosen
