"""The context of a run: seed, device, cache, progress, and the ledger in which every shared step is done once and
timed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from harness.base.errors import SettingError
from harness.base.memory import Memory, parse_size
from harness.cache.folders import Cache

T = TypeVar("T")


class Advance(Protocol):
    """Tells a progress bar that `n` more things are done, and what to say beside it."""

    def __call__(self, n: int = 1, note: str | None = None) -> None:
        """`n` more; `note` replaces what stood beside the bar, None leaves it."""


class Progress(Protocol):
    """Opens a progress bar: `with context.progress("encode", 5183, "documents") as advance: …`."""

    def __call__(self, label: str, total: int, unit: str) -> contextlib.AbstractContextManager[Advance]:
        """A bar for `total` things called `unit`."""
        ...


@contextlib.contextmanager
def quiet(label: str, total: int, unit: str) -> Iterator[Advance]:
    """The progress bar that shows nothing."""

    def advance(n: int = 1, note: str | None = None) -> None:
        return None

    yield advance


Credit = tuple[str, npt.NDArray[np.uint64], npt.NDArray[np.float32]]


@dataclass
class Step:
    """One thing done once: what it was and what it took, without the steps inside it.

    Args:
        kind: `load`, `fit`, `index` or `search`.
        label: for people, as `index bm25`.
        key: everything that decides the result.
        seconds: wall time of this run, without the steps inside.
        cached_seconds: wall time that earlier runs spent on what this one took from the cache, texts that went through
            a model left out.
        credits: texts that were taken: store, (n,) their numbers, (n,) seconds that each took; 0 for those computed
            now.
        peak_mb: highest resident memory of the process while the step ran, in MiB.
        counts: what was counted, as `encoded` and `from cache`.
        notes: what a reader of the figures must know, found on the way.
        inner: the steps that this one needed.
    """

    kind: str
    label: str
    key: str
    seconds: float = 0.0
    cached_seconds: float = 0.0
    peak_mb: float = 0.0
    credits: list[Credit] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    inner: list[Step] = field(default_factory=list)

    def all(self) -> list[Step]:
        """The step and all it needed, each once, needed ones first."""
        found: dict[str, Step] = {}
        for step in self.inner:
            found.update((s.key, s) for s in step.all())
        found[self.key] = self
        return list(found.values())


def costs(steps: Iterable[Step]) -> list[float]:
    """What each step takes without a cache, in seconds; a text that several of them took counts for the first."""
    seen: dict[str, npt.NDArray[np.uint64]] = {}
    found = []
    for step in steps:
        total = step.seconds + step.cached_seconds
        for store, numbers, seconds in step.credits:
            numbers, first = np.unique(numbers, return_index=True)
            new = ~np.isin(numbers, seen.get(store, np.zeros(0, np.uint64)))
            total += float(seconds[first][new].sum())
            seen[store] = np.union1d(seen.get(store, np.zeros(0, np.uint64)), numbers)
        found.append(total)
    return found


class Context:
    """What a method is given besides data. One per run of the bench; nothing in it is global.

    Args:
        seed: of every random stream, through `rng`.
        device: where models run (`cpu`, `cuda`, `mps`); None lets torch choose.
        batch_tokens: tokens that go through a model at once, padding included; None takes what suits the device.
        cache: kept things; None opens the user's cache folder.
        memory: what steps may take for what grows with a collection; None takes `HARNESS_MEMORY`, else 2 GiB.
        data_dirs: folders that may hold BEIR collections, before `HARNESS_DATA` and the user's cache.
        progress: how to show progress; quiet by default.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        device: str | None = None,
        batch_tokens: int | None = None,
        cache: Cache | None = None,
        memory: Memory | None = None,
        data_dirs: tuple[Path, ...] = (),
        progress: Progress = quiet,
    ) -> None:
        self.seed = seed
        self.device = device
        self.batch_tokens = batch_tokens
        self.cache = cache or Cache()
        self.memory = memory or Memory()
        self.data_dirs = data_dirs
        self.progress = progress
        self.live = False
        self.depth = 0
        self.steps: dict[str, Step] = {}
        self._held: dict[str, Any] = {}
        self._depths: dict[str, int] = {}
        self._dataset: str | None = None
        self._open: list[Step] = []
        self._inside: list[float] = []
        self._guard: Callable[[Sequence[str]], object] | None = None

    def reseeded(self, seed: int) -> Context:
        """Another run with the same device, cache, memory and bars; who guards this one does not guard that."""
        return Context(
            seed=seed,
            device=self.device,
            batch_tokens=self.batch_tokens,
            cache=self.cache,
            memory=self.memory,
            data_dirs=self.data_dirs,
            progress=self.progress,
        )

    def rng(self, purpose: str) -> np.random.Generator:
        """A random stream of its own for each purpose, so that adding one use does not move another."""
        word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
        return np.random.default_rng([self.seed, word])

    def once(self, kind: str, label: str, key: str, build: Callable[[], T]) -> T:
        """Builds the thing behind `key` the first time it is asked for; times it, without the steps inside it.

        Args:
            kind: `load`, `model`, `fit`, `index` or `search`.
            label: for people.
            key: everything that decides the result.
            build: makes it; what it raises passes through and nothing is remembered.
        """
        key = f"{kind}:{key}"
        if key not in self._held:
            step = Step(kind, label, key)
            self._open.append(step)
            self._inside.append(0.0)
            try:
                with watched() as spent:
                    self._held[key] = build()
            finally:
                self._open.pop()
                inside = self._inside.pop()
            if self._inside:
                self._inside[-1] += spent.seconds
            step.seconds = max(0.0, spent.seconds - inside)
            step.peak_mb = spent.peak_mb
            self.steps[key] = step
        step = self.steps[key]
        if self._open and step not in self._open[-1].inner:
            self._open[-1].inner.append(step)
        return self._held[key]  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def tracked(self, label: str) -> Iterator[Step]:
        """A step that is not remembered: its `inner` collects what the block needed, done now or earlier.

        Inside another step it changes nothing of that one: what is counted here counts there too.
        """
        step = Step("row", label, label)
        self._open.append(step)
        self._inside.append(0.0)
        try:
            yield step
        finally:
            self._open.pop()
            inside = self._inside.pop()
            if self._open:
                outer = self._open[-1]
                self._inside[-1] += inside
                outer.cached_seconds += step.cached_seconds
                outer.credits += step.credits
                outer.notes += step.notes
                outer.inner += [s for s in step.inner if s not in outer.inner]
                for name, n in step.counts.items():
                    outer.counts[name] = outer.counts.get(name, 0) + n

    def deepest(self, search: str, k: int) -> int:
        """The greatest depth a search was done or announced at, at least k: one deep search serves every shallower
        need.
        """
        self._depths[search] = max(k, self._depths.get(search, 0), self.depth)
        return self._depths[search]

    def count(self, name: str, n: int) -> None:
        """Adds to a count of the step that is being done."""
        if self._open:
            counts = self._open[-1].counts
            counts[name] = counts.get(name, 0) + n

    def note(self, text: str) -> None:
        """Tells in the record what a reader of the figures must know, found while the step is done."""
        if self._open:
            self._open[-1].notes.append(text)

    def waited(self, seconds: float) -> None:
        """Leaves time out of the step being done that it spent waiting for another process to do the work."""
        if self._inside:
            self._inside[-1] += seconds

    def credit(self, store: str, numbers: npt.NDArray[np.uint64], seconds: npt.NDArray[np.float32]) -> None:
        """Notes which texts the step being done took from a store and what they took to make (`Step.credits`)."""
        if self._open and len(numbers):
            self._open[-1].credits.append((store, numbers, seconds))

    def result(self, step: Step) -> Any:
        """What a step gave; None where it is no longer held."""
        return self._held.get(step.key)

    @contextlib.contextmanager
    def guarded(self, guard: Callable[[Sequence[str]], object]) -> Iterator[None]:
        """Inside, `guard` is shown each text that a model is about to learn from as a query."""
        before, self._guard = self._guard, guard
        try:
            yield
        finally:
            self._guard = before

    def announce(self, texts: Sequence[str]) -> None:
        """Shows whoever guards the run what is about to be learnt. One way: no answer comes back, and its time is
        nobody's.
        """
        if self._guard is not None:
            started = time.perf_counter()
            self._guard(tuple(texts))
            self.waited(time.perf_counter() - started)

    def saved(self, seconds: float) -> None:
        """Adds to the time that the step being done took from the cache instead of spending it."""
        if self._open:
            self._open[-1].cached_seconds += seconds

    def turn_to(self, dataset: str) -> None:
        """Drops what is held of another dataset, so that its memory is free before the next is loaded."""
        if self._dataset not in (None, dataset):
            self.forget()
        self._dataset = dataset

    def forget(self) -> None:
        """Drops everything held but loaded models."""
        for key in [k for k in self._held if not k.startswith("model:")]:
            del self._held[key], self.steps[key]
        self._depths.clear()

    @contextlib.contextmanager
    def uncached_queries(self) -> Iterator[None]:
        """Inside, query texts are encoded afresh: for measuring the latency a user would see."""
        before, self.live = self.live, True
        try:
            yield
        finally:
            self.live = before


