"""Defaults of inverted files: how many lists a query reads, and into how many parts a vector is split."""

from __future__ import annotations

from harness.base.errors import SettingError
from harness.indexes import Index

FEWEST_READ = 64
SHARE_READ = 8


def lists_read(nprobe: int | None, nlist: int) -> int:
    """Number of lists that a query reads: by default an eighth of all, at least 64."""
    return min(nprobe or max(FEWEST_READ, nlist // SHARE_READ), nlist)


def code_parts(index: Index, m: int | None, dimension: int) -> int:
    """Number of parts of a vector, each with its own code: by default the largest divisor of D up to D / 4.

    Raises:
        SettingError: m does not divide D.
    """
    divisors = [n for n in range(1, dimension + 1) if dimension % n == 0]
    m = m or max(n for n in divisors if n <= max(1, dimension // 4))
    if m not in divisors:
        raise SettingError(
            f"{index.name()}: m must divide the {dimension} dimensions of the vectors, {m} does not; {divisors} do."
        )
    return m
