"""Workers end with the process that started them, however it ends, and leave Ctrl-C to it."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing.resource_tracker
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

PARENT_DEATH_SIGNAL: Final = 1
"""`PR_SET_PDEATHSIG` of prctl(2)."""
EVERY: Final = 0.5
"""Seconds between two looks at the parent."""


def end_with(parent: int) -> None:
    """Ends this process, and those that it has started, when its parent has ended; called by a worker, once.

    The children of a killed process get no message, only another parent, which a thread checks for. The kernel's own
    signal (`firmly_end_with`) comes when the thread that started the worker ends, which may be too early.

    Args:
        parent: id of the process that started this one.
    """
    threading.Thread(target=_watch, args=(parent,), name="harness-parent", daemon=True).start()


def firmly_end_with(parent: int) -> None:
    """As `end_with`, for a process whose threads may all be held up when its parent goes: on Linux the kernel kills it.

    Ray's workers may be: they wait for Ray, which has ended, while no other thread may run. Ray starts them from its
    main thread. Processes that they have started are not ended with them, and check for their end themselves.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    end_with(parent)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(EVERY)
    end_children()
    os._exit(1)  # no clean-up: it could wait for the ended process. Files are written whole or not at all.


def end_children() -> None:
    """Kills the processes that this one has started, as an engine or the loaders of a training."""
    _kill(_started_by(os.getpid()))


def end(pid: int | None) -> None:
    """Kills a process, and then the processes that it has started; None is a process that has not begun."""
    if pid is None:
        return
    started = _started_by(pid)
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    _kill(started)


def _started_by(pid: int) -> list[Any]:
    import psutil  # slow to import

    with contextlib.suppress(psutil.Error):
        return list(psutil.Process(pid).children(recursive=True))
    return []


def _kill(processes: list[Any]) -> None:
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def leave_interrupts_to(parent: int) -> None:
    """Ignores Ctrl-C, which reaches all processes of a terminal: the parent ends its workers. Then `end_with`."""
    ignore_interrupts()
    end_with(parent)


def ignore_interrupts() -> None:
    """Ignores Ctrl-C."""
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Holds Ctrl-C back until the end of the block, here and in processes that are started inside.

    In a process that starts it would end an import with a traceback; here it would leave that process without the data
    that it waits for. The signal is blocked for this thread, which a new process inherits; another thread may still
    receive it, so that the handler, which runs in the main thread, only notes it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    multiprocessing.resource_tracker.ensure_running()  # its own start would unblock the signal
    interrupts: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    deferred = threading.current_thread() is threading.main_thread() and callable(handler)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if deferred:
        signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        if deferred:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if interrupts:
            signal.raise_signal(signal.SIGINT)
