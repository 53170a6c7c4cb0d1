"""The pool: several requests under way, none that could pass the cap, and no further ones after the first fault."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from harness.base.errors import HarnessError
from harness.endpoints.meter import Bound, Meter

T = TypeVar("T")


def through(
    items: Iterable[T],
    ask: Callable[[T], tuple[int, int]],
    *,
    bound: Callable[[T], Bound],
    meter: Meter,
    concurrency: int,
    stop: Callable[[], None],
    done: Callable[[T], object] = lambda item: None,
    split: Callable[[T], list[T]] = lambda item: [],
) -> HarnessError | None:
    """Asks about each item in a thread; on the first fault asks no more, waits for what is under way, and returns it.

    Args:
        items: taken as they are needed, in order.
        ask: asks about one and keeps the answer, so that it is kept whatever happens to the others; returns the tokens
            sent and answered as they count.
        bound: the most that one can take.
        meter: says whether it may be asked.
        concurrency: how many are under way at once.
        stop: ends all waiting inside `ask`.
        done: told of each that was answered.
        split: what is too much at once in smaller parts, tried when nothing else is under way; empty where it has none.

    Returns:
        The fault, None where all were asked.
    """
    waiting = deque[T]()
    source = iter(items)
    fault: HarnessError | None = None
    under_way: dict[Future[tuple[int, int]], tuple[T, Bound]] = {}

    def following() -> T | None:
        return waiting.popleft() if waiting else next(source, None)

    with ThreadPoolExecutor(concurrency, "harness-endpoint") as pool:
        try:
            while True:
                while fault is None and len(under_way) < concurrency and (item := following()) is not None:
                    most = bound(item)
                    if meter.reserve(most):
                        under_way[pool.submit(ask, item)] = item, most
                        continue
                    if under_way:  # what is under way at its most; when it is counted there may be room
                        waiting.appendleft(item)
                        break
                    parts = split(item)
                    waiting.extendleft(reversed(parts))
                    fault = None if parts else meter.refusal()
                if not under_way:
                    return fault
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    item, most = under_way.pop(future)
                    fault = fault or _outcome(future, item, most, meter, done)
                fault = fault or meter.passed()
                if fault is not None:
                    stop()
        finally:
            stop()


def _outcome(
    future: Future[tuple[int, int]], item: T, most: Bound, meter: Meter, done: Callable[[T], object]
) -> HarnessError | None:
    error = future.exception()
    meter.settle(most, *(future.result() if error is None else (0, 0)))
    if error is None:
        done(item)
        return None
    if isinstance(error, HarnessError):
        return error
    raise error
