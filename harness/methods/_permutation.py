"""What a chat model answered → an order of passages, with what was wrong with the answer counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

_STRICT: Final = re.compile(r"\s*\[\d+\](\s*>\s*\[\d+\])*\s*")
_IDENTIFIER: Final = re.compile(r"\[(\d{1,9})\]")


def permutation(answer: str, n: int) -> tuple[list[int], Counter[str]]:
    """The order of n passages, best first, as places from 0; and the failures of the answer.

    `[3] > [1] > [2]` and nothing else is a whole answer. In any other, identifiers in brackets count in their order:
    what comes again or is out of range is dropped, and what is missing follows at the end in the order that it had
    before (as RankGPT does).

    Failures: `malformed` (other words than the form), `unreadable` (no identifier that counts), and of identifiers
    `repeated`, `out of range` and `missing`.
    """
    failures: Counter[str] = Counter()
    order: dict[int, None] = {}
    for found in _IDENTIFIER.findall(answer):
        place = int(found) - 1
        if not 0 <= place < n:
            failures["out of range"] += 1
        elif place in order:
            failures["repeated"] += 1
        else:
            order[place] = None
    if not _STRICT.fullmatch(answer):
        failures["malformed"] += 1
    if not order:
        failures["unreadable"] += 1
    missing = [place for place in range(n) if place not in order]
    if missing:
        failures["missing"] += len(missing)
    return [*order, *missing], failures


def windows(n: int, window: int, step: int) -> Iterator[tuple[int, int]]:
    """Windows over n places, from the end to the top, each `step` above the one before; the last one begins at the
    top.
    """
    if n < 2:  # nothing to order
        return
    end = n
    while True:
        start = max(0, end - window)
        yield start, end
        if start == 0:
            return
        end -= step
