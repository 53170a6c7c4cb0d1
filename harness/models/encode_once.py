"""The way texts (or pairs) go through a model once: what is kept is taken, the rest is batched, run and kept."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.base.errors import CacheError, ModelError
from harness.cache.shard_store import MERGED_BYTES, ShardStore, StoredBlocks
from harness.cache.shards import Block
from harness.data.ranking import Ints
from harness.engines.torch import ACCELERATOR_TOKENS, CPU_TOKENS
from harness.runtime.context import Context
from harness.runtime.progress import Advance

T = TypeVar("T")
B = TypeVar("B", bound=Block)
S = TypeVar("S", bound=StoredBlocks[Any])

CHUNK = 16384
"""Items that are sorted by length together: bounds memory, and fixes the batches whatever was done before."""
FLUSH_SECONDS = 5.0
"""At most about this much work is lost to a kill."""
READ = 1024
"""Items that are read at once, to be hashed or counted."""
APART = ("harness.indexes", *(f"harness.models.{name}" for name in ("engine_check", "prompts", "truncated")))
"""Modules that decide nothing of what is cached of a text: which engine answers and which prompt is asked for (the key
has both), and what is done with the vectors.
"""


@dataclass(frozen=True)
class Work(Generic[T, B]):
    """What to do with items that are not kept yet.

    Args:
        label: for the progress bar, as `encode documents`.
        unit: what the items are called, as `texts`.
        keys: items → (n,) hashes (`harness.cache.vectors.text_keys`).
        lengths: items → tokens of each, as the model will see it.
        run: a batch of items → what is kept of them, as (n, D) float32, in their order.
        budget: gives the tokens of a batch, padding included; asked after `lengths`, when the model is loaded.
        prepare: items → what `lengths` and `run` are given in their place, one for each, as token numbers. The first
            call loads the model; the next chunk's comes from another thread, while the model runs on this one's.
    """

    label: str
    unit: str
    keys: Callable[[Sequence[T]], pa.Array]
    lengths: Callable[[Sequence[Any]], list[int]]
    run: Callable[[Sequence[Any]], B]
    budget: Callable[[], int]
    prepare: Callable[[Sequence[T]], Sequence[Any]] | None = None


def kept(items: Sequence[T], work: Work[T, B], store: ShardStore[B, S], context: Context) -> S:
    """What is kept of N items, as (N, D) vectors; those not kept yet go through the model, each distinct one once, and
    are kept.

    Args:
        items: read by slices, so more than fit in memory will do.
        work: how.
        store: where they are kept.
        context: counts `asked` and `computed` in the step being done.

    Raises:
        CacheError: shards vanished while they were read.
        HarnessError: what `work.run` raises; what was done before it is kept.
    """
    return completed(
        items, work.keys, lambda keys, places: _fill(items, keys, places, work, store, context), store, context
    )


def completed(
    items: Sequence[T],
    keys_of: Callable[[Sequence[T]], pa.Array],
    fill: Callable[[pa.Array, Ints], int],
    store: ShardStore[B, S],
    context: Context,
) -> S:
    """What is kept of N items, as (N, D) vectors, after `fill` has made and kept those that were missing.

    Args:
        items: read by slices.
        keys_of: items → (n,) hashes.
        fill: given the (N,) hashes and the place of each, −1 where it has none, writes the missing ones to the store
            and returns how many distinct ones it made; no other process is at the same entry meanwhile.
        store: where they are kept.
        context: counts `asked` and `computed` in the step being done.

    Raises:
        CacheError: shards vanished while they were read.
        HarnessError: what `fill` raises; what it wrote is kept.
    """
    parts = [keys_of(items[start : start + READ]) for start in range(0, len(items), READ)]
    keys = pa.concat_arrays(parts) if parts else keys_of([])
    held = store.read()
    places = held.locate(keys)
    kept_before = places >= 0
    seconds = np.zeros(len(keys), dtype=np.float32)
    seconds[kept_before] = held.seconds(places[kept_before])
    computed = 0
    if (places < 0).any():
        asked = time.perf_counter()
        with store.lock:  # another process may be at the same texts: wait, then take what it kept
            context.ledger.waited(time.perf_counter() - asked)
            held = store.read()
            places = held.locate(keys)
            kept_before = places >= 0
            seconds[kept_before] = held.seconds(places[kept_before])
            computed = fill(keys, places)
            store.merge(size=min(MERGED_BYTES, context.memory.working))
            held = store.read()
            places = held.locate(keys)
        if (places < 0).any():
            raise CacheError(
                f"shards of {store.folder} vanished while they were read; run again, and see `harness cache verify`."
            )
    context.ledger.count("asked", len(items))
    context.ledger.count("computed", computed)
    context.ledger.credit(
        store.folder.name, _numbers(keys), seconds
    )  # 0 for what was computed: the clock has counted that
    return store.at(held, places)


def _numbers(keys: pa.Array) -> npt.NDArray[np.uint64]:
    """(n,) the first 8 bytes of each hash: enough to tell texts apart when time is counted."""
    width = keys.type.byte_width
    raw = np.frombuffer(keys.buffers()[1], dtype=np.uint8, count=width * (len(keys) + keys.offset))
    return raw.reshape(-1, width)[keys.offset :, :8].copy().view(np.uint64).ravel()


def _fill(
    items: Sequence[T], keys: pa.Array, places: Ints, work: Work[T, B], store: ShardStore[B, S], context: Context
) -> int:
    """Runs what has no place and writes it shard by shard; returns how many items went through the model.

    The batches depend only on the items and on what is missing: chunks are cut by position, a chunk's missing items are
    sorted longest first and packed greedily. What a kill leaves undone is the tail of that order, so the run that
    resumes makes the very batches, and the very bytes, that the killed one would have made.
    """
    missing = np.flatnonzero(places < 0)
    chunks = _chunks(keys, missing)
    rows = next(chunks, None)
    memory = context.memory.block // 2  # of two chunks: one is prepared while the other runs
    computed = 0
    with (
        context.progress(work.label, len(missing), work.unit) as advance,
        ThreadPoolExecutor(1, "harness-prepare") as beside,
    ):
        coming: Future[Ready] | None = None
        while rows is not None:
            # The first chunk is prepared here and not beside: it loads the model, which is a step of the run.
            ready = coming.result() if coming else _prepared(items, rows, work, memory)
            after = next(chunks, None)
            coming = (
                beside.submit(_prepared, items, after, work, memory) if after is not None and work.prepare else None
            )
            _fill_chunk(items, rows, ready, keys.take(pa.array(rows)), work, store, advance, memory)
            computed += len(rows)
            rows = after
        advance(len(missing) - computed)
    return computed


def _chunks(keys: pa.Array, missing: Ints) -> Iterator[Ints]:
    """Rows of what is missing, of equal items the first, by the chunk that they lie in; chunks without any are left
    out.
    """
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    wanted = keys.take(pa.array(missing))
    first = missing[pc.index_in(wanted, value_set=wanted).to_numpy() == np.arange(len(missing))]
    for start in range(0, len(keys), CHUNK):
        rows = first[slice(*np.searchsorted(first, [start, start + CHUNK]).tolist())]
        if len(rows):
            yield rows


Ready = tuple[list[int], list[Any] | None]
"""Tokens of the items of a chunk, and the items as `run` wants them; None in their place where they take more than the
memory.
"""


def _prepared(items: Sequence[T], rows: Ints, work: Work[T, B], memory: int) -> Ready:
    lengths: list[int] = []
    held: list[Any] | None = []
    characters = 0
    for start in range(int(rows[0]), int(rows[-1]) + 1, READ):
        part = items[start : start + READ]
        mine = [part[int(row) - start] for row in rows[slice(*np.searchsorted(rows, [start, start + READ]).tolist())]]
        if not mine:
            continue
        ready = mine if work.prepare is None else work.prepare(mine)
        lengths += work.lengths(ready)
        characters += sum(map(_characters, mine))
        held = [*held, *ready] if held is not None and characters <= memory else None
    return lengths, held


def _characters(item: Any) -> int:
    return len(item) if isinstance(item, str) else sum(map(len, item))


def _fill_chunk(
    items: Sequence[T],
    rows: Ints,
    ready: Ready,
    keys: pa.Array,
    work: Work[T, B],
    store: ShardStore[B, S],
    advance: Advance,
    memory: int,
) -> None:
    lengths, held = ready
    done: list[int] = []
    vectors: list[B] = []
    started = time.perf_counter()

    def wanted(batch: list[int]) -> Sequence[Any]:
        if held is not None:
            return [held[i] for i in batch]
        again = [items[int(rows[i])] for i in batch]
        return again if work.prepare is None else work.prepare(again)

    def flush() -> None:
        nonlocal started
        if done:
            store.write(keys.take(pa.array(done)), store.joined(vectors), time.perf_counter() - started)
            done.clear()
            vectors.clear()
        started = time.perf_counter()

    try:
        for batch in packed(lengths, work.budget()):
            vectors.append(work.run(wanted(batch)))
            done.extend(batch)
            advance(len(batch))
            if time.perf_counter() - started > FLUSH_SECONDS or sum(part.nbytes for part in vectors) > memory:
                flush()
    finally:
        flush()  # an error in one batch, or Ctrl-C, does not undo the others


def batch_tokens(context: Context, device: str) -> int:
    """Tokens that go through a model at once, padding included: as the context says, else what suits the kind of
    device.

    Small batches suit a CPU's caches, an accelerator wants large ones. It moves the last bits of a vector and nothing
    else, so it is no setting of a method and no part of a key.
    """
    return context.batch_tokens or (CPU_TOKENS if device == "cpu" else ACCELERATOR_TOKENS)


@contextlib.contextmanager
def no_weight_bars() -> Iterator[None]:
    """Inside, transformers draws no bars and reports no new weights, and sentence-transformers tells of no conversion.

    Loading is told of by ours, and a scoring head that an encoder gets is meant to be new.
    """
    from transformers.utils import logging as bars

    shown, level = bars.is_progress_bar_enabled(), bars.get_verbosity()
    models = logging.getLogger("sentence_transformers")
    before = models.level
    bars.disable_progress_bar()  # type: ignore[no-untyped-call]
    bars.set_verbosity_error()  # type: ignore[no-untyped-call]
    models.setLevel(logging.ERROR)
    try:
        yield
    finally:
        bars.set_verbosity(level)
        models.setLevel(before)
        if shown:
            bars.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def memory_advice(model: str) -> Iterator[None]:
    """Turns running out of memory into an error that says what to do.

    Raises:
        ModelError: in place of torch's `OutOfMemoryError`, or of the RuntimeError of its CPU allocator.
    """
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one
        told = str(error).lower()
        if "out of memory" in told or "not enough memory" in told or "can't allocate memory" in told:
            raise ModelError(
                f'{model} ran out of memory: lower --batch-tokens, or set max_length or precision="bf16".'
            ) from error
        raise


def packed(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Batches of positions, longest first, each of at most `budget` tokens with its padding (one item at least)."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size
