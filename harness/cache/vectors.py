"""Kept vectors: one float32 vector per text and encoder, in self-checking shards that are only ever added.

An entry is a folder `<kind>/<key>/`; the key hashes all that decides a vector except the text. A shard is an Arrow file
of (text hash, vector), named by the SHA-256 of its own bytes, so one that was cut short or altered does not answer to
its name: it is set aside with a warning and what it held is made again. Shards are written beside and renamed; a kill
loses only what was not yet written, and two processes can add to one entry at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.base.disk import writing
from harness.base.errors import CacheError
from harness.base.files import sha256, share, write_text
from harness.cache.folders import META, Cache
from harness.data.ranking import Floats, Ints

KEY_BYTES = 16
SECONDS = b"harness.seconds"
MERGED_BYTES = 512 << 20
"""Shards are merged up to about this size: merging takes that much memory."""
MOST_APART = 64
TRIES = 10
log = logging.getLogger("harness.cache")


def text_keys(texts: Iterable[str]) -> pa.Array:
    """(N,) hashes of texts, the first 128 bits of SHA-256; a lone surrogate hashes as itself."""
    digests = [hashlib.sha256(t.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES] for t in texts]
    return pa.array(digests, pa.binary(KEY_BYTES))


class Block(Protocol):
    """What is kept of some texts."""

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        ...


B = TypeVar("B", bound=Block)
S = TypeVar("S", bound="Stored[Any]")


class Store(ABC, Generic[B, S]):
    """What is kept of texts for one encoder and side; a subclass says what that is and how a shard holds it.

    Args:
        cache: where.
        kind: group of entries, as `embeddings`.
        key: hash of everything that decides what is kept, except the text.
        describe: the same in words, JSON-safe, for `harness cache ls`.
    """

    def __init__(self, cache: Cache, kind: str, key: str, describe: Mapping[str, Any]) -> None:
        self.folder, self._kind, self._key = cache.root / kind / key, kind, key
        self._cache = cache
        self.lock = cache.shared_lock(kind, key)
        try:
            json.loads((self.folder / META).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not there yet, or damaged; nothing but the listing rests on it
            meta = {"kind": kind, "key": key, "describe": dict(describe), "created": time.time()}
            with writing(cache.root):
                write_text(self.folder / META, json.dumps(meta, indent=1, sort_keys=True))

    @abstractmethod
    def column(self, block: B) -> pa.Array:
        """(n,) a block as a column of a shard."""

    @abstractmethod
    def block(self, column: pa.Array) -> B:
        """The block that a whole column holds, not copied."""

    @abstractmethod
    def joined(self, blocks: Sequence[B]) -> B:
        """Blocks end to end."""

    @abstractmethod
    def at(self, held: Held[B], places: Ints) -> S:
        """What is kept at these places, none of them −1; read when it is asked for."""

    def read(self) -> Held[B]:
        """Everything kept so far, memory-mapped; a shard that does not answer to its name is set aside.

        Raises:
            CacheError: shards vanish faster than they are read.
        """
        self._cache.touch(self.folder)
        if self._cache.remote is not None:
            self._cache.remote.fetch_shards(self._kind, self._key, self.folder)
        for _ in range(TRIES):
            with contextlib.suppress(
                FileNotFoundError
            ):  # merged by another process since they were listed: list them again
                return Held([self._open(path) for path in sorted(self.folder.glob("*.arrow")) if self._sound(path)])
        raise CacheError(
            f"shards of {self.folder} vanish while they are read; run again, and see `harness cache verify`."
        )

    def _sound(self, path: Path) -> bool:
        if self._cache.hashes.sha256(path)[:32] == path.stem:
            return True
        log.warning("%s is damaged: set aside as .bad, its vectors will be made again", path)
        path.rename(path.with_suffix(".bad"))
        return False

    def _open(self, path: Path) -> Shard[B]:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        batch = file.get_batch(0)  # `_save` writes one
        seconds = float((file.schema.metadata or {}).get(SECONDS, b"0"))
        return Shard(path, batch["text"], self.block(batch["vector"]), seconds)

    def write(self, keys: pa.Array, vectors: B, seconds: float) -> None:
        """Adds one shard.

        Args:
            keys: (n,) from `text_keys`.
            vectors: what is kept of the n texts.
            seconds: what they took to make, for later runs to report.

        Raises:
            CacheError: the disk is full, or the cache cannot be written.
        """
        table = pa.table({"text": keys, "vector": self.column(vectors)})
        table = table.replace_schema_metadata({SECONDS: repr(round(seconds, 3)).encode()})
        with writing(self._cache.root):
            shard = self._written(table)
        if self._cache.remote is not None:
            self._cache.remote.keep_shard(self._kind, self._key, shard)

    def _written(self, table: pa.Table) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".", suffix=".part", dir=self.folder, delete=False) as file:
            part = Path(file.name)
        try:
            _save(table, part)
            with open(part, "rb") as file:
                os.fsync(file.fileno())
            share(part)
            return part.replace(self.folder / f"{sha256(part)[:32]}.arrow")
        finally:
            part.unlink(missing_ok=True)

    def merge(self, most: int = 8, size: int | None = None) -> None:
        """Makes one shard of many small ones, so that a finished entry opens fast; call it under `lock`.

        Apart from others it is done seldom: what two merge at once is kept twice. With a store it is not done: the
        small ones would come back.

        Args:
            most: so many small ones may stay.
            size: bytes from which a shard is not small, and up to which one is made; merging takes as much memory. None
                takes `MERGED_BYTES`.
        """
        if self._cache.remote is not None:
            return
        most = max(most, MOST_APART) if self._cache.is_apart else most
        size = MERGED_BYTES if size is None else size
        small = [s for s in self.read().shards if s.vectors.nbytes < size]
        while len(small) > most:
            group = small[:1]
            while len(group) < len(small) and sum(s.vectors.nbytes for s in group) < size:
                group = small[: len(group) + 1]
            small = small[len(group) :]
            keys = pa.concat_arrays([s.keys for s in group])
            self.write(keys, self.joined([s.vectors for s in group]), sum(s.seconds for s in group))
            for shard in group:
                shard.path.unlink(missing_ok=True)


def _save(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


@dataclass(frozen=True)
class Shard(Generic[B]):
    """One mapped file.

    Args:
        path: the file.
        keys: (n,) hashes of texts.
        vectors: what is kept of them.
        seconds: what they took to make.
    """

    path: Path
    keys: pa.Array
    vectors: B
    seconds: float


class Held(Generic[B]):
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

        return pc.index_in(keys, value_set=self._keys).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]

    def seconds(self, places: Ints) -> Floats:
        """(n,) what each of the vectors at these places took to make: an even share of its shard."""
        shard = np.searchsorted(self._starts, places, side="right") - 1
        shares = np.array([s.seconds / max(1, len(s.keys)) for s in self.shards], dtype=np.float32)
        return shares[shard]

    def windows(self, places: Ints, size: int) -> Iterator[tuple[slice, B, Ints]]:
        """Ascending places, each once, cut by shard and by so many: which of them, the shard's block, and their rows in
        it.
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


