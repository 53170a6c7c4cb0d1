"""Wall time and peak memory of a block of code."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass


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
