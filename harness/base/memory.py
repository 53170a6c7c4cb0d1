"""The memory budget for corpus-sized data: `--memory 2GB`.

The operating system does not enforce the budget; steps size their work by it. Data that is read, sorted or compared is
cut into blocks of a share of the budget; a step writes to disk what exceeds its share; and data that stays in memory
between steps (the vectors of a collection) stays only if all of it fits a share. The interpreter, its libraries and a
model's weights and activations are not counted: `--batch-tokens` changes those of the model.
"""

from __future__ import annotations

import os
import re
import threading
import weakref
from typing import Final, NoReturn

from harness.base.errors import SettingError

DEFAULT: Final = 2 << 30
MOST: Final = 1 << 50
"""A PiB: more is taken for a typing error."""
LEAST: Final = 16 << 20
"""No step's blocks get below this, whatever the size of the collection."""
BYTES_OF_A_DOCUMENT: Final = 112
"""Greatest size of the numbers that a step stores for each document: while cached texts are looked up, a hash (16), the
table of hashes (48), places, rows and times (36); besides, the rank among all ids (4) and a score (4).
"""
_UNITS: Final = {
    "": 1,
    **{f"{u}{i}B": b**n for n, u in enumerate("KMGT", 1) for i, b in (("", 1000), ("I", 1024))},
    "B": 1,
}
_UNITS_SHORT: Final = {unit[0]: 1024**n for n, unit in enumerate(("K", "M", "G", "T"), 1)}


def parse_size(text: str) -> int:
    """Bytes of a size as `2GB`, `512MiB`, `1.5G` or `1000000`; `GB` is 10⁹, `GiB` and `G` are 2³⁰.

    Raises:
        SettingError: it is not a size, or beyond `MOST`.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    unit = {**_UNITS, **_UNITS_SHORT}.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise SettingError(f"memory {text[:40]!r} is not a size; write it as 2GB, 512MiB or in bytes.")
    if (number := float(match[1]) * unit) > MOST:
        raise SettingError(f"memory {text[:40]!r} is more than {size(MOST)}; write it as 2GB, 512MiB or in bytes.")
    return int(number)


def size(number: float) -> str:
    """Bytes as readable text that `parse_size` reads, as `512 MiB`; rounded up."""
    for unit, name in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if number >= unit:
            whole = -(-number // unit) if number / unit >= 10 else -(-number * 10 // unit) / 10
            return f"{whole:g} {name}"
    return f"{number:.0f} B"


class Memory:
    """A budget of bytes.

    Args:
        total: the budget; None takes `HARNESS_MEMORY`, else 2 GiB.

    Raises:
        SettingError: `HARNESS_MEMORY` is not a size, or the budget is below `LEAST`.
    """

    def __init__(self, total: int | None = None) -> None:
        named = os.environ.get("HARNESS_MEMORY", "")
        self.total: int = total if total is not None else parse_size(named) if named else DEFAULT
        if self.total < LEAST:
            raise SettingError(f"memory of {size(self.total)} is too small: set at least {size(LEAST)}.")
        self._reserved = 0
        self._lock = threading.Lock()

    @property
    def working(self) -> int:
        """What one step may take for the arrays it works on: a quarter."""
        return self.total // 4

    @property
    def block(self) -> int:
        """What one block of rows or scores may take: a 32nd, 64 MiB of the default."""
        return self.total // 32

    @property
    def reserved(self) -> int:
        """Bytes that are reserved between steps now."""
        return self._reserved

    def reserve(self, nbytes: int) -> Reservation | None:
        """Reserves memory for something that stays between steps, until the returned object is no longer referenced.

        Args:
            nbytes: its size.

        Returns:
            None if all reservations together would take more than a quarter of the budget: the caller reads from disk.
        """
        with self._lock:
            if self._reserved + nbytes > self.total // 4:
                return None
            self._reserved += nbytes
        reservation = Reservation()
        weakref.finalize(reservation, self._release, nbytes)
        return reservation

    def require(self, least: int, what: str) -> None:
        """Raises SettingError if a step needs more than a quarter of the budget; the message says the least budget.

        Args:
            least: bytes that the step needs at least, however its work is cut.
            what: the step and why, as the subject of a sentence: `exact search of 8,841,823 vectors`.
        """
        if least > self.working:
            why = f"{what} takes at least {size(least)}, and a step may take a quarter of the budget"
            self._refuse(why, 4 * least)

    def require_documents(self, documents: int, name: str) -> None:
        """Raises SettingError if the numbers that are stored of every document do not fit; says the least budget.

        Args:
            documents: of the collection.
            name: of the collection.
        """
        least = BYTES_OF_A_DOCUMENT * documents
        if least > self.total:
            each = f"{BYTES_OF_A_DOCUMENT} bytes each, without their texts"
            self._refuse(f"the {documents:,} documents of {name} take {size(least)}, {each}", least)

    def _refuse(self, why: str, wanted: int) -> NoReturn:
        given, enough = (size(n).replace(" ", "") for n in (self.total, wanted))
        raise SettingError(f"--memory {given} is too small: {why}. Set --memory {enough} or more.")

    def _release(self, nbytes: int) -> None:
        with self._lock:
            self._reserved -= nbytes


class Reservation:
    """Reserves a part of a budget for as long as it is referenced."""
