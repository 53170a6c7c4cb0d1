"""The pool: several requests in flight, none that could exceed the cap, and no further ones after the first error."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from harness.base.errors import HarnessError
from harness.endpoints.meter import Bound, Meter

T = TypeVar("T")


def run_requests(
    items: Iterable[T],
    send: Callable[[T], tuple[int, int]],
    *,
    bound: Callable[[T], Bound],
    meter: Meter,
    concurrency: int,
    stop: Callable[[], None],
    done: Callable[[T], object] = lambda item: None,
    split: Callable[[T], list[T]] = lambda item: [],
) -> HarnessError | None:
    """Sends a request for each item in a thread; on the first error sends no more, waits for the rest, and returns it.

    Args:
        items: read as they are needed, in order.
        send: sends one and caches its answer, so that it is cached even if others fail; returns the tokens sent and
            answered, as they are charged.
        bound: the most tokens that one can use.
        meter: says whether a request may be sent.
        concurrency: how many are in flight at once.
        stop: ends all waiting inside `send`.
        done: called with each item that was answered.
        split: an item in smaller parts, tried if it exceeds the cap by itself; empty if it has no parts.

    Returns:
        The error; None if all were answered.
    """
    waiting = deque[T]()
    source = iter(items)
    error: HarnessError | None = None
    in_flight: dict[Future[tuple[int, int]], tuple[T, Bound]] = {}

    def following() -> T | None:
        return waiting.popleft() if waiting else next(source, None)

    with ThreadPoolExecutor(concurrency, "harness-endpoint") as pool:
        try:
            while True:
                while error is None and len(in_flight) < concurrency and (item := following()) is not None:
                    most = bound(item)
                    if meter.reserve(most):
                        in_flight[pool.submit(send, item)] = item, most
                        continue
                    if in_flight:  # they are reserved at their most; when they are counted there may be room
                        waiting.appendleft(item)
                        break
                    parts = split(item)
                    waiting.extendleft(reversed(parts))
                    error = None if parts else meter.refusal()
                if not in_flight:
                    return error
                for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
                    item, most = in_flight.pop(future)
                    error = error or _outcome(future, item, most, meter, done)
                error = error or meter.exceeded()
                if error is not None:
                    stop()
        finally:
            stop()


def _outcome(
    future: Future[tuple[int, int]], item: T, most: Bound, meter: Meter, done: Callable[[T], object]
) -> HarnessError | None:
    failure = future.exception()
    meter.settle(most, *(future.result() if failure is None else (0, 0)))
    if failure is None:
        done(item)
        return None
    if isinstance(failure, HarnessError):
        return failure
    raise failure
