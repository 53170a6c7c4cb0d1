"""The jobs of a worker, for a board or a sweep: train a model, encode a part of a corpus, do a row on test or on dev.

Each finds in the cache what the jobs before it have made, and may be done twice without harm.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from harness.base.errors import HarnessError, Unavailable
from harness.bench.dev_scores import on_dev
from harness.bench.leak_guard import Guard
from harness.bench.record import trainings_in
from harness.bench.row_job import RowRequest, RowResult
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.data.measures import parse_measures
from harness.methods import fit
from harness.runtime.context import Context

TRAIN: Final = f"{__name__}:train"
ENCODE: Final = f"{__name__}:encode"
ROW: Final = f"{__name__}:row"
DEV: Final = f"{__name__}:dev"
TRAINING = ("recipe", "examples", "steps", "epochs", "chosen", "seconds", "preparation", "dev", "precision", "device")
"""What a sweep stores of a training."""


def train(arguments: Mapping[str, Any], context: Context) -> None:
    """Trains a model that several rows share; it stays in the cache. Errors of the row itself are left to its own job.

    Raises:
        HarnessError: as `RowRequest.load`.
    """
    request = RowRequest.from_json(arguments)
    here = request.seeded(context)
    dataset, method = request.load(here), request.parsed()
    guard = Guard(dataset, here, set(request.warned))
    with contextlib.suppress(HarnessError):  # each row meets it again, and its record reports it
        guard.admit(method)
        fit(method, dataset.train, here.guarded(guard))


def encode(arguments: Mapping[str, Any], context: Context) -> None:
    """Encodes a part of a corpus; the vectors stay in the cache. Errors of the row itself are left to its own job.

    Raises:
        HarnessError: as `RowRequest.load`.
    """
    request = RowRequest.from_json(arguments)
    here, part = request.seeded(context), request.part
    dataset, method = request.load(here), request.parsed()
    assert part is not None
    with contextlib.suppress(HarnessError):  # each row meets it again, and its record reports it
        fitted = fit(method, dataset.train, here)
        with here.cache.apart(str(part.start)):
            fitted.encode(part.own(dataset.corpus.texts))
        if part.queries:
            fitted.encode(dataset.test.queries.texts, "query")


def row(arguments: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Does a row on test, by the runner as `harness run` does it.

    Returns:
        `RowResult` as JSON.

    Raises:
        HarnessError: as `RowRequest.load`. What the row itself raises goes into its record.
    """
    request = RowRequest.from_json(arguments)
    here = request.seeded(context)
    dataset, method = request.load(here), request.parsed()
    with tempfile.TemporaryDirectory(prefix="harness-row-") as folder:
        store = Store(Path(folder))
        bench = Bench(
            request.rows(),
            [request.dataset],
            here,
            store,
            request.measures,
            request.depth,
            rerun=True,
            warned=request.warned,
        )
        record = bench.run(request.dataset, method).record
        bench.settle()
        latency = bench.renewed.get((record.dataset["name"], record.row), record.latency)
        record = dataclasses.replace(record, latency=latency)
        return RowResult.stored(record, store, store.place(dataset.name, method, here.seed)).to_json()


def dev(arguments: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Does a row on dev, in a run of its own: a sweep has too many models to hold them all.

    Returns:
        `mean`, `values` by query, `supervision`, `training`, `notes`, `spent`; or `skipped` with the reason.

    Raises:
        HarnessError: as `RowRequest.load`, or what the row meets.
    """
    request = RowRequest.from_json(arguments)
    here = context.reseeded(request.seed)
    (measure,) = request.measures
    try:
        dataset = request.load(here)
        scores = on_dev(request.parsed(), dataset, parse_measures([measure]), here, request.warned, request.depth)
    except Unavailable as error:
        return {"skipped": str(error), "final": False}
    trainings = [{name: info[name] for name in TRAINING if name in info} for info in trainings_in(scores.resolved)]
    return {
        "mean": scores.measures[measure],
        "values": {query: round(value, 6) for query, value in scores.values[measure].items()},
        "supervision": scores.supervision,
        "training": trainings,
        "notes": list(scores.notes),
        "spent": scores.seconds,
    }
