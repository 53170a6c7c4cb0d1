"""What inverted files share: how many lists, how many of them a query reads, into how many parts a vector is coded."""

from __future__ import annotations

from harness.base.errors import SettingError
from harness.indexes import Index

FEWEST_READ = 64
SHARE_READ = 8


def read(asked: int | None, nlist: int) -> int:
    """Lists that a query reads: an eighth of them where no number is asked for, at least 64."""
    return min(asked or max(FEWEST_READ, nlist // SHARE_READ), nlist)


def parts(index: Index, asked: int | None, dimension: int) -> int:
    """Parts of a vector that are coded each on its own: the most up to D / 4 where no number is asked for.

    Raises:
        SettingError: as many do not divide D.
    """
    divisors = [n for n in range(1, dimension + 1) if dimension % n == 0]
    m = asked or max(n for n in divisors if n <= max(1, dimension // 4))
    if m not in divisors:
        raise SettingError(
            f"{index.name()}: m must divide the {dimension} dimensions of the vectors, {m} does not; {divisors} do."
        )
    return m
