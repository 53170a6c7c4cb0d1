"""The heap while a model is trained on a CPU."""

from __future__ import annotations

import contextlib
import ctypes
import platform
from collections.abc import Iterator

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`."""
KEPT = {M_MMAP_THRESHOLD: 2**31 - 1, M_TRIM_THRESHOLD: 2**31 - 1}
USUAL = {M_MMAP_THRESHOLD: 32 << 20, M_TRIM_THRESHOLD: 64 << 20}
"""Bytes. The thresholds that glibc itself reaches as soon as large blocks were freed; it does not adapt them any more
after one was set.
"""


@contextlib.contextmanager
def kept_heap() -> Iterator[None]:
    """Inside, glibc reuses freed memory for the next tensors; elsewhere than on glibc nothing changes.

    By default glibc returns each large tensor to the system when it is freed, and the next one is zeroed by the system
    page by page.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    library = ctypes.CDLL(None)
    try:
        for parameter, size in KEPT.items():
            library.mallopt(parameter, size)
        yield
    finally:
        for parameter, size in USUAL.items():
            library.mallopt(parameter, size)
        library.malloc_trim(0)
