"""Texts (or pairs) go through a model once: cached vectors are reused; the rest is batched, computed and cached."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa

from harness.cache.shard_store import ShardStore, StoredBlocks
from harness.cache.shards import Block
from harness.data.ranking import Ints
from harness.models.batching import packed
from harness.models.read_or_fill import READ, read_or_fill
from harness.runtime.context import Context
from harness.runtime.progress import Advance

T = TypeVar("T")
B = TypeVar("B", bound=Block)
S = TypeVar("S", bound=StoredBlocks[Any])

CHUNK = 16384
"""Items that are sorted by length together: bounds memory, and makes the batches independent of earlier work."""
FLUSH_SECONDS = 5.0
"""About the most work, in seconds, that is lost when the process is killed."""
_CHOICES = ("engine_settings", "engine_compare", "engine_check", "sample", "prompts", "truncated")
APART = ("harness.indexes", *(f"harness.models.{name}" for name in _CHOICES))
"""Modules that do not count in the key of a cached text: they choose the engine and the prompt, which the key has
itself, or use the vectors afterwards.
"""


@dataclass(frozen=True)
class EncodeTask(Generic[T, B]):
    """How to compute items that are not cached.

    Args:
        label: for the progress bar, as `encode documents`.
        unit: what the items are called, as `texts`.
        keys: items → (n,) hashes (`harness.cache.vectors.text_keys`).
        lengths: items → tokens of each, as the model will see it.
        run: a batch of items → what is cached of them, as (n, D) float32, in their order.
        budget: gives the tokens of a batch, padding included; called after `lengths`, when the model is loaded.
        prepare: items → what `lengths` and `run` receive instead, one for each, such as token numbers. The first call
            loads the model; the next chunk is prepared in another thread while the model computes this one.
    """

    label: str
    unit: str
    keys: Callable[[Sequence[T]], pa.Array]
    lengths: Callable[[Sequence[Any]], list[int]]
    run: Callable[[Sequence[Any]], B]
    budget: Callable[[], int]
    prepare: Callable[[Sequence[T]], Sequence[Any]] | None = None

    def prepared(self, items: Sequence[T]) -> Sequence[Any]:
        """The items as `lengths` and `run` take them."""
        return items if self.prepare is None else self.prepare(items)


def encode_once(items: Sequence[T], task: EncodeTask[T, B], store: ShardStore[B, S], context: Context) -> S:
    """The vectors of N items, as (N, D); each distinct item that is not cached goes through the model once.

    Args:
        items: read by slices, so they may be larger than memory.
        task: how to compute them.
        store: where they are cached.
        context: counts `asked` and `computed` in the current step.

    Raises:
        CacheError: shards vanished while they were read.
        HarnessError: what `task.run` raises; what was computed before it is cached.
    """
    return read_or_fill(
        items, task.keys, lambda keys, places: _fill(items, keys, places, task, store, context), store, context
    )


def _fill(
    items: Sequence[T], keys: pa.Array, places: Ints, task: EncodeTask[T, B], store: ShardStore[B, S], context: Context
) -> int:
    """Computes what has no place and writes it shard by shard; returns how many items went through the model.

    The batches depend only on the items and on what is missing: chunks are cut by position, a chunk's missing items are
    sorted longest first and packed greedily. What a kill leaves undone is the tail of that order, so the run that
    resumes makes the same batches, and the same bytes, as the killed one would have made.
    """
    missing = np.flatnonzero(places < 0)
    chunks = _chunks(keys, missing)
    rows = next(chunks, None)
    memory = context.memory.block // 2  # two chunks are in memory: one is prepared while the other runs
    computed = 0
    with (
        context.progress(task.label, len(missing), task.unit) as advance,
        ThreadPoolExecutor(1, "harness-prepare") as background,
    ):
        coming: Future[Chunk] | None = None
        while rows is not None:
            # The first chunk is prepared in this thread: it loads the model, which is a step of the run.
            chunk = coming.result() if coming else _prepared(items, rows, task, memory)
            following = next(chunks, None)
            coming = None
            if following is not None and task.prepare:
                coming = background.submit(_prepared, items, following, task, memory)
            _fill_chunk(items, chunk, keys.take(pa.array(rows)), task, store, advance, memory)
            computed += len(rows)
            rows = following
        advance(len(missing) - computed)
    return computed


def _chunks(keys: pa.Array, missing: Ints) -> Iterator[Ints]:
    """Rows of what is missing by chunk, of equal items only the first; chunks without any are left out."""
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    wanted = keys.take(pa.array(missing))
    first = missing[pc.index_in(wanted, value_set=wanted).to_numpy() == np.arange(len(missing))]
    for start in range(0, len(keys), CHUNK):
        rows = first[slice(*np.searchsorted(first, [start, start + CHUNK]).tolist())]
        if len(rows):
            yield rows


@dataclass(frozen=True)
class Chunk:
    """Items of a chunk that are ready to run.

    Args:
        rows: of the items.
        lengths: tokens of each.
        prepared: the items as `run` takes them; None if they take more than the memory budget.
    """

    rows: Ints
    lengths: list[int]
    prepared: list[Any] | None


def _prepared(items: Sequence[T], rows: Ints, task: EncodeTask[T, B], memory: int) -> Chunk:
    lengths: list[int] = []
    prepared: list[Any] | None = []
    characters = 0
    for start in range(int(rows[0]), int(rows[-1]) + 1, READ):
        block = items[start : start + READ]
        inside = rows[slice(*np.searchsorted(rows, [start, start + READ]).tolist())]
        wanted = [block[int(row) - start] for row in inside]
        if not wanted:
            continue
        ready = task.prepared(wanted)
        lengths += task.lengths(ready)
        characters += sum(map(_characters, wanted))
        prepared = [*prepared, *ready] if prepared is not None and characters <= memory else None
    return Chunk(rows, lengths, prepared)


def _characters(item: Any) -> int:
    return len(item) if isinstance(item, str) else sum(map(len, item))


def _fill_chunk(
    items: Sequence[T],
    chunk: Chunk,
    keys: pa.Array,
    task: EncodeTask[T, B],
    store: ShardStore[B, S],
    advance: Advance,
    memory: int,
) -> None:
    done: list[int] = []
    vectors: list[B] = []
    started = time.perf_counter()

    def wanted(batch: list[int]) -> Sequence[Any]:
        if chunk.prepared is not None:
            return [chunk.prepared[i] for i in batch]
        return task.prepared([items[int(chunk.rows[i])] for i in batch])

    def flush() -> None:
        nonlocal started
        if done:
            store.write(keys.take(pa.array(done)), store.joined(vectors), time.perf_counter() - started)
            done.clear()
            vectors.clear()
        started = time.perf_counter()

    try:
        for batch in packed(chunk.lengths, task.budget()):
            vectors.append(task.run(wanted(batch)))
            done.extend(batch)
            advance(len(batch))
            if time.perf_counter() - started > FLUSH_SECONDS or sum(part.nbytes for part in vectors) > memory:
                flush()
    finally:
        flush()  # an error in one batch, or Ctrl-C, does not lose the others
