"""One row compared with baselines on one dataset: runs the rows that have no record yet, then tests the differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.base.defaults import DATASET, MARGIN, RESULTS, SEEDS, check_margin, check_seeds
from harness.base.errors import NoScores, SettingError
from harness.bench.aliases import aliases_of
from harness.bench.row_names import RowNames
from harness.bench.run_rows import run_rows
from harness.bench.runner import Result
from harness.bench.store import Store, StoredRecord
from harness.compare.documents import contrasts_of_parts
from harness.compare.evidence import Scores, contrasts, scores
from harness.compare.verdict import Verdict, verdict
from harness.data.measures import DEFAULT, single_measure
from harness.methods import Method
from harness.recipes import trains
from harness.rows import parse_method, row_name
from harness.runtime.context import Context, open_context


def validate(
    row: str | Method,
    baselines: Sequence[str | Method],
    dataset: str = DATASET,
    measure: str = DEFAULT[0],
    seeds: int = SEEDS,
    margin: float = MARGIN,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[Result], None] | None = None,
) -> list[Verdict]:
    """Whether a row is better than baselines: one verdict for each, p-values corrected over all of them.

    Args:
        row: which is validated.
        baselines: rows that it is compared with.
        dataset: one, as `source/name[/split]` or a path.
        measure: in ir-measures' notation.
        seeds: how many a trained row is trained with, from the context's on; rows that train nothing are run once.
        margin: differences up to this do not matter.
        results: folder of the records; rows with a record are not run again.
        context: cache, device, progress and the first seed.
        tell: called after each run.

    Raises:
        NoScores: a row has no scores; with the reason.
        HarnessError: bad input, or a dataset that is not available.
    """
    check_margin(margin)
    by = str(single_measure(measure))
    context = context or open_context()
    methods = [parse_method(each) if isinstance(each, str) else each for each in (row, *baselines)]
    own, others = methods[0], [m for m in dict.fromkeys(methods[1:]) if m != methods[0]]
    if not others:
        raise SettingError(f"{row_name(own)} needs a baseline other than itself: name another row.")
    store = Store(Path(results))
    done = run_seeds([own, *others], dataset, by, seeds, results, context, tell, aliases_of([row, *baselines]))
    names = RowNames.of(result.record for results_of in done.values() for result in results_of)
    scored = {}
    for method, results_of in done.items():
        stored = [with_scores(result, store, method) for result in results_of]
        scored[method] = scores(stored, store, by, names(stored[0].record.row))
    return verdicts([(scored[own], scored[m]) for m in others], margin)


def verdicts(planned: Sequence[tuple[Scores, Scores]], margin: float = MARGIN) -> list[Verdict]:
    """A verdict for each planned contrast, on all queries and on those about old and about new documents.

    Args:
        planned: row and baseline; all of the same queries.
        margin: differences up to this do not matter.
    """
    parts = contrasts_of_parts(planned)
    return [
        verdict(contrast, margin, [of_part[i] for of_part in parts.values()])
        for i, contrast in enumerate(contrasts(planned))
    ]


def run_seeds(
    methods: Sequence[Method],
    dataset: str,
    measure: str,
    seeds: int,
    results: str | Path,
    context: Context,
    tell: Callable[[Result], None] | None = None,
    aliases: Mapping[Method, str] | None = None,
) -> dict[Method, list[Result]]:
    """Runs the rows that have no record yet: rows that train once a seed, the others once.

    Args:
        methods: the rows.
        dataset: as `source/name[/split]` or a path.
        measure: one, besides those of every record.
        seeds: how many, from the context's on.
        results: folder of the records.
        context: cache, device, progress and the first seed.
        tell: called after each run.
        aliases: names that rows are given.

    Raises:
        SettingError: seeds below 1.
        HarnessError: bad input, or a dataset that is not available.
    """
    check_seeds(seeds)
    names = list(dict.fromkeys((*DEFAULT, measure)))  # the records are those that `harness run` makes
    by_method: dict[Method, list[Result]] = {method: [] for method in methods}
    for seed in range(seeds):
        due = [method for method in by_method if seed == 0 or trains(method)]
        if not due:
            break
        of_seed = context if seed == 0 else context.reseeded(context.seed + seed)
        done = run_rows(
            *due, dataset=dataset, measures=names, results=results, context=of_seed, tell=tell, aliases=aliases
        )
        for method, result in zip(due, done, strict=True):
            by_method[method].append(result)
    return by_method


def with_scores(result: Result, store: Store, method: Method) -> StoredRecord:
    """The record of a run with its place; raises NoScores if it has no scores, with the reason."""
    record = result.record
    if record.status != "ok":
        problem = record.problem or {}
        why = " ".join(f"{problem.get('reason', '')} {problem.get('remedy', '')}".split())
        raise NoScores(f"{record.row} has no scores ({record.status}): {why}", skipped=record.status == "skipped")
    return StoredRecord(record, store.place(record.dataset["name"], method, record.seed))


def differences(pair: tuple[Scores, Scores]) -> list[tuple[str, float, float]]:
    """Query id and both scores, the queries on which the first gains most first."""
    first, second = pair[0].by_query, pair[1].by_query
    return sorted(((q, first[q], second[q]) for q in first), key=lambda line: (line[2] - line[1], line[0]))
