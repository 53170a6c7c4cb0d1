"""A sweep from end to end: rows are tried on dev, the best there is chosen, and that one is reported on test."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.base.defaults import RESULTS
from harness.base.errors import HarnessError, NoFigures, RecordError
from harness.base.files import replacing, slug, write_text
from harness.base.json_files import read_json
from harness.bench.provenance import code_hash
from harness.bench.record import Record
from harness.bench.run_rows import executor_of
from harness.bench.runner import Bench, Result
from harness.bench.store import Store, Stored
from harness.compare.evidence import Scores, contrasts, scores
from harness.compare.verdict import verdict
from harness.data.measures import DEFAULT
from harness.executors import Executor, Job
from harness.executors.local import Local
from harness.methods import Method
from harness.recipes import trains
from harness.rows import row_name
from harness.runtime.context import Context, open_context
from harness.searches import SIZES
from harness.sweep.cells import Cells
from harness.sweep.estimate import Planned, planned
from harness.sweep.result import Found, Tested, choose, curve, gains
from harness.sweep.spec import CELLS, Spec, load
from harness.sweep.trials import Done, Tried, Tries

FOLDER, REPORTED = "sweeps", "reported.json"
Tell = Callable[[Done], None] | None
Show = Callable[[Result], None] | None
Write = Callable[[Found, Path, bool], object] | None


@dataclass(frozen=True)
class Swept:
    """A sweep over one collection, and where it is written down.

    Args:
        found: what it found.
        folder: with `sweep.md`, `sweep.json`, `sweep.csv`, and the plots where matplotlib is there.
    """

    found: Found
    folder: Path

    @property
    def failed(self) -> bool:
        """Whether a row failed, or the chosen one gave no figures on test."""
        return self.found.tested is None or any(one.problem and not one.skipped for one in self.found.tried)


def sweep(
    path: str | Path,
    executor: str | Executor | None = None,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Tell = None,
    show: Show = None,
    write: Write = None,
) -> list[Swept]:
    """Does what a sweep's file says, on each of its collections.

    Cells that were done before, by this sweep or another, are not done again, so that a killed sweep goes on where it
    was. Everything is chosen on dev; on test there are the chosen row, its settings with fewer training queries, and
    the baselines.

    Args:
        path: of the TOML file.
        executor: where cells run, as an expression or a value; None runs them here.
        results: folder of the records; the sweep's own is `sweeps/<name>/<dataset>` in it, the cells are in
            `sweeps/cells`.
        context: cache, device and first seed.
        tell: called after each cell.
        show: called after each row on test.
        write: stores what was found in the sweep's folder; called before the test split is looked at and again at the
            end (the third argument: whether it is the end).

    Raises:
        NoFigures: no row has figures for every seed.
        HarnessError: bad input, or a collection that cannot be had.
    """
    spec = load(Path(path))
    place = executor_of(executor) or Local()
    context = context or open_context()
    return [_one(spec, name, place, Path(results), context, tell, show, write) for name in spec.datasets]


def plan(path: str | Path, results: str | Path = RESULTS, context: Context | None = None) -> dict[str, list[Planned]]:
    """What a sweep will take: dataset → a line for each part of the search. Nothing is measured.

    Raises:
        HarnessError: bad input, or a collection that cannot be had.
    """
    spec = load(Path(path))
    context = context or open_context()
    records = Store(Path(results)).all()[0]
    found = {}
    for name in spec.datasets:
        tries = Tries(spec, name, Local(), context, Cells(Path()))
        cells = Cells(_folder(spec, tries, Path(results), CELLS))
        found[name] = planned(spec, tries, cells, [r for r in records if r.dataset["name"] == tries.dataset.name])
    return found


def _folder(spec: Spec, tries: Tries, results: Path, name: str) -> Path:
    inside = Store(results).place(tries.dataset.name, spec.baselines[0], 0).record.parents[1].name
    return results / FOLDER / name / inside


def _one(
    spec: Spec, name: str, executor: Executor, results: Path, context: Context, tell: Tell, show: Show, write: Write
) -> Swept:
    Store(results).check()
    context.ledger.turn_to(name)
    tries = Tries(spec, name, executor, context, Cells(Path()), tell)
    folder = _folder(spec, tries, results, slug(spec.name))
    tries.cells = Cells(_folder(spec, tries, results, CELLS))
    baselines = tries.rows(spec.baselines)
    spec.search.run(spec.space, tries.measure, context.seed)
    chosen = choose(tries.tried)
    if chosen is not None:
        _fill(spec, tries, chosen)  # a search that went up the training queries skipped some for this row
        chosen = choose(tries.tried)
    if chosen is None:
        why = "; ".join(dict.fromkeys(f"{one.row}: {one.problem}" for one in tries.tried if one.problem))
        raise NoFigures(
            f"no row of {spec.file.path.name} gave figures on dev ({why}).", skipped=all(t.skipped for t in tries.tried)
        )
    order = sorted(tries.tried, key=lambda one: (not one.ok, -one.mean if one.ok else 0.0))
    found = Found(spec.name, tries.dataset.name, spec.measure, str(spec.search), tuple(order), tuple(baselines))
    if write is not None:
        write(found, folder, False)  # before test: an error there does not lose what dev gave
    try:
        found = replace(found, tested=_test(spec, name, found, chosen, tries, executor, results, folder, context, show))
    except NoFigures as error:
        found = replace(found, problem=str(error))
    if write is not None:
        write(found, folder, True)
    return Swept(found, folder)


def _fill(spec: Spec, tries: Tries, chosen: Tried) -> None:
    """Measures the chosen settings with every number of training queries that its grid has."""
    for point in tries.asked(chosen):
        sizes = spec.space[point.grid].get(SIZES)
        if isinstance(sizes, tuple) and len(sizes) > 1:
            tries.measure([point.at(SIZES, size) for size in sizes])


def _test(
    spec: Spec,
    name: str,
    found: Found,
    chosen: Tried,
    tries: Tries,
    executor: Executor,
    results: Path,
    folder: Path,
    context: Context,
    show: Show,
) -> Tested:
    """The chosen row, its learning curve and the baselines on test."""
    along = {one.size: one for one in found.whole if one.size is not None and one.config == chosen.config}
    rows = [one.method for _, one in sorted(along.items())] if len(along) > 1 else []
    methods = list(dict.fromkeys([chosen.method, *rows, *spec.baselines]))
    looked = _looked(folder, chosen)
    held = _reported(spec, name, methods, tries, executor, results, context, show)
    own = held[chosen.method]
    if isinstance(own, str):
        raise NoFigures(f"{chosen.row}, which dev chose, gave no figures on test: {own}")
    others = {m: s for m in spec.baselines if not isinstance(s := held[m], str) and m != chosen.method}
    on_test = {row_name(m): s.values for m, s in others.items()}
    sizes = {
        size: s.values
        for size, one in (along.items() if len(along) > 1 else ())
        if not isinstance(s := held[one.method], str)
    }
    group = chosen.group
    drawn = (
        curve(chosen.config, group, {k: v for k, v in sizes.items() if k is not None}, on_test)
        if len(sizes) > 1
        else None
    )
    first = next((one for one in found.baselines if one.ok and one.method in others), None)
    gained = gains(chosen, first, own, others[first.method]) if first is not None else None
    verdicts = [verdict(contrast) for contrast in contrasts([(own, other) for other in others.values()])]
    return Tested(own, drawn, tuple(verdicts), gained, looked)


def _looked(folder: Path, chosen: Tried) -> tuple[str, ...]:
    """Notes that a chosen row is about to be reported on test; returns all that this sweep has had reported."""
    place = folder / REPORTED
    try:
        held = read_json(place, dict[str, dict[str, str]])
        rows = {method: told["row"] for method, told in held.items()}
    except FileNotFoundError:
        held, rows = {}, {}
    except (OSError, ValueError, KeyError) as error:
        raise RecordError(
            f"{place} cannot be read ({error}); it says which rows were reported on test. Mend or remove it."
        ) from error
    method = chosen.method.full()
    if method not in rows:
        rows[method] = chosen.row
        held[method] = {"row": chosen.row, "when": datetime.now(UTC).isoformat(timespec="seconds")}
        write_text(place, json.dumps(held, indent=1, ensure_ascii=False) + "\n")
    return tuple(rows.values())


def _reported(
    spec: Spec,
    name: str,
    methods: Sequence[Method],
    tries: Tries,
    executor: Executor,
    results: Path,
    context: Context,
    show: Show,
) -> dict[Method, Scores | str]:
    """Rows on test, each with its seeds: their scores, or why there are none. Records that stand are not made again."""
    store = Store(results)
    measures = list(dict.fromkeys((*DEFAULT, spec.measure)))
    held: dict[Method, dict[int, Stored]] = {method: {} for method in methods}
    wrong: dict[Method, str] = {}
    jobs: dict[str, tuple[Method, int]] = {}
    given = []
    for step in range(spec.seeds):
        seed = context.seed + step
        bench = Bench(methods, [name], context.reseeded(seed) if step else context, store, measures)
        for method in methods:
            if step and not trains(method):
                continue
            try:
                record = bench.kept(name, method)
            except HarnessError as error:
                wrong[method] = str(error)
                continue
            if record is not None:
                held[method][seed] = Stored(record, store.place(tries.dataset.name, method, seed))
                if show is not None:
                    show(Result(record, kept=True))
                continue
            job = _job(name, method, seed, measures, tries)
            jobs[job.id] = (method, seed)
            given.append(job)
    for outcome in executor.map(given, context) if given else ():
        method, seed = jobs[outcome.job.id]
        if outcome.error is not None or "skipped" in outcome.value:
            wrong[method] = outcome.error or outcome.value["skipped"]
            continue
        record = Record.from_json(json.dumps(outcome.value["record"]), f"the record of {row_name(method)}")
        stored = Stored(record, store.place(tries.dataset.name, method, seed))
        with replacing(stored.place.run) as part:
            part.write_bytes(base64.b64decode(outcome.value["run"]))
        store.save(stored.place, record, outcome.value["values"])
        held[method][seed] = stored
        if show is not None:
            show(Result(record, kept=False))
    return {
        m: wrong[m] if m in wrong else scores([one[s] for s in sorted(one)], store, spec.measure)
        for m, one in held.items()
    }


def _job(name: str, method: Method, seed: int, measures: Sequence[str], tries: Tries) -> Job:
    told = {
        "dataset": name,
        "view": tries.dataset.train.revision,
        "code": code_hash(),
        "method": method.full(),
        "seed": seed,
        "measures": list(measures),
        "warned": sorted(tries.warned),
    }
    key = tries.key(method, seed, on="test", dataset=tries.dataset.revision, measures=list(measures))
    return Job(
        key, "harness.sweep.worker:reported", told, label=f"{row_name(method)}, seed {seed}, on {tries.dataset.name}"
    )
