"""Ranges of ranks, and groups of tied rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def ranks(better: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(rows,) the first and the last rank that each row may have.

    From 1 + the number of rows that are significantly better to the number of rows minus those that are significantly
    worse. If the verdicts come from simultaneous intervals of all pairs, all ranges contain the true ranks
    simultaneously with the same confidence. Source: Mogstad, Romano, Shaikh and Wilhelm (2024), confidence sets for
    ranks.

    Args:
        better: (rows, rows) whether the one row is significantly better than the other.
    """
    return 1 + better.sum(0), len(better) - better.sum(1)


def groups(better: npt.NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """The largest sets of rows of which all pairs are tied, the compact letter display of Piepho (2004).

    A row may be in several: the first may be tied with the second and the second with the third, while the first is
    better than the third.

    Args:
        better: (rows, rows) whether the one row is significantly better than the other.

    Returns:
        Groups of row numbers, those with the best rows first.
    """
    import networkx  # slow to import, and a listing needs none of it

    tied = networkx.Graph()
    tied.add_nodes_from(range(len(better)))
    tied.add_edges_from(np.argwhere(np.triu(~(better | better.T), 1)).tolist())
    return sorted(tuple(sorted(clique)) for clique in networkx.find_cliques(tied))


def letters(better: npt.NDArray[np.bool_]) -> list[tuple[str, ...]]:
    """The letters of each row, one for each of its groups: a to z, then aa, ab and so on; for readers only."""
    by_row: list[tuple[str, ...]] = [()] * len(better)
    for number, members in enumerate(groups(better)):
        for row in members:
            by_row[row] = (*by_row[row], letter(number))
    return by_row


def letter(number: int) -> str:
    """From a to z, then aa, ab and so on."""
    letters = ""
    while number >= 0:
        letters = chr(ord("a") + number % 26) + letters
        number = number // 26 - 1
    return letters
