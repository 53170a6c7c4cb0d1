"""The ledger of a run: each shared step is done once, timed, and its result stored by a key."""

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
    """One step of a run and its costs, without those of the steps inside it.

    Args:
        kind: `load`, `fit`, `index` or `search`.
        label: readable name, as `index bm25`.
        key: everything that decides the result.
        seconds: wall time of this run, without the steps inside.
        cached_seconds: wall time that earlier runs spent on what this one read from the cache, without encoded texts.
        credits: encoded texts that were read from a store: its name, (n,) their numbers, (n,) seconds that each took;
            0 for those computed now.
        peak_mb: highest resident memory of the process while the step ran, in MiB.
        counts: what was counted, as `encoded` and `from cache`.
        notes: what a reader of the results must know.
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
        """The step and all steps that it needed, each once, needed ones first."""
        steps: dict[str, Step] = {}
        for step in self.inner:
            steps.update((s.key, s) for s in step.all())
        steps[self.key] = self
        return list(steps.values())


def costs(steps: Iterable[Step]) -> list[float]:
    """Seconds that each step takes without a cache; a text that several steps used counts for the first one."""
    seen: dict[str, npt.NDArray[np.uint64]] = {}
    seconds_of_steps = []
    for step in steps:
        total = step.seconds + step.cached_seconds
        for store, numbers, seconds in step.credits:
            numbers, first = np.unique(numbers, return_index=True)
            new = ~np.isin(numbers, seen.get(store, np.zeros(0, np.uint64)))
            total += float(seconds[first][new].sum())
            seen[store] = np.union1d(seen.get(store, np.zeros(0, np.uint64)), numbers)
        seconds_of_steps.append(total)
    return seconds_of_steps


class Ledger:
    """The steps of a run with their results and costs. Each seed of a run has its own ledger.

    Attributes:
        steps: key → step, in the order done.
    """

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}
        self._results: dict[str, Any] = {}
        self._depths: dict[str, int] = {}
        self._dataset: str | None = None
        self._open: list[Step] = []
        self._inside: list[float] = []

    def once(self, kind: str, label: str, key: str, build: Callable[[], T]) -> T:
        """Returns the result of a step, which is computed and timed (without the steps inside it) the first time.

        Args:
            kind: `load`, `model`, `fit`, `index` or `search`.
            label: readable name.
            key: everything that decides the result.
            build: computes it; if it raises, nothing is stored.
        """
        key = f"{kind}:{key}"
        if key not in self._results:
            step = Step(kind, label, key)
            self._open.append(step)
            self._inside.append(0.0)
            try:
                with watched() as spent:
                    self._results[key] = build()
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
        return self._results[key]  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def tracked(self, label: str) -> Iterator[Step]:
        """A step without a stored result: its `inner` collects the steps that the block needed, done now or earlier.

        Inside another step, what is counted here counts there too.
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
        """Adds to a count of the current step."""
        if self._open:
            counts = self._open[-1].counts
            counts[name] = counts.get(name, 0) + n

    def note(self, text: str) -> None:
        """Adds a note for the reader of the record to the current step."""
        if self._open:
            self._open[-1].notes.append(text)

    def waited(self, seconds: float) -> None:
        """Leaves seconds out of the current step, as those of waiting for another process."""
        if self._inside:
            self._inside[-1] += seconds

    def credit(self, store: str, numbers: npt.NDArray[np.uint64], seconds: npt.NDArray[np.float32]) -> None:
        """Notes which texts the current step read from a store and the seconds that each took (`Step.credits`)."""
        if self._open and len(numbers):
            self._open[-1].credits.append((store, numbers, seconds))

    def result(self, step: Step) -> Any:
        """The result of a step; None if it is no longer stored."""
        return self._results.get(step.key)

    def saved(self, seconds: float) -> None:
        """Adds to the time that the current step saved by reading from the cache."""
        if self._open:
            self._open[-1].cached_seconds += seconds

    def turn_to(self, dataset: str) -> None:
        """Drops the results of another dataset, so that its memory is free before the next one is loaded."""
        if self._dataset not in (None, dataset):
            self.forget()
        self._dataset = dataset

    def forget(self) -> None:
        """Drops all results except loaded models."""
        for key in [k for k in self._results if not k.startswith("model:")]:
            del self._results[key], self.steps[key]
        self._depths.clear()
