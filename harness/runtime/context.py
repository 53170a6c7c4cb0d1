"""The context of a run: frozen settings, and the ledger of what was done."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.base.errors import SettingError
from harness.base.limits import checked_seed
from harness.base.memory import Memory, parse_size
from harness.cache.folders import Cache
from harness.runtime.ledger import Ledger
from harness.runtime.progress import Progress, quiet


@dataclass(frozen=True, eq=False, kw_only=True)
class Context:
    """What a method gets besides data: the settings of a run, which do not change, and its ledger.

    Args:
        seed: of every random stream, through `rng`.
        device: where models run (`cpu`, `cuda`, `mps`); None lets torch choose.
        batch_tokens: tokens per batch of a model, padding included; None takes a default for the device.
        cache: stored results; by default the user's cache folder.
        memory: budget for data that grows with a collection; by default `HARNESS_MEMORY`, else 2 GiB.
        data_dirs: folders that may contain BEIR collections, searched before `HARNESS_DATA` and the user's cache.
        progress: how to show progress; quiet by default.
        search_depth: least depth of every shared search, so that all rows of a run use one deep search.
        guard: called with the texts that a model is about to be trained on as queries, and with `fold` if it is fitted
            for a fold; None without a guard.
        ledger: what was done in this run.
    """

    seed: int = 0
    device: str | None = None
    batch_tokens: int | None = None
    cache: Cache = field(default_factory=Cache)
    memory: Memory = field(default_factory=Memory)
    data_dirs: tuple[Path, ...] = ()
    progress: Progress = quiet
    search_depth: int = 0
    guard: Callable[..., object] | None = None
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        checked_seed(self.seed)

    def reseeded(self, seed: int) -> Context:
        """Another run with the same settings, its own ledger and no guard."""
        return dataclasses.replace(self, seed=seed, search_depth=0, guard=None, ledger=Ledger())

    def searching(self, depth: int) -> Context:
        """The same run, in which every shared search is at least `depth` deep."""
        return dataclasses.replace(self, search_depth=depth)

    def guarded(self, guard: Callable[..., object]) -> Context:
        """The same run, in which `guard` is called with the texts that a model is about to be trained on as queries."""
        return dataclasses.replace(self, guard=guard)

    def in_fold(self, fold: int) -> Context:
        """The same run, in which the guard is called with the number of a fold too: that which is being fitted."""
        return self if self.guard is None else self.guarded(functools.partial(self.guard, fold=fold))

    def rng(self, purpose: str) -> np.random.Generator:
        """A separate random stream for each purpose, so that a new use does not shift another."""
        word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
        return np.random.default_rng([self.seed, word])

    def announce(self, texts: Sequence[str]) -> None:
        """Calls the guard with texts before training on them. Returns nothing; the time is charged to no step."""
        if self.guard is not None:
            started = time.perf_counter()
            self.guard(tuple(texts))
            self.ledger.waited(time.perf_counter() - started)


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
        batch_tokens: tokens per batch of a model; None takes a default for the device.
        memory: budget for data that grows with a collection, as `"2GB"` or in bytes; None takes
            `HARNESS_MEMORY`, else 2 GiB.
        cache_dir: None for the user's cache.
        data_dirs: folders that may contain BEIR collections.
        progress: how to show progress.

    Raises:
        CacheError: the cache folder cannot be written.
        SettingError: an invalid seed, device or memory, or too little memory.
    """
    if device is not None and not re.fullmatch(r"(cpu|cuda|mps|xpu|npu|hpu)(:\d+)?", device):
        raise SettingError(
            f"unknown device {device!r}; use cpu, cuda, cuda:1 or mps, or leave it out for torch's choice."
        )
    return Context(
        seed=checked_seed(seed),  # before the cache makes its folder
        device=device,
        batch_tokens=batch_tokens,
        cache=Cache(cache_dir),
        memory=Memory(parse_size(memory) if isinstance(memory, str) else memory),
        data_dirs=tuple(data_dirs),
        progress=progress,
    )
