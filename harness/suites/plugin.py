"""Hooks and fixtures of the suites; without `--benchmark` all are skipped, and torch is not imported.

Registered by `harness.suites.entry` if the suites are named, and by the conftest of the checkout's folder `suites/`.
The hooks leave the tests of others alone, which may run in the same session.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import api
from harness.base import defaults
from harness.base.collector import collect_rarely
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cli.beforehand import compile_for
from harness.cli.progress import bars
from harness.cli.pytest_options import add_options
from harness.methods import Method
from harness.report.screen import Screen
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.runtime.progress import Advance
from harness.suites.options import ENCODER, Suites, check_options, options_of
from harness.suites.selection import generate_tests
from harness.suites.summary import Reporter, collect, print_summary


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the suites; those that `harness run` has too mean the same."""
    add_options(parser.getgroup("retrieval-harness"), Suites, unset=["results"])  # its default depends on --against


def pytest_configure(config: pytest.Config) -> None:
    """Checks the options before the first expensive step."""
    check_options(config)
    options = options_of(config)
    if options.active:
        collect_rarely()
    if options.benchmark and not hasattr(config, "workerinput"):  # in a worker of pytest-xdist: the controller does it
        compile_for(options.methods)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leaves nothing to the collector of cycles, which pytest runs at its end: see `collect_rarely`."""
    if getattr(config.option, "benchmark", False):
        gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The items that the options select."""
    if _is_suite(metafunc.function):
        generate_tests(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the suites that are not asked for, so that no fixture of theirs is made."""
    for item in items:
        if isinstance(item, pytest.Function) and _is_suite(item.function):
            options = options_of(item.config)
            if not (options.benchmark or (options.active and "sweep_file" in item.fixturenames)):
                item.add_marker(pytest.mark.skip(reason="run with --benchmark"))


def _is_suite(function: object) -> bool:
    return str(getattr(function, "__module__", "")).startswith("harness.suites.")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collects what a test reports."""
    collect(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what the tests reported."""
    print_summary(terminalreporter, config)


@pytest.fixture(scope="session")
def options(request: pytest.FixtureRequest) -> Suites:
    """The options."""
    return options_of(request.config)


@pytest.fixture(scope="session")
def context(request: pytest.FixtureRequest, options: Suites) -> Context:
    """The context of the options; its progress bars are shown in spite of pytest's capture."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    @contextlib.contextmanager
    def progress(label: str, total: int, unit: str) -> Iterator[Advance]:
        shown = capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext()
        with shown, bars(Screen(stderr=True))(label, total, unit) as advance:
            yield advance

    return options.context(progress)


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest, options: Suites, context: Context) -> Iterator[Bench]:
    """One bench for all cells, so that shared steps are done once; with `--executor`, rows run there."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    cells = [spec.params.get("cell") for spec in specs if spec is not None]
    with api.opened_bench(
        options.methods,
        options.datasets,
        context,
        Store(options.results),
        options.measure or defaults.MEASURES,
        options.depth,
        rerun=options.rerun,
        executor=options.executor,
        cells={(cell.dataset, cell.method) for cell in cells if cell is not None},
    ) as opened:
        yield opened


@pytest.fixture
def reporter(record_property: Callable[[str, object], None]) -> Reporter:
    """Takes what is printed at the end."""
    return Reporter(record_property)


@pytest.fixture(scope="session")
def encoder(options: Suites) -> Method:
    """The row of `--encoder`."""
    return parse_method(options.encoder or ENCODER)


@pytest.fixture
def against(options: Suites) -> Path | None:
    """The folder of `--against`."""
    return options.against


@pytest.fixture
def results(options: Suites) -> Path:
    """The folder of the records."""
    return options.results
