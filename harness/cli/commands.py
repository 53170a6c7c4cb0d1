"""What the commands do; each returns its exit status."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import api
from harness.audit import row as auditing
from harness.base.errors import RecordError, UnknownName
from harness.base.plain import one_line
from harness.bench.plan import plan as plan_of
from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.cli.options import Options
from harness.cli.progress import bars
from harness.compare import regression
from harness.compare import validate as validation
from harness.data.measures import DEFAULT
from harness.datacheck.collection import check as check_dataset
from harness.datasets import load_dataset
from harness.datasets.beir import fetch as fetch_beir
from harness.exchange import export as exporting
from harness.executors.local import Local
from harness.report import messages, terminal
from harness.report.board_files import is_written, write_board
from harness.report.messages import row_printer, trial_printer
from harness.report.plots import write_plots
from harness.report.screen import Screen, screens
from harness.report.sweep_sentences import sentences
from harness.runtime.context import Context
from harness.statistics.paired import ROUNDING
from harness.sweep.run import plan as plan_sweep

OK, FAILED, NOTHING, UNTOLD = 0, 1, 3, 4


def run(
    datasets: Sequence[str],
    rows: Sequence[str],
    measures: Sequence[str],
    depth: int,
    rerun: bool,
    show_plan: bool,
    precision: str | None,
    options: Options,
) -> int:
    """`harness run`."""
    names = list(dict.fromkeys(datasets)) or [api.DEFAULT_DATASET]
    api.executor_of(options.executor)
    if show_plan:
        for step in plan_of(api.methods_of(rows, precision), names, depth).steps:
            Screen(soft_wrap=True).print(str(step), markup=False, highlight=False)
        return OK
    out, err, context = _opened(options)
    board = api.run(
        *rows,
        dataset=names,
        measures=measures or DEFAULT,
        depth=depth,
        results=options.results,
        context=context,
        rerun=rerun,
        precision=precision,
        tell=row_printer(err),
        executor=options.executor,
    )
    _update(options.results, context)
    terminal.show(board.tables, out, board.across)
    out.print(
        f"records, leaderboard.md and leaderboard.html in {options.results}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    statuses = [r.record.status for r in board.results]
    if options.quiet and not {"error", "ok"} & set(statuses):
        Screen(stderr=True).print("every row was skipped; without --quiet it says why", markup=False, highlight=False)
    return FAILED if "error" in statuses else OK if "ok" in statuses else NOTHING


def validate(
    row: str,
    baselines: Sequence[str],
    dataset: str,
    measure: str,
    seeds: int,
    margin: float,
    options: Options,
) -> int:
    """`harness validate`."""
    out, err, context = _opened(options)
    found = validation.validate(
        row, baselines, dataset, measure, seeds, margin, options.results, context, row_printer(err)
    )
    for verdict in found:
        messages.print_verdict(out, verdict)
    findings = {verdict.finding for verdict in found}
    return FAILED if "worse" in findings else UNTOLD if "cannot tell" in findings else OK


def decide(
    dataset: str,
    rows: Sequence[str],
    measure: str,
    margin: float,
    seeds: int,
    options: Options,
) -> int:
    """`harness decide`."""
    out, err, context = _opened(options)
    found = api.decide(dataset, rows, measure, margin, seeds, options.results, context, row_printer(err))
    _update(options.results, context)
    out.print(terminal.decision(found.dataset, found.decision))
    out.print()
    messages.print_sentences(out, found.told)
    told = f"the decision is in {found.place}, the board in {options.results / 'leaderboard.html'}"
    out.print(f"\n{told}", markup=False, highlight=False, soft_wrap=True)
    return FAILED if found.failed else OK


def sweep(file: Path, dry_run: bool, options: Options) -> int:
    """`harness sweep`."""
    place = api.executor_of(options.executor) or Local()
    out, err, context = _opened(options)
    if dry_run:
        for dataset, parts in plan_sweep(file, options.results, context).items():
            out.print(terminal.planned(dataset, parts, place.dollars))
        return OK

    failed = False
    for swept in api.sweep(file, place, options.results, context, trial_printer(err), row_printer(err)):
        out.print(terminal.sweep(swept.found))
        out.print()
        messages.print_sentences(out, sentences(swept.found))
        out.print(f"\nthe sweep is in {swept.folder / 'sweep.md'}", markup=False, highlight=False, soft_wrap=True)
        failed = failed or swept.failed
    _update(options.results, context)
    return FAILED if failed else OK


def compare(
    row: str,
    other: str,
    dataset: str,
    measure: str,
    top: int,
    seeds: int,
    options: Options,
) -> int:
    """`harness compare`."""
    out, err, context = _opened(options)
    (found,) = validation.validate(
        row, [other], dataset, measure, seeds, results=options.results, context=context, tell=row_printer(err)
    )
    messages.print_verdict(out, found)
    contrast = found.contrast
    queries = load_dataset(dataset, context).test.queries
    texts = dict(zip(queries.ids, queries.texts, strict=True))
    by_query = validation.differences((contrast.row, contrast.baseline))
    gained = [line for line in by_query if line[1] - line[2] > ROUNDING][:top]
    lost = [line for line in reversed(by_query) if line[2] - line[1] > ROUNDING][:top]
    names = (contrast.row.row, contrast.baseline.row)
    for name, shown in zip(names, (gained, lost), strict=True):
        if shown:
            told = [(*line, texts.get(line[0], "")) for line in shown]
            out.print(terminal.differences(f"where {name} gains most", names, told))
            out.print()
    return OK


def audit(
    row: str,
    dataset: str,
    measure: str,
    options: Options,
) -> int:
    """`harness audit`."""
    out, err, context = _opened(options)
    found = auditing.audit(row, dataset, measure, options.results, context, row_printer(err))
    for line in found.lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    return OK


def accept(
    row: str,
    why: str,
    dataset: str,
    seed: int,
    new: Path,
    results: Path,
    data_dirs: Sequence[Path],
    cache_dir: Path | None,
) -> int:
    """`harness accept`."""
    out, _ = screens()
    (method,) = api.methods_of([row])
    context = api.open_context(cache_dir=cache_dir, data_dirs=data_dirs)
    name = load_dataset(dataset, context).name
    store = Store(new)
    place = store.place(name, method, seed)
    if not place.record.is_file():
        remedy = f"pytest suites/ --benchmark --against {results} makes one."
        raise RecordError(f"{new} has no record of {row} on {name} with seed {seed}; {remedy}")
    record = Record.from_json(place.record.read_text(encoding="utf-8"), str(place.record))
    target = Store(results)
    taken = regression.accept(StoredRecord(record, place), target, target.place(name, method, seed), why)
    told = f"accepted {taken.row} on {name} into {results}"
    changed = "; ".join(taken.accepted[-1].get("changed", ()))
    out.print(f"{told} (changed: {changed})" if changed else told, markup=False, highlight=False, soft_wrap=True)
    _update(results, context)
    return OK


def leaderboard(results: Path, data_dirs: Sequence[Path], cache_dir: Path | None, plots: bool, quiet: bool) -> int:
    """`harness leaderboard`."""
    if not results.exists():
        raise RecordError(f"there is no folder {results}; harness run --results {results} makes one.")
    out, err = screens(quiet)
    context = api.open_context(cache_dir=cache_dir, data_dirs=data_dirs, progress=bars(err))
    found, over, unread = api.write_leaderboard(results, context)
    drawn = write_plots(found, results / "plots") if plots else []
    terminal.show(found, out, over)
    _report(unread)
    told = f"wrote {results / 'leaderboard.md'}, .csv, .html and .tex" + (
        f", {len(drawn)} plots in {results / 'plots'}" if drawn else ""
    )
    out.print(told, markup=False, highlight=False, soft_wrap=True)
    return FAILED if unread else OK


def check(dataset: str, data_dirs: Sequence[Path], cache_dir: Path | None) -> int:
    """`harness data check`."""
    report = check_dataset(dataset, api.open_context(cache_dir=cache_dir, data_dirs=data_dirs))
    Screen(soft_wrap=True).print(str(report), markup=False, highlight=False)
    return OK if report.usable else FAILED


def fetch(dataset: str, cache_dir: Path | None) -> int:
    """`harness data fetch`."""
    source, _, name = dataset.partition("/")
    if source != "beir" or not name:
        raise UnknownName("dataset to fetch", dataset, [], "Only beir/<name> is downloaded, as beir/scifact.")
    out, err = screens()
    place = fetch_beir(name, api.open_context(cache_dir=cache_dir, progress=bars(err)))
    out.print(f"{dataset} is in {place}", markup=False, highlight=False, soft_wrap=True)
    return OK


def export_beir(dataset: str, to: Path, data_dirs: Sequence[Path], cache_dir: Path | None) -> int:
    """`harness export beir`."""
    _, err = screens()
    return _told(
        exporting.export_beir(
            dataset, to, api.open_context(cache_dir=cache_dir, data_dirs=data_dirs, progress=bars(err))
        )
    )


def export_trec(
    dataset: str,
    rows: Sequence[str],
    to: Path,
    topics: str,
    seed: int,
    results: Path,
    data_dirs: Sequence[Path],
    cache_dir: Path | None,
) -> int:
    """`harness export trec`."""
    context = api.open_context(cache_dir=cache_dir, data_dirs=data_dirs)
    return _told(exporting.export_trec(dataset, rows, to, topics, seed, results, context))


def export_mteb(datasets: Sequence[str], rows: Sequence[str], to: Path, results: Path) -> int:
    """`harness export mteb`."""
    return _told(exporting.export_mteb(datasets, rows, to, results))


def export_model(
    row: str,
    dataset: str,
    seed: int,
    to: Path,
    results: Path,
    data_dirs: Sequence[Path],
    cache_dir: Path | None,
    device: str | None,
) -> int:
    """`harness export model`."""
    _, err = screens()
    context = api.open_context(seed=seed, device=device, cache_dir=cache_dir, data_dirs=data_dirs, progress=bars(err))
    return _told(exporting.export_model(row, dataset, seed, to, results, context, row_printer(err)))


def import_(paths: Sequence[Path], results: Path, data_dirs: Sequence[Path], cache_dir: Path | None) -> int:
    """`harness import`."""
    told = exporting.import_published(paths, results)
    _update(results, api.open_context(cache_dir=cache_dir, data_dirs=data_dirs))
    return _told(told)


def _update(results: Path, context: Context) -> None:
    """Writes the board's files where something changed, and says which records it leaves out."""
    if not is_written(results, context):
        _report(write_board(results, context).faults)


def _report(faults: Sequence[Exception]) -> None:
    for fault in faults:
        Screen(stderr=True).say(f"left out of the board: {one_line(str(fault))}", "red")


def _told(told: Sequence[str]) -> int:
    out = Screen(soft_wrap=True)
    for line in told:
        out.print(line, markup=False, highlight=False)
    return OK


def _opened(options: Options) -> tuple[Screen, Screen, Context]:
    """Both consoles and the context."""
    out, err = screens(options.quiet)
    context = api.open_context(
        seed=options.seed,
        device=options.device,
        batch_tokens=options.batch_tokens,
        memory=options.memory,
        cache_dir=options.cache_dir,
        data_dirs=options.data_dirs,
        progress=bars(err),
    )
    return out, err, context
