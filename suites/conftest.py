"""Options of `pytest suites/ --benchmark`, the cells (row × dataset) it runs, and the leaderboard it prints at the end.

Without `--benchmark` everything here is collected and skipped, and torch is not imported.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table as Grid

from harness import api
from harness.base.errors import HarnessError
from harness.base.limits import checked_depth, checked_seed
from harness.base.plain import one_line
from harness.base.redaction import redacted
from harness.bench.index_quality import IndexMeasurement, store_lines
from harness.bench.record import Record
from harness.bench.runner import DEFAULT_DEPTH, Bench
from harness.bench.store import Store
from harness.choices.expression import parse
from harness.cli.progress import bars
from harness.compare.regression import Regression
from harness.compare.verdict import MARGIN, Verdict
from harness.data.measures import DEFAULT, parse_measures
from harness.datasets import SOURCES, check_name
from harness.indexes import INDEXES, Index
from harness.methods import Method
from harness.report import terminal
from harness.report.board import tables
from harness.report.comparisons import with_comparisons
from harness.report.comparisons_across import compared_across
from harness.report.sweep_sentences import sentences
from harness.rows import ROOMS, parse_method, row_name
from harness.runtime.context import Context
from harness.runtime.progress import Advance
from harness.sweep.run import FinishedSweep
from harness.sweep.spec import load as load_sweep

CELL = "harness_cell"
PUBLISHED = "harness_published"
STANDS = "harness_stands"
VERDICTS = "harness_verdicts"
INDEXED = "harness_indexed"
SWEPT = "harness_swept"
BESIDE = "harness_beside_lucene"
BESIDE_LUCENE = ("beir/scifact", "beir/cranfield")
"""On what the embedded BM25 is held beside Lucene, where it is at hand."""
ENCODER = "dense"
_RUN: set[tuple[str, ...]] = set()
_PUBLISHED: list[tuple[Any, ...]] = []
_STANDS: list[str] = []
_VERDICTS: list[str] = []
_INDEXED: list[IndexMeasurement] = []
_SWEPT: list[list[str]] = []
_BESIDE: list[str] = []


@dataclass(frozen=True)
class Cell:
    """One row on one dataset."""

    dataset: str
    method: Method

    def __str__(self) -> str:
        return f"{self.dataset}-{row_name(self.method)}"


@dataclass(frozen=True)
class Searched:
    """One index on the vectors of one dataset, or on as many made ones as `synthetic` says."""

    dataset: str
    index: Index
    synthetic: int = 0

    def __str__(self) -> str:
        return f"{self.dataset}-{self.index}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the benchmark; they mean what they mean to `harness run`."""
    group = parser.getgroup("retrieval-harness")
    group.addoption("--benchmark", action="store_true", help="run the suites in suites/; without it they are skipped")
    group.addoption(
        "--dataset", action="append", default=[], help="source/name[/split] or a folder; default: stdlib/code"
    )
    group.addoption("--method", action="append", default=[], help="a row or an expression; default: the default rows")
    group.addoption(
        "--measure", action="append", default=[], help=f"ir-measures' notation; default: {' '.join(DEFAULT)}"
    )
    group.addoption("--depth", type=int, default=DEFAULT_DEPTH, help="documents kept per query")
    group.addoption("--seed", type=int, default=0, help="of every random stream")
    group.addoption("--results", type=Path, default=None, help="folder of the records (default: results)")
    group.addoption(
        "--against",
        type=Path,
        default=None,
        help="hold new records against those of this folder; they go to <folder>.new",
    )
    group.addoption("--baseline", action="append", default=[], help="hold each row against this one; repeat")
    group.addoption(
        "--margin", type=float, default=MARGIN, help="differences up to this do not matter (default: %(default)s)"
    )
    group.addoption("--seeds", type=int, default=1, help="seeds that a trained row is validated with")
    group.addoption("--index", action="append", default=[], help="an index to measure, or all; repeat")
    group.addoption("--encoder", default=None, help=f"the dense row whose vectors are indexed (default: {ENCODER})")
    group.addoption("--synthetic", type=int, default=0, help="measure indexes on so many made vectors")
    group.addoption("--sweep", action="append", type=Path, default=[], help="a sweep's TOML file; repeat")
    group.addoption(
        "--data-dir", action="append", type=Path, default=[], help="folder that holds BEIR collections; repeat"
    )
    group.addoption(
        "--cache-dir", type=Path, default=None, help="cache folder (default: HARNESS_CACHE or the user's cache)"
    )
    group.addoption("--device", default=None, help="cpu, cuda, mps (default: torch's choice)")
    group.addoption("--batch-tokens", type=int, default=None, help="tokens that go through a model at once")
    group.addoption(
        "--precision",
        default=os.environ.get("HARNESS_PRECISION"),
        help="of dense rows and cross-encoders in fp32: auto, fp32, bf16, fp16, int8 (default: HARNESS_PRECISION or fp32)",
    )
    group.addoption(
        "--executor",
        default=None,
        help="where rows, and a sweep's cells, are made: processes, ray(workers=4) …; default: here",
    )
    group.addoption("--memory", default=None, help="what steps may take for what grows with a collection, as 2GB")
    group.addoption("--rerun", action="store_true", help="run rows again whose records are up to date")


