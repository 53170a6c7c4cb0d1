"""Numbers as every board shows them. What is missing is a dash."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from harness.compare.verdict import ends, signed
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

MISSING = "–"


def score(value: float | None) -> str:
    """Four decimals, as trec_eval and Anserini print."""
    return MISSING if value is None else f"{value:.4f}"


def seconds(value: float) -> str:
    """A duration."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s"


def millions(value: float) -> str:
    """A number of parameters."""
    return f"{value / 1e6:.1f} M"


def mebibytes(value: float) -> str:
    """Bytes, in MiB."""
    return f"{value / 2**20:.1f}"


def share(value: float) -> str:
    """A percentage."""
    return f"{value:.0%}"


def one_decimal(value: float) -> str:
    """As for milliseconds."""
    return f"{value:.1f}"


def interval(value: Interval | None) -> str:
    """A confidence interval."""
    return MISSING if value is None else f"{value.low:.3f} – {value.high:.3f}"


def in_brackets(value: Interval) -> str:
    """A confidence interval, as papers print it."""
    return f"[{value.low:.3f}, {value.high:.3f}]"


def difference(value: Difference | None) -> str:
    """A difference with its interval."""
    if value is None:
        return MISSING
    is_finite = math.isfinite(value.interval.high - value.interval.low)
    around = f" {ends(value.interval, 3)}" if is_finite else ""
    return _minus(signed(value.mean) + around)


def ranks(value: tuple[int, int] | None) -> str:
    """A range of ranks."""
    if value is None:
        return MISSING
    return str(value[0]) if value[0] == value[1] else f"{value[0]}–{value[1]}"


def position(value: Any) -> str:
    """The range of ranks, and whether the row is tied with the first."""
    return f"{ranks(value.ranks)}{' tied' if value.tied else ''}"


BAR = 12
"""Characters of a bar of ranks, or as many as there are rows if these are fewer."""


def rank_bar(value: tuple[int, int], rows: int, width: int = BAR) -> str:
    """A range of ranks as a bar: `━━━·····` from the first to the fourth of eleven, say."""
    width = max(1, min(width, rows))
    first, last = value
    start, end = (first - 1) * width // max(1, rows), -(-last * width // max(1, rows))
    return "·" * start + "━" * (end - start) + "·" * (width - end)


def counts(value: Sequence[int]) -> str:
    """Won, tied and lost."""
    return "/".join(map(str, value))


def _minus(text: str) -> str:
    """With minus signs in place of hyphens, except in exponents."""
    return re.sub(r"(?<!e)-", "−", text)
