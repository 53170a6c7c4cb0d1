"""How much memory a run may take for what grows with a collection: `--memory 2GB`.

A budget is not a limit that the system enforces: it is what steps cut their work by. What is read, sorted or compared
is cut into blocks of a share of it; what one step builds is written to disk beyond a share of it; and what stays in
memory between steps (the vectors of a collection) is held only while all of that fits a share of it. The interpreter,
its libraries and a model's weights
and activations come on top: `--batch-tokens` moves those.
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
"""A PiB: more is a slip of the pen, and is not computed with."""
LEAST: Final = 16 << 20
"""No step's blocks get below this, whatever the size of the collection."""
BYTES_OF_A_DOCUMENT: Final = 112
"""At the most, of the numbers that a step keeps of every document: while texts are looked up among those that are
encoded, a hash (16), the table of the hashes (48), places, rows and times (36); the place in the order of ids (4) and a
score (4) besides.
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
        SettingError: it is no size, or one beyond `MOST`.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    unit = {**_UNITS, **_UNITS_SHORT}.get(found[2].upper()) if found else None
    if found is None or unit is None:
        raise SettingError(f"memory {text[:40]!r} is no size; write it as 2GB, 512MiB or in bytes.")
    if (number := float(found[1]) * unit) > MOST:
        raise SettingError(f"memory {text[:40]!r} is more than {size(MOST)}; write it as 2GB, 512MiB or in bytes.")
    return int(number)


def size(number: float) -> str:
    """Bytes as people write them, in a form that `parse_size` reads: `512 MiB`; rounded up."""
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
        SettingError: `HARNESS_MEMORY` is no size, or the budget is below `LEAST`.
    """

    def __init__(self, total: int | None = None) -> None:
        named = os.environ.get("HARNESS_MEMORY", "")
        self.total: int = total if total is not None else parse_size(named) if named else DEFAULT
        if self.total < LEAST:
            raise SettingError(f"memory of {size(self.total)} is too small for any step: give at least {size(LEAST)}.")
        self._held = 0
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
    def held(self) -> int:
        """Bytes that are held between steps now."""
        return self._held

    def hold(self, nbytes: int) -> Held | None:
        """A place for something that stays in memory between steps, given back when the answer is no longer referred
        to.

        Args:
            nbytes: its size.

        Returns:
            None where it and all that is held already take more than a quarter of the budget: it is to be read when it
                is needed.
        """
        with self._lock:
            if self._held + nbytes > self.total // 4:
                return None
            self._held += nbytes
        held = Held()
        weakref.finalize(held, self._release, nbytes)
        return held

    def require(self, least: int, what: str) -> None:
        """Raises SettingError where a step needs more than its share, a quarter, whatever it is cut into; says the
        least budget.

        Args:
            least: bytes that the step works on at the least.
            what: the step and why, as the subject of a sentence: `exact search of 8,841,823 vectors`.
        """
        if least > self.working:
            told = f"{what} takes {size(least)} at the least, and a step may take a quarter of the budget"
            self._refuse(told, 4 * least)

    def require_documents(self, documents: int, name: str) -> None:
        """Raises SettingError where the budget does not hold the numbers that are kept of every document; says the
        least.

        Args:
            documents: of the collection.
            name: of the collection.
        """
        least = BYTES_OF_A_DOCUMENT * documents
        if least > self.total:
            each = f"{BYTES_OF_A_DOCUMENT} bytes each, whatever is read of them"
            self._refuse(f"the {documents:,} documents of {name} take {size(least)}, {each}", least)

    def _refuse(self, why: str, wanted: int) -> NoReturn:
        given, enough = (size(n).replace(" ", "") for n in (self.total, wanted))
        raise SettingError(f"--memory {given} is too small: {why}. Give --memory {enough} or more.")

    def _release(self, nbytes: int) -> None:
        with self._lock:
            self._held -= nbytes


class Held:
    """Keeps a place in a budget for as long as it is referred to."""
