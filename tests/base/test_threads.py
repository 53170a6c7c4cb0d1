"""Threads beside each other."""

from __future__ import annotations

import threading

import pytest

from harness.base.threads import THREADS, computing, cores, side_by_side


def test_the_order_stays_whatever_is_done_first() -> None:
    second = threading.Event()

    def work(item: int) -> int:
        if item == 0 and computing() > 1:
            assert second.wait(10)  # the second is done before the first
        if item == 1:
            second.set()
        return item * item

    assert side_by_side(work, range(9)) == [item * item for item in range(9)]
    assert side_by_side(work, []) == []


@pytest.mark.parametrize("n", [1, 5])
def test_what_work_raises_is_raised(n: int) -> None:
    def work(item: int) -> int:
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        side_by_side(work, range(n))


def test_as_many_threads_as_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    assert computing() == cores()
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    assert computing() == 1
    monkeypatch.setenv("MKL_NUM_THREADS", "1000")
    assert computing() == cores()
    monkeypatch.setenv("MKL_NUM_THREADS", "many")
    assert computing() == cores()
