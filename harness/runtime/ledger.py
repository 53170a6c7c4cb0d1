"""The ledger of a run: each shared step is done once, timed, and remembered by the key that decides its result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from harness.runtime.watch import watched

T = TypeVar("T")
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


class Ledger:
    """What was done in a run, and what it took. One for each seed of a run; nothing in it is global.

    Attributes:
        steps: key → step, in the order done.
    """

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}
        self._held: dict[str, Any] = {}
        self._depths: dict[str, int] = {}
        self._dataset: str | None = None
        self._open: list[Step] = []
        self._inside: list[float] = []

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
        """The greatest depth of a search so far, at least k: a deeper search answers every shallower one.

        Args:
            search: key of the search without its depth.
            k: the depth that is needed now.
        """
        self._depths[search] = max(k, self._depths.get(search, 0))
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
