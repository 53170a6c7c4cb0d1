"""Money for machines by the second: what was spent, what is under way at its most, and the cap that is not passed."""

from __future__ import annotations

import functools
import json
import threading
from pathlib import Path
from typing import Any, Final

from harness.base.errors import SettingError

FILE: Final = Path(__file__).with_name("prices.json")


def hourly(place: str, machine: str) -> float | None:
    """Dollars for an hour of a machine by the dated list beside this file (`prices.json`); None where it is not in
    it.
    """
    kind, _, count = machine.partition(":")
    found = _listed()[place].get(kind)
    return None if found is None else float(found["hour"]) * int(count or 1)


def source(place: str, machine: str) -> str:
    """Where a listed price is from, with its date."""
    held = _listed()
    told = held["sources"][held[place][machine.partition(":")[0]]["source"]]
    return f"{told['url']} ({told['date']})"


@functools.cache
def _listed() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


class Budget:
    """Lets jobs begin while what was spent, and what is under way at its most, stay within a cap. Threads may ask at
    once.

    Args:
        hour: dollars for an hour; None where no price is known.
        cap: dollars; None for no cap.
        most: seconds that one job can take at most.

    Raises:
        SettingError: a cap without a price.
    """

    def __init__(self, hour: float | None, cap: float | None, most: float) -> None:
        if cap is not None and hour is None:
            raise SettingError("cap is in dollars and no price is known for this machine: set dollars_per_hour.")
        self._hour, self._cap, self._most = hour or 0.0, cap, most
        self._turn = threading.Condition()
        self.spent = 0.0
        self._under_way = 0

    def begin(self) -> bool:
        """Whether a job may begin; waits where one that is under way may turn out cheaper than its most."""
        with self._turn:
            while self._cap is not None and self._at_most(self._under_way + 1) > self._cap:
                if not self._under_way:
                    return False
                self._turn.wait()
            self._under_way += 1
            return True

    def end(self, seconds: float) -> None:
        """A job that began took so long."""
        with self._turn:
            self._under_way -= 1
            self.spent += self._hour * seconds / 3600
            self._turn.notify_all()

    def _at_most(self, under_way: int) -> float:
        return self.spent + under_way * self._hour * self._most / 3600
