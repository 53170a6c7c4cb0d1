"""`harness recipes`: which recipe suits a collection, each with equal trials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from harness.base import defaults
from harness.cli.declaration import Status
from harness.cli.parameters import Datasets, Executed, NamedRows, OneMeasure, Quiet, Resources, Row, Seeds
from harness.cli.sweep import begun
from harness.cli.table_parameters import Tables

if TYPE_CHECKING:
    from harness.sweep.estimate import Planned


@dataclass(frozen=True, kw_only=True)
class EqualTrials(Datasets, OneMeasure, NamedRows, Executed, Tables, Quiet, Resources):
    """Parameters of `harness recipes`."""

    row: Row
    recipe: Annotated[
        list[str],
        typer.Option(
            "--recipe", metavar="RECIPE", help="supervised, gist_embed, …; repeatable. Default: all that fit the row."
        ),
    ] = field(default_factory=list)
    baseline: Annotated[
        list[str],
        typer.Option("--baseline", metavar="ROW", help="A row to compare with; repeatable. Default: the row as it is."),
    ] = field(default_factory=list)
    tokens: Annotated[
        int | None, typer.Option(min=2, help="Tokens that the longest training reads. Default: 1.2 million.")
    ] = None
    seeds: Seeds = defaults.SEEDS
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Estimate time and cost; run nothing.")] = False


def recipes(parameters: EqualTrials) -> Status:
    """Compare fine-tuning recipes with equal trials: the same number of settings and the same length for each.

    Every recipe tries half, all and twice its learning rate with half and all of the tokens; dev chooses one setting of
    each recipe, which test reports. Exit status: 0 done; 1 a row failed; 2 bad input; 3 every row was skipped.
    """
    from harness import api
    from harness.cli.session import open_session
    from harness.executors.local import Local
    from harness.report.run_equal import equal
    from harness.sweep.equal import TOKENS, equal_trials

    executor = api.executor_of(parameters.executor) or Local()
    session = open_session(parameters)
    row, *baselines = parameters.spelled(parameters.row, *parameters.baseline)
    asked = (parameters.recipe, parameters.datasets, baselines, parameters.one_measure, parameters.seeds)
    specs = equal_trials(row, *asked, tokens=parameters.tokens or TOKENS)
    plans: dict[str, list[Planned]] = {}
    for spec in specs:
        for name, parts in api.plan_sweep(spec, parameters.results, session.context).items():
            plans.setdefault(name, []).extend(parts)
    printers = begun(session, plans, executor, dry_run=parameters.dry_run)
    if printers is None:
        return Status.OK
    found = equal(specs, executor, parameters.results, session.context, *printers)
    session.show(found.shown)
    session.update_leaderboard(parameters.results)
    if found.skipped:
        return Status.SKIPPED
    return Status.FAILED if found.failed else Status.OK
