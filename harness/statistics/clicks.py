"""Attractiveness of documents from clicks at positions, by the position-based model.

A click needs an examined position and an attractive document: P(click) = θ(position) · γ(query, document). Source:
Craswell et al., "An experimental comparison of click position-bias models" (WSDM 2008); estimated by expectation
maximisation as in Chuklin, Markov and de Rijke, "Click Models for Web Search" (2015), section 4.1. With θ known,
clicks over Σ θ · views is the estimate by inverse propensities (Joachims, Swaminathan and Schnabel, WSDM 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.statistics.paired import Values

Places = npt.NDArray[np.intp]
ROUNDS = 10_000
CLOSE = 1e-7
"""Change of every θ in a round at which estimation ends."""


@dataclass(frozen=True)
class Examined:
    """What a log says of positions and of pairs.

    Args:
        propensity: (positions,) θ, as a share of that of the first known position; NaN where the log does not say.
        attraction: (pairs,) γ by inverse propensities, at most 1; NaN for a pair shown at unknown positions only.
        views: (pairs,) Σ θ · views: views that the same pair would have at the first position.
    """

    propensity: Values
    attraction: Values
    views: Values


def examined(pair: Places, position: Places, clicks: Values, views: Values) -> Examined:
    """Estimates θ and γ of a log.

    θ is known only up to a factor, and only between positions at which the same pairs were shown; positions are
    connected through such pairs, and those that are not connected to the first one are left out.

    Args:
        pair: (n,) number of the query and document of each line.
        position: (n,) number of its position, 0 the first.
        clicks: (n,) at most `views`.
        views: (n,) how often the pair was shown there, above 0.
    """
    pairs, positions = int(pair.max()) + 1, int(position.max()) + 1
    known = _connected(pair, position, positions)
    here = known[position]
    theta, _ = _estimated(pair[here], position[here], clicks[here], views[here], pairs, positions)
    theta = np.where(known, theta / theta[0], np.nan)
    seen = np.asarray(np.bincount(pair[here], theta[position[here]] * views[here], pairs), np.float64)
    clicked = np.bincount(pair[here], clicks[here], pairs)
    attraction = np.minimum(1.0, np.divide(clicked, seen, out=np.full(pairs, np.nan), where=seen > 0))
    return Examined(theta, attraction, seen)


def _connected(pair: Places, position: Places, positions: int) -> npt.NDArray[np.bool_]:
    """(positions,) whether pairs shown at several positions connect a position with the first."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pairs = int(pair.max()) + 1
    edges = coo_matrix((np.ones(len(pair)), (position, positions + pair)), shape=(positions + pairs,) * 2)
    _, labels = connected_components(edges, directed=False)
    return np.asarray(labels[:positions] == labels[0])


def _estimated(
    pair: Places, position: Places, clicks: Values, views: Values, pairs: int, positions: int
) -> tuple[Values, Values]:
    """(positions,) θ and (pairs,) γ of the greatest likelihood."""
    shown_at = np.maximum(np.bincount(position, views, positions), np.finfo(float).tiny)
    shown = np.maximum(np.bincount(pair, views, pairs), np.finfo(float).tiny)
    theta, gamma = np.full(positions, 0.5), np.full(pairs, 0.5)
    passed = views - clicks
    for _ in range(ROUNDS):
        t, g = theta[position], gamma[pair]
        neither = np.maximum(1 - t * g, np.finfo(float).tiny)
        gamma = np.bincount(pair, clicks + passed * g * (1 - t) / neither, pairs) / shown
        before, theta = theta, np.bincount(position, clicks + passed * t * (1 - g) / neither, positions) / shown_at
        if np.abs(theta - before).max() < CLOSE:
            break
    return theta, gamma
