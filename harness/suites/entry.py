"""pytest's entry point: the suites if they are named, the marker `harness` and the fixture `row`.

Every pytest session of an environment with this package imports this module, so it imports nothing of the package
before something is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.runtime.context import Context
    from harness.suites.gate import RowUnderTest

SUITES = "harness.suites"
MARKER = (
    'harness(*rows, on="stdlib/code", results="results"): the fixture `row` is each of these rows on each of these '
    "collections."
)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: Sequence[str]) -> None:
    """Adds the options and hooks of the suites if these are named, as in `pytest --pyargs harness.suites`."""
    named = [arg for arg in args if arg == SUITES or arg.startswith((f"{SUITES}.test_", f"{SUITES}::"))]
    if named:
        early_config.pluginmanager.import_plugin(f"{SUITES}.plugin")


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each row and collection of the marker."""
    marker = metafunc.definition.get_closest_marker("harness")
    if marker is None or "row" not in metafunc.fixturenames:
        return
    on = marker.kwargs.get("on", "stdlib/code")
    cells = [(row, dataset) for dataset in ([on] if isinstance(on, str) else on) for row in marker.args]
    metafunc.parametrize("row", cells, indirect=True, ids=[f"{dataset}-{row}" for row, dataset in cells])


@pytest.fixture(scope="session")
def _harness_context() -> Context:
    from harness.runtime.context import open_context

    return open_context()


@pytest.fixture
def row(request: pytest.FixtureRequest) -> RowUnderTest:
    """A row on a collection, named by the marker: `@pytest.mark.harness("my_search.py:search", on="./mine")`."""
    from harness.suites.gate import RowUnderTest

    cell: Any = getattr(request, "param", None)
    if cell is None:
        pytest.fail(
            'the fixture row needs a marker that names rows: @pytest.mark.harness("bm25", on="./mine")', pytrace=False
        )
    marker = request.node.get_closest_marker("harness")
    results = marker.kwargs.get("results", "results")
    name, dataset = cell
    return RowUnderTest(name, dataset, results=results, context=request.getfixturevalue("_harness_context"))
