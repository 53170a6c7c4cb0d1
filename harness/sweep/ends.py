"""Settings whose best value is the smallest or the largest that was tried: a better one may be beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from harness.sweep.trial import Trial

FEWEST: Final = 3
"""Values that were tried of a setting; of two, each is at an end."""


def at_the_end(chosen: Trial, tried: Sequence[Trial]) -> dict[str, tuple[float, bool]]:
    """Name of a setting → the chosen value, which is at an end of those tried, and whether it is the largest.

    Args:
        chosen: the best row.
        tried: all rows with scores; rows with other settings than the chosen one's do not count.
    """
    own = dict(_numbers(chosen.method.settings()))
    others = [numbers for row in tried if (numbers := dict(_numbers(row.method.settings()))).keys() == own.keys()]
    found = {}
    for name, value in own.items():
        values = {other[name] for other in others}
        if len(values) >= FEWEST and value in (min(values), max(values)):
            found[name] = (value, value == max(values))
    return found


def _numbers(settings: Any, *way: str) -> Iterator[tuple[str, float]]:
    """The numbers in nested settings, by the way to each."""
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            yield from _numbers(value, *way, str(name))
    elif isinstance(settings, list | tuple):
        for place, value in enumerate(settings):
            yield from _numbers(value, *way, str(place))
    elif isinstance(settings, int | float) and not isinstance(settings, bool):
        yield ".".join(way), float(settings)
