"""What a setting may be, as it is written on the command line: `k1=0.6:1.6`, `b=0.3,0.4,0.75`, `index=exact,hnsw`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from harness.base.errors import SettingError

MOST: Final = 11
"""Values that a span is listed with, at most."""
LISTED: Final = {1: MOST, 2: 6, 3: 4}
"""Number of spans → values that each is listed with, at most; 3 with more spans."""
Plain = str | int | float | bool


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, both included.

    Args:
        low: the least; a whole number if the other end is one too, and then all are.
        high: the greatest.
        log: spread on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = False

    def values(self, most: int = MOST) -> tuple[int | float, ...]:
        """Round numbers from end to end, at most `most`: in steps of 1, 2 or 5 times a power of ten, or with `log` as
        many in each factor of ten.
        """
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        if self.log:
            ratio = (self.high / self.low) ** (1 / (most - 1))
            drawn = [float(f"{self.low * ratio**place:.2g}") for place in range(1, most - 1)]
            # The ends are as given, and no rounded number is outside them.
            ends = [float(self.low), *(each for each in drawn if self.low < each < self.high), float(self.high)]
            return tuple(dict.fromkeys(round(each) if whole else each for each in ends))
        step = _step((self.high - self.low) / (most - 1))
        step = max(1.0, step) if whole else step
        first = math.floor(self.low / step + 1e-9) + 1
        inner = [number * step for number in range(first, math.ceil(self.high / step - 1e-9))]
        rounded = [float(f"{each:.10g}") for each in (self.low, *inner, self.high)]
        return tuple(dict.fromkeys(round(each) if whole else each for each in rounded))


def _step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def parse_axis(text: str) -> tuple[str, tuple[Plain, ...] | Span]:
    """The name of a setting, and the values that it may have: a list, or a span.

    Raises:
        SettingError: it is neither.
    """
    name, equals, rest = text.partition("=")
    name = name.strip().replace("-", "_")
    is_name = all(part.isidentifier() or part.isdecimal() for part in name.split("."))
    if not (equals and rest.strip() and is_name):
        raise SettingError(f"{text!r} gives no values of a setting: write k1=0.6:1.6 or k1=0.6,0.9,1.2.")
    parts = rest.split(":")
    if 2 <= len(parts) <= 3 and all(_is_number(part) for part in parts[:2]):
        low, high = (_plain(part) for part in parts[:2])
        mark = parts[2] if len(parts) == 3 else ""
        assert not isinstance(low, str | bool)
        assert not isinstance(high, str | bool)
        if mark not in ("", "log") or low >= high or (mark and low <= 0):
            raise SettingError(f"{text!r} is not a range: write low:high, as 0.6:1.6, or 1e-5:1e-3:log (low above 0).")
        return name, Span(low, high, bool(mark))
    return name, tuple(dict.fromkeys(_plain(part) for part in _listed(rest)))


def parse_axes(texts: Iterable[str]) -> dict[str, tuple[Plain, ...] | Span]:
    """The values of several settings, in their order.

    Raises:
        SettingError: one cannot be read, or a setting is given twice.
    """
    axes: dict[str, tuple[Plain, ...] | Span] = {}
    for text in texts:
        name, values = parse_axis(text)
        if name in axes:
            raise SettingError(f"{name} is given twice; write all its values in one, as {name}=1,2,3.")
        axes[name] = values
    return axes


def listed(axes: Mapping[str, tuple[Plain, ...] | Span]) -> dict[str, tuple[Plain, ...]]:
    """The same with each span as a list of round numbers: the more spans, the fewer."""
    most = LISTED.get(sum(isinstance(each, Span) for each in axes.values()), 3)
    return {name: values.values(most) if isinstance(values, Span) else values for name, values in axes.items()}


def _listed(text: str) -> list[str]:
    """Parts between commas, but for commas inside brackets and quotes: `exact,hnsw(m=8, efs=64)`."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in "([") - (character in ")]")
        if character == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _is_number(text: str) -> bool:
    return isinstance(_plain(text), int | float) and not isinstance(_plain(text), bool)


def _plain(text: str) -> Plain:
    """A number, True, False, or the text without the quotes around it."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            number: int | float = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
