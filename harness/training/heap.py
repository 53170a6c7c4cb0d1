"""The heap while a model is trained on a CPU."""

from __future__ import annotations

import contextlib
import ctypes
import platform
from collections.abc import Iterator

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`."""
DEFAULT, LARGEST = 128 * 1024, 2**31 - 1


@contextlib.contextmanager
def kept_heap() -> Iterator[None]:
    """Inside, glibc reuses freed memory for the next tensors; elsewhere than on glibc nothing changes.

    By default glibc returns each large tensor to the system when it is freed, and the next one is zeroed by the system
    page by page: about a fifth of a training step.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    library = ctypes.CDLL(None)
    try:
        for parameter in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            library.mallopt(parameter, LARGEST)
        yield
    finally:
        for parameter in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            library.mallopt(parameter, DEFAULT)
        library.malloc_trim(0)
