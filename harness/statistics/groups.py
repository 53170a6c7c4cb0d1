"""Rows that cannot be told apart: groups in place of an order that the data does not support."""

from __future__ import annotations


def groups(count: int, different: set[tuple[int, int]]) -> list[tuple[int, ...]]:
    """The largest sets of rows of which no two differ, the compact letter display of Piepho (2004).

    A row may stand in several: the first may equal the second and the second the third, while first and third differ.

    Args:
        count: number of rows, 0 the best.
        different: pairs that the test tells apart, either way round.

    Returns:
        Groups of row numbers, those with the best rows first.
    """
    import networkx  # slow to import, and a listing needs none of it

    alike = networkx.Graph()
    alike.add_nodes_from(range(count))
    apart = {frozenset(pair) for pair in different}
    alike.add_edges_from((a, b) for a in range(count) for b in range(a) if frozenset((a, b)) not in apart)
    return sorted(tuple(sorted(clique)) for clique in networkx.find_cliques(alike))
