"""What the commands do; each returns its exit status."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table as Grid

from harness import api, auditing, deciding, exporting, sweeping, validation
from harness.bench import regression
from harness.bench.plan import plan as plan_of
from harness.bench.record import Record
from harness.bench.runner import Result
from harness.bench.store import Store, Stored
from harness.bench.verdict import Verdict
from harness.cache.folders import Cache
from harness.cache.manage import Removal, entries, faults, removals, remove
from harness.checks import check as check_dataset
from harness.context import Context
from harness.datasets import load_dataset
from harness.datasets.beir import fetch as fetch_beir
from harness.endpoints.redaction import redact_log
from harness.errors import RecordError, UnknownName
from harness.executors.local import Local
from harness.measures import DEFAULT
from harness.options import Options
from harness.progress import bars
from harness.report import terminal
from harness.report.board import figure, megabytes, tables
from harness.report.plots import write_plots
from harness.report.sweep import sentences
from harness.statistics.paired import ROUNDING
from harness.sweep.tries import Done

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
            Console(soft_wrap=True).print(str(step), markup=False, highlight=False)
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
        tell=_teller(err),
        executor=options.executor,
    )
    api.write_leaderboard(options.results, context)
    terminal.show(board.tables, out, board.across)
    out.print(f"records, leaderboard.md and leaderboard.html in {options.results}", markup=False, highlight=False, soft_wrap=True)
    statuses = [r.record.status for r in board.results]
    if options.quiet and not {"error", "ok"} & set(statuses):
        Console(stderr=True).print("every row was skipped; without --quiet it says why", markup=False, highlight=False)
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
    found = validation.validate(row, baselines, dataset, measure, seeds, margin, options.results, context, _teller(err))
    for verdict in found:
        _sentences(out, verdict)
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
    found = deciding.decide(dataset, rows, measure, margin, seeds, options.results, context, _teller(err))
    api.write_leaderboard(options.results, context)
    out.print(terminal.decision(found.dataset, found.decision))
    out.print()
    for i, sentence in enumerate(found.told):
        out.print(sentence.replace("`", ""), style="bold" if i == 0 else None, markup=False, highlight=False, soft_wrap=True)
    told = f"the decision is in {found.place}, the board in {options.results / 'leaderboard.html'}"
    out.print(f"\n{told}", markup=False, highlight=False, soft_wrap=True)
    return FAILED if found.failed else OK


def sweep(file: Path, dry_run: bool, options: Options) -> int:
    """`harness sweep`."""
    place = api.executor_of(options.executor) or Local()
    out, err, context = _opened(options)
    if dry_run:
        for dataset, parts in sweeping.plan(file, options.results, context).items():
            out.print(terminal.planned(dataset, parts, place.dollars))
        return OK

    def tell(done: Done) -> None:
        counted = f"[dim]{done.number}/{done.total}[/dim] " if done.total else ""
        head = f"{counted}[bold]{escape(done.row)}[/bold], seed {done.seed}: "
        if done.mean is not None:
            told = "up to date" if done.kept else f"{done.seconds:.0f} s"
            err.print(f"{head}{figure(done.mean)} on dev ({told})", highlight=False, soft_wrap=True)
        else:
            colour = "yellow" if done.skipped else "red"
            console = err if done.skipped else Console(stderr=True)
            console.print(f"{head}[{colour}]{escape(done.problem or 'no figures')}[/{colour}]", highlight=False, soft_wrap=True)

    failed = False
    for swept in sweeping.sweep(file, place, options.results, context, tell, _teller(err)):
        out.print(terminal.sweep(swept.found))
        out.print()
        for i, sentence in enumerate(sentences(swept.found)):
            out.print(sentence.replace("`", ""), style="bold" if i == 0 else None, markup=False, highlight=False, soft_wrap=True)
        out.print(f"\nthe sweep is in {swept.folder / 'sweep.md'}", markup=False, highlight=False, soft_wrap=True)
        failed = failed or swept.failed
    api.write_leaderboard(options.results, context)
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
        row, [other], dataset, measure, seeds, results=options.results, context=context, tell=_teller(err)
    )
    _sentences(out, found)
    contrast = found.contrast
    queries = load_dataset(dataset, context).test.queries
    texts = dict(zip(queries.ids, queries.texts, strict=True))
    lines = validation.differences((contrast.row, contrast.baseline))
    gained = [line for line in lines if line[1] - line[2] > ROUNDING][:top]
    lost = [line for line in reversed(lines) if line[2] - line[1] > ROUNDING][:top]
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
    found = auditing.audit(row, dataset, measure, options.results, context, _teller(err))
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
    out, _ = _consoles(False)
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
    taken = regression.accept(Stored(record, place), target, target.place(name, method, seed), why)
    told = f"accepted {taken.row} on {name} into {results}"
    changed = "; ".join(taken.accepted[-1].get("changed", ()))
    out.print(f"{told} (changed: {changed})" if changed else told, markup=False, highlight=False, soft_wrap=True)
    api.write_leaderboard(results, context)
    return OK


def leaderboard(results: Path, data_dirs: Sequence[Path], cache_dir: Path | None, plots: bool, quiet: bool) -> int:
    """`harness leaderboard`."""
    if not results.exists():
        raise RecordError(f"there is no folder {results}; harness run --results {results} makes one.")
    out, _ = _consoles(quiet)
    found, over, unread = api.write_leaderboard(results, api.open_context(cache_dir=cache_dir, data_dirs=data_dirs))
    drawn = write_plots(found, results / "plots") if plots else []
    terminal.show(found, out, over)
    for fault in unread:
        Console(stderr=True).print(str(fault), style="red", markup=False, highlight=False, soft_wrap=True)
    told = f"wrote {results / 'leaderboard.md'}, .csv, .html and .tex" + (
        f", {len(drawn)} plots in {results / 'plots'}" if drawn else ""
    )
    out.print(told, markup=False, highlight=False, soft_wrap=True)
    return FAILED if unread else OK


def check(dataset: str, data_dirs: Sequence[Path], cache_dir: Path | None) -> int:
    """`harness data check`."""
    report = check_dataset(dataset, api.open_context(cache_dir=cache_dir, data_dirs=data_dirs))
    Console(soft_wrap=True).print(str(report), markup=False, highlight=False)
    return OK if report.usable else FAILED


def fetch(dataset: str, cache_dir: Path | None) -> int:
    """`harness data fetch`."""
    source, _, name = dataset.partition("/")
    if source != "beir" or not name:
        raise UnknownName("dataset to fetch", dataset, [], "Only beir/<name> is downloaded, as beir/scifact.")
    out, err = _consoles(False)
    place = fetch_beir(name, api.open_context(cache_dir=cache_dir, progress=bars(err)))
    out.print(f"{dataset} is in {place}", markup=False, highlight=False, soft_wrap=True)
    return OK


def export_beir(dataset: str, to: Path, data_dirs: Sequence[Path], cache_dir: Path | None) -> int:
    """`harness export beir`."""
    _, err = _consoles(False)
    return _told(
        exporting.export_beir(dataset, to, api.open_context(cache_dir=cache_dir, data_dirs=data_dirs, progress=bars(err)))
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
    _, err = _consoles(False)
    context = api.open_context(seed=seed, device=device, cache_dir=cache_dir, data_dirs=data_dirs, progress=bars(err))
    return _told(exporting.export_model(row, dataset, seed, to, results, context, _teller(err)))


def import_(paths: Sequence[Path], results: Path, data_dirs: Sequence[Path], cache_dir: Path | None) -> int:
    """`harness import`."""
    told = exporting.import_published(paths, results)
    api.write_leaderboard(results, api.open_context(cache_dir=cache_dir, data_dirs=data_dirs))
    return _told(told)


def cache_ls(cache_dir: Path | None) -> int:
    """`harness cache ls`."""
    cache = Cache(cache_dir)
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for name, right in (("kind", False), ("key", False), ("MiB", True), ("unused for", True), ("of", False)):
        grid.add_column(name, justify="right" if right else "left", overflow="fold")
    found = entries(cache)
    for entry in found:
        words = ", ".join(f"{k} {v}" for k, v in entry.describe.items() if v not in ("", None))
        days = f"{(time.time() - entry.used) / 86400:.1f} d"
        grid.add_row(entry.kind, entry.key[:12], megabytes(entry.bytes), days, escape(words))
    out = Console()
    out.print(grid)
    told = f"{len(found)} entries, {megabytes(sum(e.bytes for e in found))} MiB in {cache.root}"
    out.print(told, markup=False, highlight=False, soft_wrap=True)
    return OK


def cache_verify(cache_dir: Path | None) -> int:
    """`harness cache verify`."""
    cache, out = Cache(cache_dir), Console(soft_wrap=True)
    found = entries(cache)
    wrong = [fault for entry in found for fault in faults(entry)]
    for fault in wrong:
        out.print(fault, markup=False, highlight=False)
    if wrong:
        out.print("`harness cache gc` removes what is damaged; it is made again when it is needed.")
        return FAILED
    out.print(f"{len(found)} entries in {cache.root}: all sound", markup=False, highlight=False)
    return OK


def cache_gc(cache_dir: Path | None, older_than: float | None, max_size: float | None, dry_run: bool) -> int:
    """`harness cache gc`."""
    cache, out = Cache(cache_dir), Console(soft_wrap=True)
    gone: list[Removal] = []
    for removal in list(removals(cache, older_than, None if max_size is None else int(max_size * 2**30))):
        if dry_run or remove(cache, removal):
            gone.append(removal)
            out.print(f"{removal.path}: {removal.why}", markup=False, highlight=False)
        else:
            out.print(f"{removal.path}: in use, left alone", markup=False, highlight=False)
    size = megabytes(sum(r.bytes for r in gone))
    out.print(f"{'would remove' if dry_run else 'removed'} {len(gone)} things, {size} MiB", highlight=False)
    return OK


def _told(lines: Sequence[str]) -> int:
    out = Console(soft_wrap=True)
    for line in lines:
        out.print(line, markup=False, highlight=False)
    return OK


def _consoles(quiet: bool) -> tuple[Console, Console]:
    """Standard output for results, standard error for what goes on; rich itself heeds NO_COLOR and terminals."""
    width = None if os.environ.get("COLUMNS") or Console().is_terminal else 200
    out, err = Console(quiet=quiet, width=width), Console(stderr=True, quiet=quiet)
    handler = RichHandler(console=Console(stderr=True), show_time=False, show_path=False)
    handler.addFilter(redact_log)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    return out, err


def _opened(options: Options) -> tuple[Console, Console, Context]:
    """Both consoles and the context."""
    out, err = _consoles(options.quiet)
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


def _teller(err: Console) -> Callable[[Result], None]:
    """Says of each row, as it is done, what it gave."""

    def tell(result: Result) -> None:
        record = result.record
        head = f"[bold]{escape(record.row)}[/bold] on {escape(record.dataset['name'])}: "
        if record.status == "ok":
            first = tables([record])[0].measures[0]
            kept = " (up to date)" if result.kept else ""
            err.print(f"{head}{first} {figure(record.measures[first])}{kept}", highlight=False, soft_wrap=True)
        else:
            colour = "yellow" if record.status == "skipped" else "red"
            problem = record.problem or {}
            told = f"{problem.get('reason', '')} {problem.get('remedy', '')}".strip()
            console = err if record.status == "skipped" else Console(stderr=True)
            console.print(f"{head}[{colour}]{record.status}[/{colour}]: {escape(told)}", highlight=False, soft_wrap=True)

    return tell


def _sentences(out: Console, verdict: Verdict) -> None:
    first, *rest = verdict.sentences
    out.print(first, style="bold", markup=False, highlight=False, soft_wrap=True)
    for sentence in rest:
        out.print(f"  {sentence}", markup=False, highlight=False, soft_wrap=True)
    out.print()
