"""What a worker does: one row with one seed, on dev or, of the chosen row, on test. JSON-safe in and out."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.base.errors import DatasetError, HarnessError, Unavailable
from harness.bench.dev_scores import on_dev
from harness.bench.provenance import code_hash
from harness.bench.record import trainings_in
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.data.dataset import Dataset
from harness.data.measures import parse_measures
from harness.datasets import load_dataset
from harness.rows import parse_method
from harness.runtime.context import Context

TRAINING = ("recipe", "examples", "steps", "epochs", "chosen", "seconds", "preparation", "dev", "precision", "device")
"""What is kept of a training's report."""


def dev(given: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A row on dev.

    Args:
        given: `dataset`, `view` (its training view's revision), `code` (hash of the asker's), `method`, `seed`,
            `measure`, and `warned`: what was warned of.
        context: its cache, device and data; the seed is the cell's own.

    Returns:
        `mean`, `values` by query, `supervision`, `training`, `notes`, `spent`; or `skipped` with the reason.

    Raises:
        HarnessError: what the row meets, or that this worker's collection or code is another one.
    """
    here = context.reseeded(int(given["seed"]))
    try:
        dataset = _same(given, here)
        measures = parse_measures([given["measure"]])
        found = on_dev(parse_method(given["method"]), dataset, measures, here, _warned(given))
    except Unavailable as error:
        return {"skipped": str(error)}
    return {
        "mean": found.measures[given["measure"]],
        "values": {query: round(value, 6) for query, value in found.values[given["measure"]].items()},
        "supervision": found.supervision,
        "training": [{k: told[k] for k in TRAINING if k in told} for told in trainings_in(found.resolved)],
        "notes": list(found.notes),
        "spent": found.seconds,
    }


def reported(given: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A row on test, by the runner, as `harness run` does it.

    Args:
        given: `dataset`, `view`, `code`, `method`, `seed`, `measures`, `warned`.
        context: its cache, device and data; the seed is the row's own.

    Returns:
        `record`, `values` and the bytes of the `run` in base 64; or `skipped` with the reason.

    Raises:
        HarnessError: what the row meets; the collection cannot be had, or is another one than the asker's.
    """
    here = context.reseeded(int(given["seed"]))
    dataset = _same(given, here)
    method = parse_method(given["method"])
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        bench = Bench([method], [given["dataset"]], here, store, given["measures"], warned=_warned(given))
        record = bench.run(given["dataset"], method).record
        problem = record.problem or {}
        if record.status == "skipped":
            return {"skipped": f"{problem.get('reason', '')} {problem.get('remedy', '')}".strip()}
        if record.status != "ok":
            raise HarnessError(problem.get("reason", record.status))
        place = store.place(dataset.name, method, here.seed)
        run = base64.b64encode(place.run.read_bytes()).decode()
        return {"record": json.loads(record.to_json()), "values": store.values(place), "run": run}


def _warned(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(name), str(what)) for name, what in given.get("warned", ())]


def _same(given: Mapping[str, Any], context: Context) -> Dataset:
    if given["code"] != code_hash():
        raise HarnessError(
            "this worker has another version of retrieval-harness than whoever asks: install the same there."
        )
    dataset = load_dataset(given["dataset"], context)
    if dataset.train.revision != given["view"]:
        raise DatasetError(
            f"{given['dataset']} is another collection on this worker (revision {dataset.train.revision[:12]}, not "
            f"{given['view'][:12]}): give it the same files."
        )
    return dataset