def pytest_configure(config: pytest.Config) -> None:
    """Reads the options before the first expensive step, so that a wrong row, measure or depth is told at once."""
    try:
        api.methods_of(
            [*config.getoption("--method"), *config.getoption("--baseline")], config.getoption("--precision")
        )
        checked_seed(config.getoption("--seed"))
        checked_depth(config.getoption("--depth"))
        parse_measures(config.getoption("--measure") or DEFAULT)
        parse_method(config.getoption("--encoder") or ENCODER)
        _indexes(config)
        api.executor_of(config.getoption("--executor"))
        _check_data(config)
        for path in config.getoption("--sweep"):
            load_sweep(path)
    except HarnessError as error:
        raise pytest.UsageError(one_line(redacted(str(error)))) from error
    if config.getoption("--executor") and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--executor and -n are two ways to do the same; give one of them")
    if config.getoption("--synthetic") < 0:
        raise pytest.UsageError("--synthetic must be 1 or more")
    if not 0 < config.getoption("--margin") < 1 or config.getoption("--seeds") < 1:
        raise pytest.UsageError("--margin must be above 0 and below 1, --seeds 1 or more")
    against: Path | None = config.getoption("--against")
    if against is not None and not against.is_dir():
        raise pytest.UsageError(f"--against {against}: there is no such folder")
    if against is not None and next(against.glob("*/*/seed*.json"), None) is None:
        raise pytest.UsageError(f"--against {against}: no record is in it; harness run --results {against} makes some")
    if config.option.results is None:
        config.option.results = Path("results") if against is None else against.with_name(f"{against.name}.new")
    if against is not None and config.option.results.resolve() == against.resolve():
        raise pytest.UsageError(
            "--against and --results name one folder; new records would replace those they are held against"
        )


