"""Peak memory of the timed work."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import threading
from collections.abc import Callable
from typing import TypeVar

import psutil
import pyarrow as pa

T = TypeVar("T")
EVERY = 0.02
"""Seconds between two looks."""


def anonymous(*, others: bool = False) -> int:
    """Resident bytes of this process without pages of mapped files, which the system can reclaim.

    Args:
        others: include the processes that it has started.
    """
    own = psutil.Process()
    found = 0
    for process in [own, *(own.children(recursive=True) if others else ())]:
        with contextlib.suppress(psutil.NoSuchProcess):
            held = process.memory_info()
            found += int(held.rss - held.shared)
    return found


def highest(work: Callable[[], T], *, others: bool = False) -> tuple[T, float]:
    """The result of the work, and the peak memory during it in MiB beyond the memory before.

    Args:
        work: is done once.
        others: as of `anonymous`.
    """
    gc.collect()
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # what was given back before is not there to be taken unseen
    before, done = anonymous(others=others), threading.Event()
    seen = [before]

    def sample() -> None:
        while not done.wait(EVERY):
            seen.append(anonymous(others=others))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        held = work()
        seen.append(anonymous(others=others))
    finally:
        done.set()
        thread.join()
    return held, (max(seen) - before) / 2**20
