"""The options that most commands share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """Where things are, and what to run with.

    Args:
        results: folder of the records.
        data_dirs: folders that may hold BEIR collections.
        cache_dir: None for the user's cache.
        seed: of every random stream.
        device: where models run; None for torch's choice.
        batch_tokens: tokens that go through a model at once; None for what suits the device.
        quiet: say only what failed.
        executor: where rows are made; None for this process.
        memory: what steps may take for what grows with a collection, as `2GB`; None for `HARNESS_MEMORY`, else 2 GiB.
    """

    results: Path = Path("results")
    data_dirs: list[Path] = field(default_factory=list)
    cache_dir: Path | None = None
    seed: int = 0
    device: str | None = None
    batch_tokens: int | None = None
    quiet: bool = False
    executor: str | None = None
    memory: str | None = None