def _check_data(config: pytest.Config) -> None:
    """The settings of the context, and the names of the datasets; a run without `--benchmark` makes no cache folder for
    it.
    """
    if config.getoption("--benchmark") or config.getoption("--sweep"):
        context = _context(config)
        for name in config.getoption("--dataset"):
            check_name(name, context)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The items that the options ask for, datasets outermost: each option narrows every suite that it means something
    to.

    A suite to which they leave nothing is one skipped item that says why.
    """
    config = metafunc.config
    for name, items in (("cell", _cells), ("searched", _searched), ("expected", _expected), ("settings", _settings)):
        if name in metafunc.fixturenames:
            params, why = items(metafunc)
            _parametrize(metafunc, name, params, why)
    if "sweep_file" in metafunc.fixturenames:
        metafunc.parametrize("sweep_file", config.getoption("--sweep"), ids=lambda path: path.stem)
    if "beside_lucene" in metafunc.fixturenames:
        held, why = _beside(metafunc)
        _parametrize(metafunc, "beside_lucene", held, why, scope="module")


def _parametrize(metafunc: pytest.Metafunc, name: str, params: Sequence[Any], why: str, **more: Any) -> None:
    nothing = [pytest.param(None, marks=pytest.mark.skip(reason=why), id="none")]
    metafunc.parametrize(name, params or nothing, ids=(lambda one: str(one) or "defaults") if params else None, **more)


def _cells(metafunc: pytest.Metafunc) -> tuple[list[Cell], str]:
    config = metafunc.config
    needed = {"against": "--against", "judged": "--baseline"}  # what the suite is for
    for fixture, option in needed.items():
        if fixture in metafunc.fixturenames and not config.getoption(option):
            return [], f"run with {option}{' results/' if option == '--against' else ''}"
    methods = api.methods_of(config.getoption("--method"), config.getoption("--precision"))
    return [Cell(dataset, method) for dataset in _datasets(config) for method in methods], "no row is named"


def _searched(metafunc: pytest.Metafunc) -> tuple[list[Searched], str]:
    config = metafunc.config
    made = config.getoption("--synthetic")
    if not config.getoption("--index") and not made:
        return [], "run with --index all, --index hnsw or --synthetic 100000"
    names = [(f"synthetic/{made}", made)] if made else []
    if not made or config.getoption("--dataset"):
        if config.getoption("--encoder") is None and not _asked(config, ENCODER):
            return _over(
                names, config
            ), f"{ENCODER} is not among the rows of --method; --encoder names the row to index"
        names += [(name, 0) for name in _datasets(config)]
    return _over(names, config), ""


def _over(names: Sequence[tuple[str, int]], config: pytest.Config) -> list[Searched]:
    return [Searched(name, index, number) for name, number in names for index in _indexes(config)]


def _expected(metafunc: pytest.Metafunc) -> tuple[list[Expected], str]:
    config = metafunc.config
    every = [e for e in expected_figures() if _asked(config, e.row) and _among(config, e.dataset)]
    return (
        every,
        "no published scores for the rows and datasets that are named, or their collections are not on this machine",
    )


def _beside(metafunc: pytest.Metafunc) -> tuple[list[str], str]:
    """Where the embedded BM25 is held beside Lucene, and Lucene beside Pyserini, if one of these rows is named or none
    is.
    """
    config, module = metafunc.config, metafunc.module
    both = "settings" in metafunc.fixturenames
    compared, settings = (("bm25", "lucene"), module.SETTINGS) if both else (("lucene",), module.PYSERINIS)
    if not any(_asked(config, _row(row, setting)) for row in compared for setting in settings):
        return [], f"no row of --method is {' or '.join(compared)} with settings that are compared"
    return [
        name for name in BESIDE_LUCENE if _among(config, name)
    ], "none of these collections is named and on this machine"


def _settings(metafunc: pytest.Metafunc) -> tuple[list[str], str]:
    config = metafunc.config
    rows = {setting: [_row(row, setting) for row in ("bm25", "lucene")] for setting in metafunc.module.SETTINGS}
    return [s for s, both in rows.items() if any(_asked(config, row) for row in both)], "no row of --method is compared"


def _row(row: str, settings: str) -> str:
    return f"{row}({settings})" if settings else row


def _asked(config: pytest.Config, row: str) -> bool:
    """Whether the options name a row, or name none."""
    named = config.getoption("--method")
    return not named or parse_method(row) in api.methods_of(named, None)


def _among(config: pytest.Config, collection: str) -> bool:
    """Whether the test split of a BEIR collection is on this machine and named by the options, or none is named."""
    if not config.getoption("--benchmark"):
        return True
    named = {name.removesuffix("/test") for name in config.getoption("--dataset")}
    at_hand = {f"beir/{name}" for name in SOURCES.get("beir")().available(_context(config))}
    return collection in at_hand and (not named or collection in named)


@dataclass(frozen=True)
class Expected:
    """Published figures of one row on one dataset, from `published/*.json`."""

    title: str
    source: str
    row: str
    tolerance: float
    dataset: str
    figures: dict[str, float]

    def __str__(self) -> str:
        return f"{self.title} on {self.dataset}"


def expected_figures() -> list[Expected]:
    """All published figures, each file with its source, row and tolerance."""
    found = []
    for path in sorted((Path(__file__).parent / "published").glob("*.json")):
        held = json.loads(path.read_text(encoding="utf-8"))
        for name, figures in held["figures"].items():
            found.append(
                Expected(held["title"], held["source"], held["row"], held["tolerance"], f"beir/{name}", figures)
            )
    return found


def _datasets(config: pytest.Config) -> list[str]:
    return list(dict.fromkeys(config.getoption("--dataset"))) or [api.DEFAULT_DATASET]


def _indexes(config: pytest.Config) -> list[Index]:
    """Those asked for, `all` each with its defaults; exact search first, which the others are held against."""
    names = config.getoption("--index")
    if not names or "all" in names:
        names = sorted(INDEXES.names(), key=lambda name: (name != "exact", name))
    return [parse(name, INDEXES, ROOMS) for name in dict.fromkeys(names)]


@pytest.fixture(
    autouse=True, scope="session"
)  # before any other of the session, so that a skipped suite makes no folder
def _only_on_request(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--benchmark") and not request.config.getoption("--sweep"):
        pytest.skip("run with --benchmark")


@pytest.fixture(autouse=True)
def _a_sweep_asks_for_itself_alone(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--benchmark") and "sweep_file" not in request.fixturenames:
        pytest.skip("run with --benchmark")


@pytest.fixture(scope="session")
def context(request: pytest.FixtureRequest) -> Context:
    """The context of the options, with progress bars that get past pytest's capture on a terminal."""
    return _context(request.config)


