"""Cached matrices: one float32 matrix per text, of as many rows as the text has tokens or terms.

The shards are those of `harness.cache.vectors`, with a list of vectors in place of each vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.cache.shard_store import ShardStore, StoredBlocks
from harness.cache.shards import ShardSet
from harness.data.ranking import Floats, Ints


@dataclass(frozen=True)
class Ragged:
    """N matrices of the same width, end to end.

    Args:
        values: (T, W) float32 rows of all matrices.
        starts: (N + 1,) where each begins; the last is T.
    """

    values: Floats
    starts: Ints

    @classmethod
    def of(cls, matrices: Sequence[Floats], width: int) -> Ragged:
        """Matrices (n_i, W) laid end to end; `width` is W where there is none."""
        starts = np.cumsum([0] + [len(m) for m in matrices], dtype=np.int64)
        values = np.concatenate([np.zeros((0, width), np.float32), *matrices]).astype(np.float32, copy=False)
        return cls(values, starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> Floats:
        """(n_i, W) one of them, not copied."""
        return self.values[self.starts[number] : self.starts[number + 1]]

    @property
    def width(self) -> int:
        """W."""
        return int(self.values.shape[1])

    @property
    def lengths(self) -> Ints:
        """(N,) rows of each."""
        return np.diff(self.starts)

    @property
    def nbytes(self) -> int:
        """Bytes of both arrays."""
        return int(self.values.nbytes + self.starts.nbytes)

    def take(self, numbers: Ints) -> Ragged:
        """Some of them, copied, in the requested order."""
        return Ragged.of([self[int(i)] for i in numbers], self.width)


class StoredRagged(StoredBlocks[Ragged]):
    """N matrices, read from the mapped shards when they are needed."""

    @property
    def width(self) -> int:
        """W; 0 where there is no matrix."""
        return self._shards.shards[0].vectors.width if self._shards.shards else 0

    @property
    def lengths(self) -> Ints:
        """(N,) rows of each; no matrix is read."""
        out = np.zeros(len(self), dtype=np.int64)
        for mine, block, rows in self._shards.inside(self._places):
            out[mine] = block.starts[rows + 1] - block.starts[rows]
        return out

    def gather(self, places: Ints) -> Ragged:
        """The n matrices at these places."""
        lengths = np.zeros(len(places), dtype=np.int64)
        parts = list(self._shards.inside(places))
        for mine, block, rows in parts:
            lengths[mine] = block.starts[rows + 1] - block.starts[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        values = np.empty((int(starts[-1]), self.width), dtype=np.float32)
        for mine, block, rows in parts:
            for start, row in zip(starts[:-1][mine].tolist(), rows.tolist(), strict=True):
                matrix = block[row]
                values[start : start + len(matrix)] = matrix
        return Ragged(values, starts)


class RaggedStore(ShardStore[Ragged, StoredRagged]):
    """The cached matrices of one encoder and side."""

    def column(self, block: Ragged) -> pa.Array:
        """See `ShardStore.column`."""
        flat = pa.array(np.ascontiguousarray(block.values, dtype=np.float32).reshape(-1))
        rows = pa.FixedSizeListArray.from_arrays(flat, block.width)
        return pa.LargeListArray.from_arrays(pa.array(block.starts - block.starts[0], pa.int64()), rows)

    def block(self, column: pa.Array) -> Ragged:
        """See `ShardStore.block`."""
        rows = column.values
        values: Floats = rows.values.to_numpy().reshape(len(rows), rows.type.list_size)
        starts: npt.NDArray[np.int64] = column.offsets.to_numpy()
        return Ragged(values, starts)

    def joined(self, blocks: Sequence[Ragged]) -> Ragged:
        """See `ShardStore.joined`."""
        lengths = np.concatenate([b.lengths for b in blocks])
        return Ragged(
            np.concatenate([b.values for b in blocks]), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        )

    def at(self, shards: ShardSet[Ragged], places: Ints) -> StoredRagged:
        """See `ShardStore.at`."""
        return StoredRagged(shards, places)
