"""Load: whether other processes took processor time while something was timed, so that its time is not its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.first_import import processes

FULL = 0.9
"""Share of the processors above which two processes get into each other's way."""
OTHERS = 0.1
"""Share of the processors that others must use before they are blamed: below, it may be the accounting's own error."""
WAITED = 0.1
"""Share of the time that the timed thread may have been ready to run without a processor."""
SCHEDULER = Path("/proc/thread-self/schedstat")
"""Linux: nanoseconds on a processor, nanoseconds ready to run and waiting for one, and time slices of this thread."""


@dataclass(frozen=True)
class Load:
    """Counters of a machine at a moment, in seconds.

    Args:
        own: processor time of this process and of those it started.
        machine: processor time of all processes, and what a hypervisor took away.
        waited: how long this thread was ready to run and waited for a processor; None where the system does not count
            it.
        cores: logical processors of the machine.
    """

    own: float
    machine: float
    waited: float | None
    cores: int


def load() -> Load:
    """The counters now."""
    import psutil  # slow to import, and a listing needs none of it

    process = psutil.Process(os.getpid())
    own = _spent(process)
    apart = processes()  # a process that compiles libraries is no part of what is timed
    for child in process.children(recursive=True):
        if child.pid in apart:
            continue
        try:
            own += _spent(child)
        except psutil.Error:  # it has ended since
            continue
    times = psutil.cpu_times()._asdict()
    # Guests are counted as users already.
    idle = ("idle", "iowait", "guest", "guest_nice")
    machine = sum(value for name, value in times.items() if name not in idle)
    return Load(own, machine, _waited(), psutil.cpu_count() or 1)


def _spent(process: Any) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _waited() -> float | None:
    try:
        return int(SCHEDULER.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


@dataclass(frozen=True)
class Contention:
    """What a timed block shared the machine with.

    Args:
        others: processors that other processes kept busy, the mean over the block.
        own: processors that the block itself used.
        waited: share of the block that its thread waited for a processor; None where it is not counted.
        cores: logical processors of the machine.
    """

    others: float
    own: float
    waited: float | None
    cores: int

    @classmethod
    def between(cls, before: Load, after: Load, seconds: float) -> Contention:
        """Of a block of `seconds`, from the counters before and after it."""
        seconds = max(seconds, 1e-9)
        own = max(0.0, after.own - before.own)
        others = max(0.0, after.machine - before.machine - own)
        waited = (
            None
            if before.waited is None or after.waited is None
            else min(1.0, (after.waited - before.waited) / seconds)
        )
        cores = after.cores
        return cls(min(cores, others / seconds), min(cores, own / seconds), waited, cores)

    @property
    def severity(self) -> float:
        """The higher, the less the block's time is its own; 1 is the bound of `busy`."""
        crowded = (self.others + self.own) / (FULL * self.cores) if self.others >= OTHERS * self.cores else 0.0
        return max(crowded, (self.waited or 0.0) / WAITED)

    @property
    def busy(self) -> bool:
        """Whether the block's time depends on what else ran: the processors were full, or its thread waited for one."""
        return self.severity > 1

    def numbers(self) -> dict[str, float | int]:
        """For a record."""
        found: dict[str, float | int] = {"others": round(self.others, 2), "cores": self.cores}
        return found if self.waited is None else {**found, "waited": round(self.waited, 3)}


def why(latency: Mapping[str, Any] | None) -> str | None:
    """Why a record's latency is not to be trusted, in words; None for one that is, and for records without the
    numbers.
    """
    if not latency or not latency.get("busy"):
        return None
    text = f"other processes used {latency.get('others', 0):.1f} of {latency.get('cores', 1):.0f} processors"
    waited = latency.get("waited", 0.0)
    return f"{text}, and the query waited {waited:.0%} of the time for one" if waited > WAITED else text
