"""Money for machines by the second: what was spent, the most that running jobs may cost, and the cap."""

from __future__ import annotations

import functools
import json
import threading
from pathlib import Path
from typing import Any, Final

from harness.base.errors import SettingError

FILE: Final = Path(__file__).with_name("prices.json")


def hourly(place: str, machine: str) -> float | None:
    """Dollars for an hour of a machine, by the dated list `prices.json`; None if it is not listed."""
    kind, _, count = machine.partition(":")
    price = _listed()[place].get(kind)
    return None if price is None else float(price["hour"]) * int(count or 1)


def source(place: str, machine: str) -> str:
    """Where a listed price is from, with its date."""
    prices = _listed()
    origin = prices["sources"][prices[place][machine.partition(":")[0]]["source"]]
    return f"{origin['url']} ({origin['date']})"


@functools.cache
def _listed() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


class Budget:
    """Lets jobs begin while what was spent, and the most that running jobs may cost, stay within a cap. Thread-safe.

    Args:
        hour: dollars for an hour; None if no price is known.
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
        """Whether a job may begin; waits while a running one may turn out cheaper than its most."""
        with self._turn:
            while self._cap is not None and self._at_most(self._under_way + 1) > self._cap:
                if not self._under_way:
                    return False
                self._turn.wait()
            self._under_way += 1
            return True

    @property
    def refusal(self) -> str:
        """Why a job did not begin."""
        return f"not begun: it might pass the cap of {self._cap:g} dollars, of which {self.spent:.2f} are spent"

    def end(self, seconds: float) -> None:
        """A job that began took so long."""
        with self._turn:
            self._under_way -= 1
            self.spent += self._hour * seconds / 3600
            self._turn.notify_all()

    def _at_most(self, under_way: int) -> float:
        return self.spent + under_way * self._hour * self._most / 3600