def _context(config: pytest.Config) -> Context:
    capture = config.pluginmanager.getplugin("capturemanager")

    @contextlib.contextmanager
    def progress(label: str, total: int, unit: str) -> Iterator[Advance]:
        shown = capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext()
        with shown, bars(Console(stderr=True))(label, total, unit) as advance:
            yield advance

    return api.open_context(
        seed=config.getoption("--seed"),
        device=config.getoption("--device"),
        batch_tokens=config.getoption("--batch-tokens"),
        memory=config.getoption("--memory"),
        cache_dir=config.getoption("--cache-dir"),
        data_dirs=config.getoption("--data-dir"),
        progress=progress,
    )


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest, context: Context) -> Iterator[Bench]:
    """One bench for all cells, so that shared steps are done once; with `--executor`, elsewhere."""
    config = request.config
    params = (getattr(item, "callspec", None) for item in request.session.items)
    asked = [cell for spec in params if spec is not None and (cell := spec.params.get("cell")) is not None]
    with api.opened_bench(
        api.methods_of(config.getoption("--method"), config.getoption("--precision")),
        _datasets(config),
        context,
        Store(config.getoption("--results")),
        config.getoption("--measure") or DEFAULT,
        config.getoption("--depth"),
        rerun=config.getoption("--rerun"),
        executor=config.getoption("--executor"),
        cells={(cell.dataset, cell.method) for cell in asked},
    ) as opened:
        yield opened


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Callable[[Record], None]:
    """Puts a record on the leaderboard that is printed at the end."""

    def one(record: Record) -> None:
        record_property(CELL, (record.dataset["name"], record.row))

    return one


@pytest.fixture(scope="session")
def encoder(request: pytest.FixtureRequest) -> Method:
    """The row of `--encoder`."""
    return parse_method(request.config.getoption("--encoder") or ENCODER)


@pytest.fixture
def tell_indexed(record_property: Callable[[str, object], None]) -> Callable[[IndexMeasurement], None]:
    """Puts what an index gave on the table that is printed at the end."""

    def one(found: IndexMeasurement) -> None:
        record_property(INDEXED, dataclasses.asdict(found))

    return one


@pytest.fixture
def tell_swept(record_property: Callable[[str, object], None]) -> Callable[[FinishedSweep], None]:
    """Puts what a sweep found on the list that is printed at the end."""

    def one(swept: FinishedSweep) -> None:
        record_property(SWEPT, [*sentences(swept.found), f"the sweep is in {swept.folder / 'sweep.md'}"])

    return one


@pytest.fixture
def against(request: pytest.FixtureRequest) -> Path | None:
    """The folder of `--against`."""
    folder: Path | None = request.config.getoption("--against")
    return folder


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Path:
    """The folder of the records."""
    folder: Path = request.config.getoption("--results")
    return folder


@pytest.fixture
def judged(record_property: Callable[[str, object], None]) -> Callable[[Verdict], None]:
    """Puts a verdict on the list that is printed at the end."""

    def one(verdict: Verdict) -> None:
        record_property(VERDICTS, verdict.sentences[0])

    return one


