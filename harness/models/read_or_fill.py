"""Cached vectors of items: those that are missing are computed, stored and read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.base.errors import CacheError
from harness.cache.shard_store import MERGED_BYTES, ShardStore, StoredBlocks
from harness.cache.shards import Block
from harness.data.ranking import Ints
from harness.runtime.context import Context

T = TypeVar("T")
B = TypeVar("B", bound=Block)
S = TypeVar("S", bound=StoredBlocks[Any])

READ = 1024
"""Items that are read at once, to be hashed or counted."""


def read_or_fill(
    items: Sequence[T],
    keys_of: Callable[[Sequence[T]], pa.Array],
    fill: Callable[[pa.Array, Ints], int],
    store: ShardStore[B, S],
    context: Context,
) -> S:
    """The stored vectors of N items, as (N, D), after `fill` has computed and stored those that were missing.

    Args:
        items: read by slices.
        keys_of: items → (n,) hashes.
        fill: given the (N,) hashes and the place of each in the store, −1 if it has none, writes the missing ones to
            the store and returns how many distinct ones it computed. No other process writes the same entry meanwhile.
        store: where they are stored.
        context: counts `asked` and `computed` in the current step.

    Raises:
        CacheError: shards vanished while they were read.
        HarnessError: what `fill` raises; what it wrote stays stored.
    """
    parts = [keys_of(items[start : start + READ]) for start in range(0, len(items), READ)]
    keys = pa.concat_arrays(parts) if parts else keys_of([])
    stored: Any  # of the store's own kind
    stored, places, seconds = _located(store, keys)
    computed = 0
    if (places < 0).any():
        started = time.perf_counter()
        with store.lock:  # another process may compute the same items: wait, then read what it stored
            context.ledger.waited(time.perf_counter() - started)
            stored, places, seconds = _located(store, keys)
            computed = fill(keys, places)
            store.merge(size=min(MERGED_BYTES, context.memory.working))
            stored = store.read()
            places = stored.locate(keys)
        if (places < 0).any():
            raise CacheError(
                f"shards of {store.folder} vanished while they were read; run again, and see `harness cache verify`."
            )
    context.ledger.count("asked", len(items))
    context.ledger.count("computed", computed)
    # Seconds are 0 for what was computed now: the step's own clock has counted that.
    context.ledger.credit(store.folder.name, _numbers(keys), seconds)
    return store.at(stored, places)


def _located(store: ShardStore[B, S], keys: pa.Array) -> tuple[Any, Ints, Any]:
    """What is stored, the place of each key in it (−1: none), and the seconds that each stored one took to compute."""
    stored: Any = store.read()
    places = stored.locate(keys)
    present = places >= 0
    seconds = np.zeros(len(keys), dtype=np.float32)
    seconds[present] = stored.seconds(places[present])
    return stored, places, seconds


def _numbers(keys: pa.Array) -> npt.NDArray[np.uint64]:
    """(n,) the first 8 bytes of each hash: enough to distinguish texts when time is counted."""
    width = keys.type.byte_width
    raw = np.frombuffer(keys.buffers()[1], dtype=np.uint8, count=width * (len(keys) + keys.offset))
    return raw.reshape(-1, width)[keys.offset :, :8].copy().view(np.uint64).ravel()
