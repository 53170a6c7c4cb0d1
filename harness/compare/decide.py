"""Which row to use on one collection: runs rows without a record, and decides between all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import NoFigures, SettingError
from harness.bench.record import Record
from harness.bench.runner import Result
from harness.bench.store import Store, Stored
from harness.compare.advice import sentences
from harness.compare.decision import Decision, caveats
from harness.compare.decision import decide as decide_between
from harness.compare.evidence import Scores, scores
from harness.compare.validate import run_seeds
from harness.compare.verdict import MARGIN
from harness.data.dataset import Dataset
from harness.data.measures import DEFAULT, parse_measures
from harness.datasets import load_dataset
from harness.methods import Method
from harness.recipes import trains
from harness.rows import methods_of
from harness.runtime.context import Context, open_context

FEWER = 0.8
"""Of the best row's share of judged documents: below it, a row's figure may be low because of what nobody judged."""
FILE = "decision.md"


@dataclass(frozen=True)
class Decided:
    """What was decided.

    Args:
        dataset: full name.
        decision: between the rows that gave figures.
        told: the decision and what must be known with it, one sentence each.
        place: the file for the decision, next to the records; `harness.api.decide` writes it.
        failed: whether a row failed.
    """

    dataset: str
    decision: Decision
    told: tuple[str, ...]
    place: Path
    failed: bool


def decide(
    dataset: str,
    rows: Sequence[str | Method] = (),
    measure: str = DEFAULT[0],
    margin: float = MARGIN,
    seeds: int = 1,
    results: str | Path = "results",
    context: Context | None = None,
    tell: Callable[[Result], None] | None = None,
) -> Decided:
    """Runs the rows of a collection and decides between them. Nothing is written but their records.

    Args:
        dataset: as `source/name[/split]` or a path.
        rows: to decide between; none takes the default rows.
        measure: in ir-measures' notation.
        margin: differences up to this do not matter.
        seeds: how many a row that trains is trained with.
        results: folder of the records; what is there is not run again.
        context: cache, device, progress and the first seed.
        tell: called after each run.

    Raises:
        NoFigures: no row gave figures.
        HarnessError: bad input, or a dataset that cannot be had.
    """
    if not 0 < margin < 1:
        raise SettingError(f"margin must be above 0 and below 1, not {margin:g}: a difference that is of no interest.")
    measures = parse_measures([measure])
    if len(measures) > 1:
        raise SettingError(f"a decision is by one measure, not by {', '.join(map(str, measures))}.")
    context = context or open_context()
    methods = methods_of(rows)
    done = run_seeds(methods, dataset, str(measures[0]), seeds, results, context, tell)
    store = Store(Path(results))
    held: list[Scores] = []
    absent: list[Record] = []
    for method, made in done.items():
        ok = [r.record for r in made if r.record.status == "ok"]
        absent += [r.record for r in made if r.record.status != "ok"][:1]
        places = [Stored(r, store.place(r.dataset["name"], method, r.seed)) for r in ok]
        held += [scores(places, store, str(measures[0]))] if places else []
    if not held:
        why = "; ".join(f"{r.row}: {(r.problem or {}).get('reason', r.status)}" for r in absent)
        nothing = f"there is nothing to decide between: no row gave figures ({why})."
        raise NoFigures(nothing, skipped=all(r.status == "skipped" for r in absent))
    loaded = load_dataset(dataset, context)
    decision = decide_between(held, margin)
    seen = decision.standing.sentence
    told = (
        *sentences(decision),
        *([f"{seen[0].upper()}{seen[1:]}."] if seen else []),
        *_known(decision, loaded, methods, absent),
    )
    place = store.place(loaded.name, methods[0], context.seed).record.parents[1] / FILE
    return Decided(loaded.name, decision, told, place, any(r.status == "error" for r in absent))


def _known(decision: Decision, dataset: Dataset, methods: Sequence[Method], absent: Sequence[Record]) -> list[str]:
    """What must be known with a decision: leaks, unjudged documents, rows that were not tried."""
    told = [*caveats(decision), *_judged(decision, dataset)]
    for record in absent:
        problem = record.problem or {}
        told.append(f"`{record.row}` is not among them, {record.status}: {problem.get('reason', '')}")
    if dataset.train.train is not None and not any(trains(method) for method in methods):
        told.append(
            f"No row was trained, though there are {len(dataset.train.train.queries):,} training queries: "
            "`-m default -m dense+frozen_head` takes seconds more, `-m default -m recipes` tries every recipe."
        )
    return told


def _judged(decision: Decision, dataset: Dataset) -> list[str]:
    """Rows that show many more unjudged documents than the best, where judgements say too what is not relevant."""
    if not any(grade <= 0 for grades in dataset.test.qrels.values() for grade in grades.values()):
        return []  # where only relevant documents are judged, the share of them is the quality itself
    measure = decision.best.scores.measure
    shares = {o.row: told["judged"] for o in decision.options if (told := o.scores.records[0].unjudged.get(measure))}
    best = shares.get(decision.best.row)
    low = [row for row, share in shares.items() if best is not None and share < FEWER * best]
    if not low:
        return []
    names = ", ".join(f"`{row}` ({shares[row]:.0%})" for row in low)
    return [f"Of what the best shows, {best:.0%} is judged; figures of rows with much less may be too low: {names}."]
