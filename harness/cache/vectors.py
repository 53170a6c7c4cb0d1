"""Kept vectors: one float32 vector per text and encoder, in self-checking shards that are only ever added.

An entry is a folder `<kind>/<key>/`; the key hashes all that decides a vector except the text. A shard is an Arrow file of
(text hash, vector), named by the SHA-256 of its own bytes, so one that was cut short or altered does not answer to its name: it
is set aside with a warning and what it held is made again. Shards are written beside and renamed; a kill loses only what was
not yet written, and two processes can add to one entry at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.cache.folders import META, Cache
from harness.errors import CacheError
from harness.files import sha256, share, write_text
from harness.ranking import Floats, Ints

KEY_BYTES = 16
SECONDS = b"harness.seconds"
MERGED_BYTES = 512 << 20
"""Shards are merged up to about this size: merging takes that much memory."""
TRIES = 10
log = logging.getLogger("harness.cache")


def text_keys(texts: Iterable[str]) -> pa.Array:
    """(N,) hashes of texts, the first 128 bits of SHA-256; a lone surrogate hashes as itself."""
    digests = [hashlib.sha256(t.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES] for t in texts]
    return pa.array(digests, pa.binary(KEY_BYTES))


class VectorStore:
    """The kept vectors of one encoder and side.

    Args:
        cache: where.
        kind: group of entries, as `embeddings`.
        key: hash of everything that decides a vector, except the text.
        describe: the same in words, JSON-safe, for `harness cache ls`.
    """

    def __init__(self, cache: Cache, kind: str, key: str, describe: Mapping[str, Any]) -> None:
        self.folder = cache.root / kind / key
        self._cache = cache
        self.lock = cache.lock(kind, key)
        try:
            json.loads((self.folder / META).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not there yet, or damaged; nothing but the listing rests on it
            meta = {"kind": kind, "key": key, "describe": dict(describe), "created": time.time()}
            write_text(self.folder / META, json.dumps(meta, indent=1, sort_keys=True))

    def read(self) -> Held:
        """Everything kept so far, memory-mapped; a shard that does not answer to its name is set aside.

        Raises:
            CacheError: shards vanish faster than they are read.
        """
        self._cache.touch(self.folder)
        for _ in range(TRIES):
            with contextlib.suppress(FileNotFoundError):  # merged by another process since they were listed: list them again
                return Held([_Shard(path) for path in sorted(self.folder.glob("*.arrow")) if self._sound(path)])
        raise CacheError(f"shards of {self.folder} vanish while they are read; run again, and see `harness cache verify`.")

    def _sound(self, path: Path) -> bool:
        if self._cache.hashes.sha256(path)[:32] == path.stem:
            return True
        log.warning("%s is damaged: set aside as .bad, its vectors will be made again", path)
        path.rename(path.with_suffix(".bad"))
        return False

    def write(self, keys: pa.Array, vectors: Floats, seconds: float) -> None:
        """Adds one shard.

        Args:
            keys: (n,) from `text_keys`.
            vectors: (n, D) float32.
            seconds: what they took to make, for later runs to report.
        """
        table = _table(keys, vectors, seconds)
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".", suffix=".part", dir=self.folder, delete=False) as file:
            part = Path(file.name)
        try:
            _save(table, part)
            with open(part, "rb") as file:
                os.fsync(file.fileno())
            share(part)
            part.replace(self.folder / f"{sha256(part)[:32]}.arrow")
        finally:
            part.unlink(missing_ok=True)

    def merge(self, most: int = 8) -> None:
        """Makes one shard of many small ones, so that a finished entry opens fast; call it under `lock`."""
        small = [s for s in self.read().shards if s.vectors.nbytes < MERGED_BYTES]
        while len(small) > most:
            group = small[:1]
            while len(group) < len(small) and sum(s.vectors.nbytes for s in group) < MERGED_BYTES:
                group = small[: len(group) + 1]
            small = small[len(group) :]
            keys = pa.concat_arrays([s.keys for s in group])
            self.write(keys, np.concatenate([s.vectors for s in group]), sum(s.seconds for s in group))
            for shard in group:
                shard.path.unlink(missing_ok=True)


def _table(keys: pa.Array, vectors: Floats, seconds: float) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table({"text": keys, "vector": column}).replace_schema_metadata({SECONDS: repr(round(seconds, 3)).encode()})


def _save(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


class _Shard:
    """One mapped file."""

    def __init__(self, path: Path) -> None:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        batch = file.get_batch(0)  # `_save` writes one
        self.path = path
        self.keys: pa.Array = batch["text"]
        self.vectors: Floats = batch["vector"].values.to_numpy().reshape(len(batch), batch["vector"].type.list_size)
        self.seconds = float((file.schema.metadata or {}).get(SECONDS, b"0"))


class Held:
    """The shards of an entry, seen as one long array of vectors."""

    def __init__(self, shards: list[_Shard]) -> None:
        self.shards = shards
        self._starts = np.cumsum([0] + [len(s.keys) for s in shards])
        self._keys = pa.chunked_array([s.keys for s in shards], pa.binary(KEY_BYTES))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def locate(self, keys: pa.Array) -> Ints:
        """(N,) place of each text's vector, −1 where there is none."""
        return pc.index_in(keys, value_set=self._keys).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]

    def seconds(self, places: Ints) -> Floats:
        """(n,) what each of the vectors at these places took to make: an even share of its shard."""
        shard = np.searchsorted(self._starts, places, side="right") - 1
        shares = np.array([s.seconds / max(1, len(s.keys)) for s in self.shards], dtype=np.float32)
        return shares[shard]

    def at(self, places: Ints) -> StoredVectors:
        """The vectors at these places, none of them −1, as `harness.indexes.Vectors`."""
        return StoredVectors(self, places)

    def gather(self, places: Ints) -> Floats:
        """(n, D) vectors at these places."""
        dimension = self.shards[0].vectors.shape[1] if self.shards else 0
        out = np.empty((len(places), dimension), dtype=np.float32)
        shard = np.searchsorted(self._starts, places, side="right") - 1
        for i in np.unique(shard):
            mine = shard == i
            out[mine] = self.shards[i].vectors[places[mine] - self._starts[i]]
        return out


class StoredVectors:
    """(N, D) vectors read from the mapped shards when asked for; memory holds one block."""

    def __init__(self, held: Held, places: Ints) -> None:
        self._held = held
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @property
    def dimension(self) -> int:
        """D; 0 where there is no vector."""
        return self._held.shards[0].vectors.shape[1] if self._held.shards else 0

    def block(self, start: int, stop: int) -> Floats:
        """(stop − start, D) vectors."""
        return self._held.gather(self._places[start:stop])

    def take(self, rows: npt.NDArray[np.int64]) -> Floats:
        """(len(rows), D) vectors, in the order asked."""
        return self._held.gather(self._places[rows])
