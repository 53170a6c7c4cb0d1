"""Which items the options select: each option narrows every suite that it applies to.

A suite without an item is one skipped item that says why.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.datasets import SOURCES
from harness.indexes import Index
from harness.methods import Method
from harness.rows import parse_method, row_name
from harness.suites.options import ENCODER, Suites, options_of

LUCENE_DATASETS = ("beir/scifact", "beir/cranfield")
"""Datasets on which the embedded BM25 is compared with Lucene, if they are on this machine."""


@dataclass(frozen=True)
class Cell:
    """One row on one dataset."""

    dataset: str
    method: Method

    def __str__(self) -> str:
        return f"{self.dataset}-{row_name(self.method)}"


@dataclass(frozen=True)
class IndexCell:
    """One index on the vectors of one dataset, or on `synthetic` random ones."""

    dataset: str
    index: Index
    synthetic: int = 0

    def __str__(self) -> str:
        return f"{self.dataset}-{self.index}"


@dataclass(frozen=True)
class PublishedCell:
    """Published scores of one row on one dataset, from `published/*.json`."""

    title: str
    source: str
    row: str
    tolerance: float
    dataset: str
    scores: dict[str, float]

    def __str__(self) -> str:
        return f"{self.title} on {self.dataset}"


Selected = tuple[Sequence[object], str]
"""Items, and why there are none."""


def generate_tests(metafunc: pytest.Metafunc) -> None:
    """The items of a suite, by its fixtures; datasets outermost."""
    options = options_of(metafunc.config)
    select: dict[str, Callable[[Suites, pytest.Metafunc], Selected]] = {
        "cell": _cells,
        "index_cell": _index_cells,
        "published_cell": _published_cells,
        "settings": _settings,
    }
    for fixture, selected in select.items():
        if fixture in metafunc.fixturenames:
            _parametrize(metafunc, fixture, *selected(options, metafunc))
    if "sweep_file" in metafunc.fixturenames:
        metafunc.parametrize("sweep_file", options.sweep, ids=lambda path: path.stem)
    if "lucene_dataset" in metafunc.fixturenames:
        _parametrize(metafunc, "lucene_dataset", *_lucene_datasets(options, metafunc), scope="module")


def _parametrize(metafunc: pytest.Metafunc, name: str, items: Sequence[object], why: str, **more: Any) -> None:
    if items:
        metafunc.parametrize(name, items, ids=lambda item: str(item) or "defaults", **more)
    else:
        metafunc.parametrize(name, [pytest.param(None, marks=pytest.mark.skip(reason=why), id="none")], **more)


def _cells(options: Suites, metafunc: pytest.Metafunc) -> Selected:
    module = metafunc.function.__module__.rpartition(".")[2]
    if module == "test_regression" and options.against is None:
        return [], "run with --against results/"
    if module == "test_validation" and not options.baseline:
        return [], "run with --baseline"
    return [Cell(dataset, method) for dataset in options.datasets for method in options.methods], "no row is selected"


def _index_cells(options: Suites, _: pytest.Metafunc) -> Selected:
    made = options.synthetic
    if not options.index and not made:
        return [], "run with --index all, --index hnsw or --synthetic 100000"
    datasets = [(f"synthetic/{made}", made)] if made else []
    why = ""
    if not made or options.dataset:
        if options.encoder is None and not _selects(options, ENCODER):
            why = f"{ENCODER} is not among the rows of --method; name the row to index with --encoder"
        else:
            datasets += [(name, 0) for name in options.datasets]
    return [IndexCell(name, index, number) for name, number in datasets for index in options.indexes], why


def _published_cells(options: Suites, _: pytest.Metafunc) -> Selected:
    why = "no published scores for the selected rows and datasets, or their datasets are not on this machine"
    cells = published_cells()
    return [cell for cell in cells if _selects(options, cell.row) and _has(options, cell.dataset)], why


def _settings(options: Suites, metafunc: pytest.Metafunc) -> Selected:
    settings = [
        setting
        for setting in _module(metafunc).SETTINGS
        if any(_selects(options, _row(row, setting)) for row in ("bm25", "lucene"))
    ]
    return settings, "no row of --method is in this comparison"


def _lucene_datasets(options: Suites, metafunc: pytest.Metafunc) -> Selected:
    """Datasets on which BM25 is compared with Lucene, or Lucene with Pyserini, if one of these rows is selected."""
    module = _module(metafunc)
    rows: tuple[str, ...] = ("lucene",)
    settings = module.PYSERINI_SETTINGS
    if "settings" in metafunc.fixturenames:
        rows, settings = ("bm25", "lucene"), module.SETTINGS
    if not any(_selects(options, _row(row, setting)) for row in rows for setting in settings):
        return [], f"no row of --method is {' or '.join(rows)} with settings that are compared"
    why = "none of these datasets is both selected and on this machine"
    return [name for name in LUCENE_DATASETS if _has(options, name)], why


def _module(metafunc: pytest.Metafunc) -> Any:
    """The module of the suite, also if another imports its test."""
    return sys.modules[metafunc.function.__module__]


def _row(row: str, settings: str) -> str:
    return f"{row}({settings})" if settings else row


def _selects(options: Suites, row: str) -> bool:
    """Whether the options name a row, or no row at all."""
    return not options.method or parse_method(row) in api.methods_of(options.row_texts, None)


def _has(options: Suites, dataset: str) -> bool:
    """Whether a BEIR dataset is on this machine, and its test split named by the options, or no dataset is."""
    if not options.benchmark:
        return True
    named = {name.removesuffix("/test") for name in options.dataset}
    available = {f"beir/{name}" for name in SOURCES.get("beir")().available(options.context())}
    return dataset in available and (not named or dataset in named)


def published_cells() -> list[PublishedCell]:
    """All published scores, each file with its source, row and tolerance."""
    cells = []
    for path in sorted((Path(__file__).parent / "published").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        title, source, row, tolerance = (content[key] for key in ("title", "source", "row", "tolerance"))
        for name, scores in content["figures"].items():
            cells.append(PublishedCell(title, source, row, tolerance, f"beir/{name}", scores))
    return cells
