"""LanceDB: an inverted file with product quantisation that stays on disk, for more vectors than memory holds."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.base.optional import library as installed
from harness.cache.code import code_of
from harness.choices.bounds import Count
from harness.data.ranking import Floats, Ints, TopK
from harness.indexes import Index, Vectors, rescored, same_dimension
from harness.indexes._inverted import code_parts, lists_read
from harness.indexes._stored import stored_index
from harness.runtime.context import Context

TABLE = "vectors"
BLOCK = 8192
FEWEST = 256
"""Vectors that LanceDB needs to train a quantiser; smaller collections are scanned."""
PER_LIST = 256
"""Vectors that LanceDB advises for each list."""


@dataclass(frozen=True)
class LanceDB(Index):
    """`IVF_PQ` by inner product in a table in the cache; candidates are rescored by their vectors.

    LanceDB's training takes no seed: an index built again finds other vectors, the cached one finds the same. With
    fewer than 256 vectors there is no training, and every vector is compared.

    Args:
        nlist: number of lists; None takes one for each 256 vectors, up to √N.
        nprobe: lists that a query reads; None takes an eighth of all, at least 64.
        m: parts of a vector, each with its own code; divides D. None takes the largest divisor up to D / 4.
        rescore: for a search for k, `rescore` · k candidates by code are rescored by their vectors.
    """

    exact: ClassVar[bool] = False
    repeatable: ClassVar[bool] = False
    nlist: Count | None = None
    nprobe: Count | None = None
    m: Count | None = None
    rescore: Count = 4

    def versions(self) -> dict[str, str]:
        """See `Index.versions`."""
        return {"lancedb": str(_library().__version__)}

    def build(self, vectors: Vectors, id_order: npt.NDArray[np.int32], context: Context) -> _Nearest:
        """See `Index.build`."""
        lancedb = _library()
        m, nlist = code_parts(self, self.m, vectors.dimension), self._lists(len(vectors))
        deciding = {"index": self.name(), "settings": {"m": m, "nlist": nlist}, "versions": self.versions()}
        deciding["code"] = code_of(self)

        def build(folder: Path) -> None:
            schema = pa.schema([("row", pa.int64()), ("vector", pa.list_(pa.float32(), vectors.dimension))])
            data = pa.RecordBatchReader.from_batches(schema, _batches(vectors, schema, context))
            table = lancedb.connect(str(folder)).create_table(TABLE, data=data)
            if len(vectors) >= FEWEST:
                kind = importlib.import_module("lancedb.index").IvfPq
                table.create_index("vector", config=kind(distance_type="dot", num_partitions=nlist, num_sub_vectors=m))

        folder = stored_index(vectors, deciding, context, build)
        nbytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        table = lancedb.connect(str(folder)).open_table(TABLE)
        return _Nearest(table, nbytes, lists_read(self.nprobe, nlist), self.rescore, vectors, id_order)

    def _lists(self, number: int) -> int:
        return self.nlist or max(1, min(number // PER_LIST, round(number**0.5)))


def _library() -> Any:
    # Read at import; without it the library warns about every table that it creates.
    os.environ.setdefault("LANCEDB_LOG", "error")
    return installed("lancedb", "lancedb")


def _batches(vectors: Vectors, schema: pa.Schema, context: Context) -> Iterator[pa.RecordBatch]:
    with context.progress("index lancedb", len(vectors), "vectors") as advance:
        for start in range(0, len(vectors), BLOCK):
            block = vectors.block(start, min(start + BLOCK, len(vectors)))
            values = pa.array(np.ascontiguousarray(block, dtype=np.float32).reshape(-1))
            column = pa.FixedSizeListArray.from_arrays(values, vectors.dimension)
            rows = pa.array(np.arange(start, start + len(block), dtype=np.int64))
            yield pa.RecordBatch.from_arrays([rows, column], schema=schema)
            advance(len(block))


class _Nearest:
    def __init__(
        self, table: Any, nbytes: int, nprobe: int, rescore: int, vectors: Vectors, id_order: npt.NDArray[np.int32]
    ) -> None:
        self.nbytes = nbytes
        self._table, self._nprobe, self._rescore = table, nprobe, rescore
        self._vectors, self._id_order = vectors, id_order

    def search(self, queries: Floats, k: int) -> TopK:
        """See `Nearest.search`; a ranking is shorter than k if the lists that are read contain fewer."""
        same_dimension(queries, self._vectors.dimension)
        number = min(k * self._rescore, len(self._vectors))
        candidates = (self._candidates(query, number) for query in queries)
        return rescored(self._vectors, queries, candidates, self._id_order, k)

    def _candidates(self, query: Floats, number: int) -> Ints:
        search = self._table.search(query, vector_column_name="vector").distance_type("dot").nprobes(self._nprobe)
        rows = search.limit(number).select(["row", "_distance"]).to_arrow()["row"]
        return np.unique(rows.to_numpy()).astype(np.int64)
