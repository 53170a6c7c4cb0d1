"""Workers end with whoever started them, however that one ends, and leave Ctrl-C to it."""

from __future__ import annotations

import contextlib
import multiprocessing.resource_tracker
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Final

EVERY: Final = 0.5
"""Seconds between two looks at the parent."""


def end_with(parent: int) -> None:
    """Ends this process, and those that it has started, when its parent is no more; called by a worker, once.

    A killed process tells its children nothing. The operating system gives them another parent, which a thread looks for; the
    kernel's own signal for it (PR_SET_PDEATHSIG) would come when the thread that started the worker ends, which is too early.

    Args:
        parent: process id of the one who started this process.
    """
    threading.Thread(target=_watch, args=(parent,), name="harness-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(EVERY)
    end_children()
    os._exit(1)  # no clean-up: it could wait for the one that is gone. What is kept is written whole or not at all.


def end_children() -> None:
    """Kills what this process has started, as an engine or the loaders of a training."""
    import psutil  # slow to import

    with contextlib.suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()


def leave_interrupts_to(parent: int) -> None:
    """What a worker calls first: Ctrl-C reaches all processes of a terminal, and the parent ends its workers; then `end_with`."""
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent)


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Processes that are started inside hear no Ctrl-C from their first instruction on: it would end an import with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    multiprocessing.resource_tracker.ensure_running()  # its own start would undo what follows
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
