"""Python's collector of cycles, as the commands set it."""

from __future__ import annotations

import atexit
import gc

NEW_OBJECTS = 20_000
"""Objects that are made before the collector looks at them; Python's own number is 700."""


def collect_rarely() -> None:
    """Lets the collector run less often, for the whole process.

    Importing torch, transformers and sentence-transformers makes half a million objects that stay. At Python's own
    setting the collector takes a fifth of the processor time of these imports, and finds nothing. It stays on, so that
    memory in cycles is freed. At the end of the process, when Python would look at all objects several times, which
    takes up to a second, it finds none to look at: the system frees the memory.
    """
    _, *older = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *older)
    # Functions of `atexit` run in reverse order: those of what is imported later run before.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
