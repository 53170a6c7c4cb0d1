"""Shards: Arrow files of (text hash, what is cached of the text), read as one array."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.data.ranking import Floats, Ints

KEY_BYTES = 16


def text_keys(texts: Iterable[str]) -> pa.Array:
    """(N,) hashes of texts, the first 128 bits of SHA-256; a lone surrogate hashes as itself."""
    digests = [hashlib.sha256(t.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES] for t in texts]
    return pa.array(digests, pa.binary(KEY_BYTES))


class Block(Protocol):
    """What is cached of some texts."""

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        ...


B = TypeVar("B", bound=Block)


@dataclass(frozen=True)
class Shard(Generic[B]):
    """One mapped file.

    Args:
        path: the file.
        keys: (n,) hashes of texts.
        vectors: what is cached of them.
        seconds: time that computing them took.
    """

    path: Path
    keys: pa.Array
    vectors: B
    seconds: float


class ShardSet(Generic[B]):
    """The shards of an entry, seen as one long array."""

    def __init__(self, shards: list[Shard[B]]) -> None:
        self.shards = shards
        self._starts = np.cumsum([0] + [len(s.keys) for s in shards])
        self._keys = pa.chunked_array([s.keys for s in shards], pa.binary(KEY_BYTES))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def locate(self, keys: pa.Array) -> Ints:
        """(N,) place of each text's vector, −1 where there is none."""
        import pyarrow.compute as pc  # slow to import, and a listing needs none of it

        rows = pc.index_in(keys, value_set=self._keys).fill_null(-1)
        return rows.to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]

    def seconds(self, places: Ints) -> Floats:
        """(n,) seconds that each of the vectors at these places took: an even share of its shard's."""
        shard = np.searchsorted(self._starts, places, side="right") - 1
        shares = np.array([s.seconds / max(1, len(s.keys)) for s in self.shards], dtype=np.float32)
        return shares[shard]

    def windows(self, places: Ints, size: int) -> Iterator[tuple[slice, B, Ints]]:
        """Runs of at most `size` places from one shard: which places, the shard's block, the rows in it.

        The places are distinct and ascending.
        """
        cuts = np.searchsorted(places, self._starts).tolist()
        for shard, begin, first, last in zip(self.shards, self._starts, cuts, cuts[1:], strict=False):
            for start in range(first, last, size):
                some = slice(start, min(start + size, last))
                yield some, shard.vectors, places[some] - begin

    def inside(self, places: Ints) -> Iterator[tuple[npt.NDArray[np.bool_], B, Ints]]:
        """For each shard that holds some of the places: (n,) which of them, its block, and their rows in it."""
        shard = np.searchsorted(self._starts, places, side="right") - 1
        for i in np.unique(shard):
            mine = shard == i
            yield mine, self.shards[i].vectors, places[mine] - self._starts[i]
