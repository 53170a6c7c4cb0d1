"""Threads for work that releases the interpreter's lock: numpy's loops, products, reading."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

S = TypeVar("S")
T = TypeVar("T")

THREADS: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables by which a user says how many threads a process computes with, read by the numeric libraries when they are
first imported; all read the first.
"""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def computing() -> int:
    """Threads to compute with: the number that the user set, at most the cores."""
    number = next((os.environ[name] for name in THREADS if os.environ.get(name, "").isdigit()), "")
    return max(1, min(int(number), cores())) if number else cores()


def side_by_side(work: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """Results of `work` for each item, in order, on `computing` threads.

    Args:
        work: releases the interpreter's lock for most of its time, else threads do not help.
        items: enough of them that starting threads, a tenth of a millisecond each, does not matter.
    """
    together = min(computing(), len(items))
    if together < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(together, "harness-beside") as pool:
        return list(pool.map(work, items, chunksize=1))