class Stored(ABC, Generic[B]):
    """What is kept of N texts, read from the mapped shards when asked for; memory holds one block."""

    def __init__(self, held: Held[B], places: Ints) -> None:
        self._held = held
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @abstractmethod
    def gather(self, places: Ints) -> B:
        """What is at these places of the shards, copied."""

    def block(self, start: int, stop: int) -> B:
        """That of the texts from start to stop."""
        return self.gather(self._places[start:stop])

    def take(self, rows: npt.NDArray[np.int64]) -> B:
        """That of some texts, in the order asked."""
        return self.gather(self._places[rows])


class StoredVectors(Stored[Floats]):
    """(N, D) vectors, as `harness.indexes.Vectors`."""

    @property
    def dimension(self) -> int:
        """D; 0 where there is no vector."""
        return self._held.shards[0].vectors.shape[1] if self._held.shards else 0

    def pieces(self, size: int) -> Iterator[tuple[Ints, Floats]]:
        """All vectors in the order in which they lie on disk, at most so many at a time: their rows, (m, D) vectors.

        What lies end to end is not copied.
        """
        order, firsts, repeated = self._by_place
        rows = order[firsts]
        for some, vectors, inside in self._held.windows(self._places[rows], size):
            together = inside[-1] - inside[0] + 1 == len(inside)
            yield rows[some], vectors[inside[0] : inside[-1] + 1] if together else vectors[inside]
        for start in range(0, len(repeated), size):
            again = order[repeated[start : start + size]]
            yield again, self.take(again)

    @cached_property
    def _by_place(self) -> tuple[Ints, Ints, Ints]:
        """Rows by place; where in them a place stands first, and where again."""
        order = np.argsort(self._places, kind="stable")
        new = np.diff(self._places[order], prepend=-1) != 0
        return order, np.flatnonzero(new), np.flatnonzero(~new)

    def gather(self, places: Ints) -> Floats:
        """(n, D) vectors at these places."""
        out = np.empty((len(places), self.dimension), dtype=np.float32)
        for mine, vectors, rows in self._held.inside(places):
            out[mine] = vectors[rows]
        return out


class VectorStore(Store[Floats, StoredVectors]):
    """The kept vectors of one encoder and side: (n, D) float32 blocks."""

    def column(self, block: Floats) -> pa.Array:
        """See `Store.column`."""
        flat = pa.array(np.ascontiguousarray(block, dtype=np.float32).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, block.shape[1])

    def block(self, column: pa.Array) -> Floats:
        """See `Store.block`."""
        return column.values.to_numpy().reshape(len(column), column.type.list_size)  # type: ignore[no-any-return]

    def joined(self, blocks: Sequence[Floats]) -> Floats:
        """See `Store.joined`."""
        return np.concatenate(blocks)

    def at(self, held: Held[Floats], places: Ints) -> StoredVectors:
        """See `Store.at`."""
        return StoredVectors(held, places)
