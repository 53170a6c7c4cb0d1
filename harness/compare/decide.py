"""Which row to use on one collection: runs the rows that have no record yet, and decides between all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.base.defaults import MARGIN, RESULTS, SEEDS, check_margin
from harness.base.errors import NoScores
from harness.bench.aliases import aliases_of
from harness.bench.record import Record
from harness.bench.row_names import RowNames
from harness.bench.runner import Result
from harness.bench.store import Store, StoredRecord
from harness.compare.advice import sentences
from harness.compare.decision import Decision, caveats
from harness.compare.decision import decide as decide_between
from harness.compare.evidence import Scores, scores
from harness.compare.validate import run_seeds
from harness.data.dataset import Dataset
from harness.data.measures import DEFAULT, single_measure
from harness.datasets import load_dataset
from harness.methods import Method
from harness.recipes import trains
from harness.rows import methods_of
from harness.runtime.context import Context, open_context

FEWER = 0.8
"""Of the best row's share of judged documents: below it, a row's score may be low because of unjudged documents."""
FILE = "decision.md"


@dataclass(frozen=True)
class Decided:
    """A decision and its circumstances.

    Args:
        dataset: full name.
        decision: between the rows that have scores.
        sentences: the decision and its limits.
        place: the file for the decision, next to the records; `harness.api.decide` writes it.
        failed: whether a row failed.
    """

    dataset: str
    decision: Decision
    sentences: tuple[str, ...]
    place: Path
    failed: bool


def decide(
    dataset: str,
    rows: Sequence[str | Method] = (),
    measure: str = DEFAULT[0],
    margin: float = MARGIN,
    seeds: int = SEEDS,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[Result], None] | None = None,
) -> Decided:
    """Runs the rows of a collection and decides between them. Only their records are written.

    Args:
        dataset: as `source/name[/split]` or a path.
        rows: to decide between; empty for the default rows.
        measure: in ir-measures' notation.
        margin: differences up to this do not matter.
        seeds: how many a row that trains is trained with.
        results: folder of the records; rows with a record are not run again.
        context: cache, device, progress and the first seed.
        tell: called after each run.

    Raises:
        NoScores: no row has scores.
        HarnessError: bad input, or a dataset that is not available.
    """
    check_margin(margin)
    by = str(single_measure(measure))
    context = context or open_context()
    methods = methods_of(rows)
    done = run_seeds(methods, dataset, by, seeds, results, context, tell, aliases_of(rows))
    store = Store(Path(results))
    scored: list[Scores] = []
    absent: list[Record] = []
    names = RowNames.of(result.record for row_results in done.values() for result in row_results)
    for method, row_results in done.items():
        records = [result.record for result in row_results]
        absent += [record for record in records if record.status != "ok"][:1]
        ok = [record for record in records if record.status == "ok"]
        if ok:
            stored = [StoredRecord(record, store.place(record.dataset["name"], method, record.seed)) for record in ok]
            scored.append(scores(stored, store, by, names(records[0].row)))
    if not scored:
        why = "; ".join(f"{r.row}: {(r.problem or {}).get('reason', r.status)}" for r in absent)
        nothing = f"there is nothing to decide between: no row has scores ({why})."
        raise NoScores(nothing, skipped=all(r.status == "skipped" for r in absent))
    loaded = load_dataset(dataset, context)
    decision = decide_between(scored, margin)
    lines = sentences(decision)
    if power := decision.comparison.power:
        lines.append(f"{power}.")
    lines += _limits(decision, loaded, methods, absent, names)
    place = store.place(loaded.name, methods[0], context.seed).record.parents[1] / FILE
    return Decided(loaded.name, decision, tuple(lines), place, any(r.status == "error" for r in absent))


def _limits(
    decision: Decision, dataset: Dataset, methods: Sequence[Method], absent: Sequence[Record], names: RowNames
) -> list[str]:
    """The limits of a decision: leaks, unjudged documents, rows that were not tried."""
    lines = [*caveats(decision), *_judged(decision, dataset)]
    for record in absent:
        problem = record.problem or {}
        lines.append(f"`{names(record.row)}` has no scores, {record.status}: {problem.get('reason', '')}")
    if dataset.train.train is not None and not any(trains(method) for method in methods):
        lines.append(
            f"No row was trained, though there are {len(dataset.train.train.queries):,} training queries: "
            "`-m default -m dense+frozen_head` takes seconds more, `-m default -m recipes` tries every recipe."
        )
    return lines


def _judged(decision: Decision, dataset: Dataset) -> list[str]:
    """Rows that retrieve many more unjudged documents than the best, if documents are judged not relevant too."""
    if all(min(grades.values(), default=1) > 0 for grades in dataset.test.qrels.values()):
        return []  # if only relevant documents are judged, their share is the quality itself
    measure = decision.best.scores.measure
    unjudged = {option.row: option.scores.records[0].unjudged.get(measure) for option in decision.options}
    shares = {row: bounds["judged"] for row, bounds in unjudged.items() if bounds}
    best = shares.get(decision.best.row)
    low = [row for row, share in shares.items() if best is not None and share < FEWER * best]
    if not low:
        return []
    names = ", ".join(f"`{row}` ({shares[row]:.0%})" for row in low)
    return [
        f"{best:.0%} of the best row's documents are judged; scores of rows with far fewer may be too low: {names}."
    ]
