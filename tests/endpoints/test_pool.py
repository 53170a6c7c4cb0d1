import threading
import time

import pytest

from harness.base.errors import HarnessError, ModelError, SettingError
from harness.endpoints.meter import Bound, Meter
from harness.endpoints.pool import run_requests


def free() -> Meter:
    return Meter("m", None, None)


def go(items, ask, meter=None, concurrency=1, bound=lambda item: Bound(1), **more) -> HarnessError | None:
    return run_requests(
        items, ask, bound=bound, meter=meter or free(), concurrency=concurrency, stop=lambda: None, **more
    )


def test_every_item_is_asked_once_and_counted() -> None:
    asked, done, meter = [], [], free()
    assert go(range(20), lambda i: (asked.append(i), (2, 1))[1], meter, 4, done=done.append) is None
    assert sorted(asked) == sorted(done) == list(range(20))
    assert (meter.counted_in, meter.counted_out) == (40, 20)


def test_so_many_are_under_way_and_no_more() -> None:
    now, most, guard = [0], [0], threading.Lock()

    def ask(item: int) -> tuple[int, int]:
        with guard:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with guard:
            now[0] -= 1
        return 0, 0

    go(range(12), ask, concurrency=3)
    assert most == [3]


def test_the_first_fault_stops_the_rest() -> None:
    asked: list[int] = []

    def ask(item: int) -> tuple[int, int]:
        asked.append(item)
        if item == 3:
            raise ModelError("no")
        return 1, 0

    assert str(go(range(100), ask)) == "no"
    assert asked == [0, 1, 2, 3]


def test_a_defect_is_raised_and_not_swallowed() -> None:
    stopped: list[bool] = []
    with pytest.raises(ZeroDivisionError):
        run_requests(
            [1],
            lambda i: (1 // 0, 0),
            bound=lambda i: Bound(1),
            meter=free(),
            concurrency=1,
            stop=lambda: stopped.append(True),
        )
    assert stopped


def test_what_could_pass_the_cap_waits_for_what_is_under_way() -> None:
    """Bounds of 10 and counts of 1: with a cap of 15 they go one after the other, and all go."""
    meter = Meter("m", None, None, 15)
    assert go(range(6), lambda i: (1, 0), meter, 4, bound=lambda i: Bound(10)) is None
    assert meter.counted_in == 6


def test_what_is_too_much_is_split_until_it_fits_and_else_refused() -> None:
    asked: list[list[int]] = []
    meter = Meter("m", None, None, 20)

    def ask(batch: list[int]) -> tuple[int, int]:
        asked.append(batch)
        return 3 * len(batch), 0

    def split(batch: list[int]) -> list[list[int]]:
        return [batch[: len(batch) // 2], batch[len(batch) // 2 :]] if len(batch) > 1 else []

    fault = go([list(range(8))], ask, meter, 1, bound=lambda batch: Bound(4 * len(batch)), split=split)
    assert isinstance(fault, SettingError)
    assert [i for batch in asked for i in batch] == [0, 1, 2, 3, 4, 5]
    assert meter.counted_in == 18
    assert "has used 18 tokens" in str(fault)