@dataclass
class Spent:
    """Wall time and highest resident memory of a block."""

    seconds: float = 0.0
    peak_mb: float = 0.0


@contextlib.contextmanager
def watched(every: float = 0.02) -> Iterator[Spent]:
    """Times a block and samples the process's resident memory while it runs.

    The kernel's own high-water mark cannot be reset for a phase, so a thread samples: a peak shorter than `every`
    seconds may be missed.
    """
    import psutil  # slow to import, and a listing needs none of it

    process = psutil.Process(os.getpid())
    spent = Spent(peak_mb=process.memory_info().rss / 2**20)
    done = threading.Event()

    def sample() -> None:
        while not done.wait(every):
            spent.peak_mb = max(spent.peak_mb, process.memory_info().rss / 2**20)

    thread = threading.Thread(target=sample, name="harness-memory", daemon=True)
    thread.start()
    started = time.perf_counter()
    try:
        yield spent
    finally:
        spent.seconds = time.perf_counter() - started
        done.set()
        thread.join()
        spent.peak_mb = max(spent.peak_mb, process.memory_info().rss / 2**20)


def open_context(
    *,
    seed: int = 0,
    device: str | None = None,
    batch_tokens: int | None = None,
    memory: str | int | None = None,
    cache_dir: Path | None = None,
    data_dirs: Sequence[Path] = (),
    progress: Progress = quiet,
) -> Context:
    """A context with its cache.

    Args:
        seed: of every random stream.
        device: where models run; None lets torch choose.
        batch_tokens: tokens that go through a model at once; None takes what suits the device.
        memory: what steps may take for what grows with a collection, as `"2GB"` or in bytes; None takes
            `HARNESS_MEMORY`, else 2 GiB.
        cache_dir: None for the user's cache.
        data_dirs: folders that may hold BEIR collections.
        progress: how to show progress.

    Raises:
        CacheError: the cache folder cannot be written.
        SettingError: a seed, device or memory that is none, or too little memory for any step.
    """
    if seed < 0:
        raise SettingError(f"seed must be 0 or more, not {seed}.")
    if device is not None and not re.fullmatch(r"(cpu|cuda|mps|xpu|npu|hpu)(:\d+)?", device):
        raise SettingError(
            f"device {device!r} is none that models run on: cpu, cuda, cuda:1, mps; leave it out for torch's choice."
        )
    return Context(
        seed=seed,
        device=device,
        batch_tokens=batch_tokens,
        cache=Cache(cache_dir),
        memory=Memory(parse_size(memory) if isinstance(memory, str) else memory),
        data_dirs=tuple(data_dirs),
        progress=progress,
    )