@pytest.fixture
def beside(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Puts a sentence on what Lucene says into the list that is printed at the end."""

    def one(sentence: str) -> None:
        record_property(BESIDE, sentence)

    return one


@pytest.fixture
def stands(record_property: Callable[[str, object], None]) -> Callable[[Regression], None]:
    """Puts what the gate found of a row on the list that is printed at the end."""

    def one(found: Regression) -> None:
        record_property(STANDS, found.sentence)

    return one


@pytest.fixture
def held_against(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Puts a published figure and ours on the table that is printed at the end."""

    def one(expected: Any, measure: str, published: float, measured: float, verdict: str) -> None:
        record_property(PUBLISHED, (str(expected), measure, published, measured, verdict, expected.tolerance))

    return one


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remembers which cells were run; with pytest-xdist this is called where the leaderboard is printed."""
    if report.when != "call":  # the properties come with the teardown's report again
        return
    told: list[tuple[str, Any]] = report.user_properties
    for name, value in told:
        if name == CELL:
            _RUN.add(tuple(value))
        elif name == PUBLISHED:
            _PUBLISHED.append(tuple(value))
        elif name == STANDS:
            _STANDS.append(value)
        elif name == VERDICTS:
            _VERDICTS.append(value)
        elif name == INDEXED:
            _INDEXED.append(IndexMeasurement(**value))
        elif name == SWEPT:
            _SWEPT.append(value)
        elif name == BESIDE:
            _BESIDE.append(value)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the leaderboard of the cells that were run, and writes leaderboard.md and .csv from all records."""
    if _PUBLISHED:
        terminalreporter.section("held against published figures")
        for title, measure, published, measured, verdict, tolerance in _PUBLISHED:
            difference = f"{measured - published:+.5f} (tolerance {tolerance})"
            terminalreporter.write_line(
                f"{verdict:4}  {title}: {measure} {measured:.5f}, published {published}, {difference}"
            )
    _print_sentences(terminalreporter, f"held against {config.getoption('--against')}", _STANDS)
    _print_sentences(terminalreporter, "verdicts", _VERDICTS)
    _print_indexed(terminalreporter, config)
    for told in _SWEPT:
        _print_sentences(terminalreporter, "sweep", [sentence.replace("`", "") for sentence in told])
    _print_sentences(terminalreporter, "the embedded BM25 beside Lucene", _BESIDE)
    if not _RUN:
        return
    results: Path = config.getoption("--results")
    store = Store(results)
    held, faults = store.stored()
    records = [stored.record for stored in held]
    shown = [r for r in records if (r.dataset["name"], r.row) in _RUN and r.seed == config.getoption("--seed")]
    text = io.StringIO()
    console = Console(
        file=text, width=max(terminalreporter._tw.fullwidth, 140), force_terminal=terminalreporter.hasmarkup
    )
    found = tables(shown)
    terminal.show(with_comparisons(found, store, held), console, compared_across(found, store, held))
    terminalreporter.section("leaderboard")
    terminalreporter.write(text.getvalue())
    for fault in faults:
        terminalreporter.write_line(str(fault))
    try:
        context = api.open_context(cache_dir=config.getoption("--cache-dir"), data_dirs=config.getoption("--data-dir"))
        api.write_leaderboard(results, context)
        terminalreporter.write_line(f"records, leaderboard.md and leaderboard.html in {results}")
    except HarnessError as error:
        terminalreporter.write_line(str(error))


def _print_sentences(terminalreporter: pytest.TerminalReporter, title: str, told: list[str]) -> None:
    """Prints a section with a line for each sentence; nothing where there is none."""
    if told:
        terminalreporter.section(title)
        for sentence in told:
            terminalreporter.write_line(sentence)


def _print_indexed(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what the indexes gave, a table a dataset, and adds it to indexes.csv."""
    if not _INDEXED:
        return
    terminalreporter.section("indexes against exact search")
    text = io.StringIO()
    console = Console(
        file=text, width=max(terminalreporter._tw.fullwidth, 140), force_terminal=terminalreporter.hasmarkup
    )
    for dataset in dict.fromkeys(line.dataset for line in _INDEXED):
        lines = [line for line in _INDEXED if line.dataset == dataset]
        grid = Grid(
            title=f"{dataset}: {lines[0].vectors:,} vectors of {lines[0].dimensions} dimensions ({lines[0].encoder})"
        )
        grid.add_column("index")
        tied = any((line.near_10, line.near_100) != (line.recall_10, line.recall_100) for line in lines)
        counted = ("10 with ties", "100 with ties") if tied else ()
        for name in ("recall@10", "recall@100", *counted, "nDCG@10", "lost", "build s", "MiB", "p50 ms", "p95 ms"):
            grid.add_column(name, justify="right")
        for line in lines:
            quality = ["–" if value is None else f"{value:.4f}" for value in (line.ndcg, line.lost)]
            near = (line.near_10, line.near_100) if tied else ()
            recalls = [f"{value:.4f}" for value in (line.recall_10, line.recall_100, *near)]
            times = [f"({value:.3f})" if line.busy else f"{value:.3f}" for value in (line.p50_ms, line.p95_ms)]
            grid.add_row(line.index, *recalls, *quality, f"{line.build_s:.2f}", f"{line.size_mib:.2f}", *times)
        console.print(grid)
        for line in lines:
            if line.busy:
                console.print(f"{line.index}: the latency is not its own: {line.busy}")
    terminalreporter.write(text.getvalue())
    path = config.getoption("--results") / "indexes.csv"
    try:
        store_lines(_INDEXED, path)
        terminalreporter.write_line(f"added to {path}")
    except HarnessError as error:
        terminalreporter.write_line(str(error))
