"""Time and memory of a block."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from harness.runtime.watch import watched


def test_a_watched_block_has_its_time_and_its_highest_memory() -> None:
    with watched(every=0.005) as spent:
        before = spent.peak_mb
        held = np.ones(12_000_000)  # 92 MiB
        time.sleep(0.1)
        del held
    assert 0.1 <= spent.seconds < 5
    assert spent.peak_mb >= before + 80


def test_nothing_goes_on_watching_after_a_block_that_fails() -> None:
    with pytest.raises(RuntimeError), watched():  # noqa: PT012
        assert "harness-memory" in [thread.name for thread in threading.enumerate()]
        raise RuntimeError
    assert "harness-memory" not in [thread.name for thread in threading.enumerate()]
