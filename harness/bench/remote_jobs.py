"""What a worker is asked on behalf of a board: to train a model, to encode a part of a corpus, to make a row.

Each finds in the cache what those before it have made, and is done again without harm.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from harness.base.errors import HarnessError, SettingError
from harness.bench.leak_guard import Guard
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.shards import text_keys
from harness.methods import fit
from harness.models.encode_once import CHUNK
from harness.rows import parse_method, row_name
from harness.runtime.context import Context


@dataclass(frozen=True)
class Part:
    """Documents that one job encodes.

    Args:
        start: of the first; a multiple of `CHUNK`.
        stop: after the last.
        again: those of them, counted from `start`, whose text stands in an earlier part, and is encoded there.
    """

    start: int
    stop: int
    again: tuple[int, ...] = ()


def parts(texts: Sequence[str]) -> list[Part]:
    """The documents of a collection in parts that make, apart, the batches that one process makes of the whole."""
    if len(texts) <= CHUNK:
        return [Part(0, len(texts))]
    starts = range(0, len(texts), CHUNK)
    keys = pa.concat_arrays([text_keys(texts[start : start + CHUNK]) for start in starts])
    raw = np.frombuffer(keys.buffers()[1], dtype=[("a", "<u8"), ("b", "<u8")], count=len(keys))
    _, first, which = np.unique(raw, return_index=True, return_inverse=True)
    earliest = first[which]
    again = [np.flatnonzero(earliest[start : start + CHUNK] < start).tolist() for start in starts]
    return [Part(start, min(start + CHUNK, len(texts)), tuple(rows)) for start, rows in zip(starts, again, strict=True)]


def _bench(given: Mapping[str, Any], context: Context, results: Path) -> Bench:
    board = given["board"]
    methods = [parse_method(text) for text in board["methods"]]
    return Bench(methods, board["datasets"], context, Store(results), board["measures"], board["depth"], rerun=True)


def row(given: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Makes a row; its record and files.

    Raises:
        SettingError: models, data or code here are not those of whoever asked.
    """
    method, name = parse_method(given["method"]), given["dataset"]
    with tempfile.TemporaryDirectory(prefix="harness-row-") as folder:
        bench = _bench(given, context, Path(folder))
        dataset = bench.load(name)
        if given["identity"] and given["identity"] != bench.identity(dataset, method):
            raise SettingError(
                f"a worker would make another {row_name(method)} on {dataset.name} than is asked for: its harness, its "
                "libraries, its models or its copy of the collection differ. Give all machines the same."
            )
        record = bench.run(name, method).record
        packed = bench.store.packed(bench.store.place(dataset.name, method, context.seed))
        packed.pop("record", None)
        return {"record": record.to_json(), "files": packed}


def train(given: Mapping[str, Any], context: Context) -> None:
    """Trains a model that several rows share, and keeps it."""
    with tempfile.TemporaryDirectory(prefix="harness-train-") as folder:
        bench = _bench(given, context, Path(folder))
        dataset, method = bench.load(given["dataset"]), parse_method(given["method"])
        guard = Guard(dataset, context, set())
        try:
            guard.admit(method)
            fit(method, dataset.train, context.guarded(guard))
        except HarnessError:  # each row meets it again, and its record tells of it
            return


def encode(given: Mapping[str, Any], context: Context) -> None:
    """Encodes a part of a corpus, and keeps it."""
    with tempfile.TemporaryDirectory(prefix="harness-encode-") as folder:
        bench = _bench(given, context, Path(folder))
        dataset, method = bench.load(given["dataset"]), parse_method(given["method"])
        again = set(given["again"])
        texts = dataset.corpus.texts[given["start"] : given["stop"]]
        own = [text for i, text in enumerate(texts) if i not in again]
        try:
            fitted = fit(method, dataset.train, context)
            with context.cache.apart(str(given["start"])):
                fitted.encode(own)
            if given["queries"]:
                fitted.encode(dataset.test.queries.texts, "query")
        except HarnessError:  # each row meets it again, and its record tells of it
            return
