"""What a block shared the machine with, from counters; and that the counters of this machine can be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.bench import machine_load as module
from harness.bench.machine_load import Contention, Load, load, why


def between(own: float, machine: float, waited: float | None, cores: int = 2, seconds: float = 1.0) -> Contention:
    return Contention.between(
        Load(5.0, 50.0, waited and 1.0, cores), Load(5 + own, 50 + machine, waited and 1 + waited, cores), seconds
    )


@pytest.mark.parametrize(
    ("own", "machine", "waited", "cores", "busy"),
    [
        (1.0, 1.0, None, 2, False),  # alone
        (1.0, 1.3, None, 2, False),  # room for both
        (1.0, 2.0, None, 2, True),  # both processors are full
        (2.0, 2.0, None, 2, False),  # full of its own threads
        (1.6, 2.0, None, 2, True),  # its threads lack what others took
        (0.0, 2.0, None, 2, True),  # it waits for another process while nothing is left
        (1.0, 31.0, None, 64, False),
        (1.0, 63.0, None, 64, True),
        (0.5, 0.5, 0.05, 2, False),
        (0.5, 0.5, 0.5, 2, True),  # a quota of a container: the machine seems idle, and the thread waits
    ],
)
def test_a_block_is_on_a_busy_machine_where_others_take_what_it_needs(
    own: float, machine: float, waited: float | None, cores: int, busy: bool
) -> None:
    assert between(own, machine, waited, cores).busy is busy


def test_shares_are_of_the_block() -> None:
    found = between(1.0, 3.0, 0.5, seconds=2.0)
    assert (found.own, found.others, found.waited) == (0.5, 1.0, 0.25)
    assert found.numbers() == {"others": 1.0, "cores": 2, "waited": 0.25}
    assert between(1.0, 1.0, None).numbers() == {"others": 0.0, "cores": 2}


def test_counters_that_go_backwards_are_none_of_others() -> None:
    found = between(2.0, 1.0, None, seconds=0.0)
    assert found.others == 0.0
    assert found.busy is False


def test_why_says_what_others_used() -> None:
    assert why(None) is why({}) is why({"p50_ms": 1.0}) is why({"p50_ms": 1.0, "busy": False, "others": 2.0}) is None
    assert why({"busy": True, "others": 1.62, "cores": 2}) == "other processes used 1.6 of 2 processors"
    told = why({"busy": True, "others": 0.0, "cores": 4, "waited": 0.35})
    assert told == "other processes used 0.0 of 4 processors, and the query waited 35% of the time for one"


def test_counters_grow_with_work_and_a_child_is_own() -> None:
    busy = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
    code = f"{busy}print(1, flush=True)\ninput()"
    before = load()
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    after = load()
    child.communicate(b"\n")
    assert after.own - before.own >= 0.19
    assert after.machine >= before.machine
    assert after.cores >= 1


def test_a_system_that_does_not_count_waiting_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SCHEDULER", tmp_path / "none")
    assert load().waited is None
    (tmp_path / "counted").write_text("5000000000 250000000 7\n")
    monkeypatch.setattr(module, "SCHEDULER", tmp_path / "counted")
    assert load().waited == 0.25


def test_a_process_that_compiles_libraries_is_one_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def spent(process: Any) -> float:
        seen.append(process.pid)
        return 0.0

    monkeypatch.setattr(module, "_spent", spent)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        load()
        assert child.pid in seen
        seen.clear()
        monkeypatch.setattr(module, "processes", lambda: frozenset({child.pid}))
        load()
        child.communicate(b"\n")
    assert child.pid not in seen
