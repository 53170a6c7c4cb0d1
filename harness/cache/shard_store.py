"""A store of what is cached of texts, one value per text and encoder, in self-checking shards that are only ever added.

An entry is a folder `<kind>/<key>/`; the key hashes all that decides a value except the text. A shard is an Arrow file
named by the SHA-256 of its own bytes, so one that was cut short or altered does not match its name: it is set aside
with a warning, and its values are computed again. Shards are written next to their place and renamed; a kill loses only
what was not yet written, and two processes can add to one entry at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.base.disk import writing
from harness.base.errors import CacheError
from harness.base.files import sha256, share, write_text
from harness.cache.folders import META, Cache
from harness.cache.shards import B, Shard, ShardSet
from harness.data.ranking import Ints

SECONDS = b"harness.seconds"
MERGED_BYTES = 512 << 20
"""Shards are merged up to about this size: merging takes that much memory."""
MOST_APART = 64
TRIES = 10
log = logging.getLogger("harness.cache")
S = TypeVar("S", bound="StoredBlocks[Any]")


class ShardStore(ABC, Generic[B, S]):
    """What is cached of texts for one encoder and side; a subclass says what that is and how a shard stores it.

    Args:
        cache: where.
        kind: group of entries, as `embeddings`.
        key: hash of everything that decides what is cached, except the text.
        describe: the same in words, JSON-safe, for `harness cache ls`.
    """

    def __init__(self, cache: Cache, kind: str, key: str, describe: Mapping[str, Any]) -> None:
        self.folder, self._kind, self._key = cache.root / kind / key, kind, key
        self._cache = cache
        self.lock = cache.shared_lock(kind, key)
        try:
            json.loads((self.folder / META).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # absent or damaged; only the listing reads it
            meta = {"kind": kind, "key": key, "describe": dict(describe), "created": time.time()}
            with writing(cache.root):
                write_text(self.folder / META, json.dumps(meta, indent=1, sort_keys=True))

    @abstractmethod
    def column(self, block: B) -> pa.Array:
        """(n,) a block as a column of a shard."""

    @abstractmethod
    def block(self, column: pa.Array) -> B:
        """The block of a whole column, not copied."""

    @abstractmethod
    def joined(self, blocks: Sequence[B]) -> B:
        """Blocks end to end."""

    @abstractmethod
    def at(self, shards: ShardSet[B], places: Ints) -> S:
        """What is cached at these places, of which none is −1; read when it is needed."""

    def read(self) -> ShardSet[B]:
        """Everything cached so far, memory-mapped; a shard whose bytes do not match its name is set aside.

        Raises:
            CacheError: shards vanish faster than they are read.
        """
        self._cache.touch(self.folder)
        if self._cache.remote is not None:
            self._cache.remote.fetch_shards(self._kind, self._key, self.folder)
        for _ in range(TRIES):
            # A file that another process merged since it was listed is missing: list them again.
            with contextlib.suppress(FileNotFoundError):
                return ShardSet([self._open(path) for path in sorted(self.folder.glob("*.arrow")) if self._sound(path)])
        raise CacheError(
            f"files in {self.folder} disappear while they are read: another process seems to rewrite or remove them. "
            "Run again; if it happens again, check the cache with `harness cache verify`."
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
            vectors: what to cache of the n texts.
            seconds: time that computing them took, for later runs to report.

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
        """Merges small shards, so that a finished entry opens fast; call it under `lock`.

        Where processes do not see each other's locks (`Cache.is_apart`) it is done seldom, since what two processes
        merge at once is stored twice. With a remote store it is not done: the small shards would be fetched again.

        Args:
            most: number of small shards that may stay.
            size: bytes from which a shard is not small, and up to which shards are merged; merging takes as much
                memory. None takes `MERGED_BYTES`.
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


class StoredBlocks(ABC, Generic[B]):
    """What is cached of N texts, read from the mapped shards block by block."""

    def __init__(self, shards: ShardSet[B], places: Ints) -> None:
        self._shards = shards
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
        """That of some texts, in the requested order."""
        return self.gather(self._places[rows])
