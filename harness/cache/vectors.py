"""Cached vectors: one float32 vector per text and encoder, or per pair (`harness.cache.shard_store`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from harness.cache.shard_store import ShardStore, StoredBlocks
from harness.cache.shards import ShardSet
from harness.data.ranking import Floats, Ints


class StoredVectors(StoredBlocks[Floats]):
    """(N, D) vectors, as `harness.indexes.Vectors`."""

    @property
    def dimension(self) -> int:
        """D; 0 where there is no vector."""
        return self._shards.shards[0].vectors.shape[1] if self._shards.shards else 0

    def pieces(self, size: int) -> Iterator[tuple[Ints, Floats]]:
        """All vectors in the order in which they lie on disk, at most `size` at a time: their rows, (m, D) vectors.

        Vectors that are adjacent on disk are not copied.
        """
        order, firsts, repeated = self._by_place
        rows = order[firsts]
        for some, vectors, inside in self._shards.windows(self._places[rows], size):
            together = inside[-1] - inside[0] + 1 == len(inside)
            yield rows[some], vectors[inside[0] : inside[-1] + 1] if together else vectors[inside]
        for start in range(0, len(repeated), size):
            duplicates = order[repeated[start : start + size]]
            yield duplicates, self.take(duplicates)

    @cached_property
    def _by_place(self) -> tuple[Ints, Ints, Ints]:
        """Rows ordered by place; positions in that order at which a place occurs first, and again."""
        order = np.argsort(self._places, kind="stable")
        new = np.diff(self._places[order], prepend=-1) != 0
        return order, np.flatnonzero(new), np.flatnonzero(~new)

    def gather(self, places: Ints) -> Floats:
        """(n, D) vectors at these places."""
        out = np.empty((len(places), self.dimension), dtype=np.float32)
        for mine, vectors, rows in self._shards.inside(places):
            out[mine] = vectors[rows]
        return out


class VectorStore(ShardStore[Floats, StoredVectors]):
    """The cached vectors of one encoder and side: (n, D) float32 blocks."""

    def column(self, block: Floats) -> pa.Array:
        """See `ShardStore.column`."""
        flat = pa.array(np.ascontiguousarray(block, dtype=np.float32).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, block.shape[1])

    def block(self, column: pa.Array) -> Floats:
        """See `ShardStore.block`."""
        return column.values.to_numpy().reshape(len(column), column.type.list_size)  # type: ignore[no-any-return]

    def joined(self, blocks: Sequence[Floats]) -> Floats:
        """See `ShardStore.joined`."""
        return np.concatenate(blocks)

    def at(self, shards: ShardSet[Floats], places: Ints) -> StoredVectors:
        """See `ShardStore.at`."""
        return StoredVectors(shards, places)
