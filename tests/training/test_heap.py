"""Inside, freed memory is kept; afterwards the heap is as it was."""

from __future__ import annotations

import ctypes
import platform

import pytest

from harness.training import heap
from harness.training.heap import kept_heap

FIELDS = ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"]


class Info(ctypes.Structure):
    """glibc's `mallinfo2`: `hblks` counts what was taken from the system block by block."""

    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS]


def taken_from_the_system() -> int:
    """Blocks that the system adds for one of 64 MiB."""
    library = ctypes.CDLL(None)
    library.mallinfo2.restype, library.malloc.restype = Info, ctypes.c_void_p
    library.malloc.argtypes, library.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
    before = library.mallinfo2().hblks
    block = library.malloc(64 << 20)
    after = library.mallinfo2().hblks
    library.free(block)
    return int(after - before)


def test_large_blocks_come_from_the_heap_inside_only() -> None:
    on_glibc = platform.libc_ver()[0] == "glibc" and hasattr(ctypes.CDLL(None), "mallinfo2")
    if not on_glibc:
        return  # nothing is changed: the next test
    assert taken_from_the_system() == 1
    with kept_heap():
        assert taken_from_the_system() == 0
    assert taken_from_the_system() == 1


def test_elsewhere_nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: pytest.fail("asked for a library"))
    with kept_heap():
        pass
