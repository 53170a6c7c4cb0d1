"""The position-based model: against a slow likelihood, a simulation, and logs that do not say enough."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from harness.statistics.clicks import examined


def log_of(
    rng: np.random.Generator, theta: list[float], pairs: int, views: int
) -> tuple[np.ndarray, ...]:
    """Every pair at two neighbouring positions; counts drawn from the model."""
    gamma = rng.uniform(0.05, 0.9, pairs)
    first = rng.integers(0, len(theta) - 1, pairs)
    pair = np.repeat(np.arange(pairs), 2)
    position = np.stack([first, first + 1], 1).ravel()
    shown = np.full(len(pair), views)
    clicks = rng.binomial(shown, np.asarray(theta)[position] * gamma[pair])
    return pair, position, clicks.astype(float), shown.astype(float), gamma


def test_a_simulated_user_is_recovered() -> None:
    theta = [1.0, 0.6, 0.4, 0.3, 0.25]
    pair, position, clicks, views, gamma = log_of(np.random.default_rng(0), theta, 400, 2000)
    found = examined(pair, position, clicks, views)
    assert found.propensity == pytest.approx(np.array(theta), abs=0.02)
    assert found.attraction == pytest.approx(gamma, abs=0.1)
    naive = np.bincount(pair, clicks) / np.bincount(pair, views)
    assert np.abs(found.attraction - gamma).mean() < np.abs(naive - gamma).mean() / 5


def test_the_estimate_has_the_greatest_likelihood() -> None:
    """Against a general optimiser on the same likelihood."""
    pair, position, clicks, views, _ = log_of(np.random.default_rng(1), [0.9, 0.5, 0.3], 6, 300)

    def minus(x: np.ndarray) -> float:
        p = (1 / (1 + np.exp(-x)))[position] * (1 / (1 + np.exp(-x)))[3 + pair]
        return -float((clicks * np.log(p) + (views - clicks) * np.log1p(-p)).sum())

    best = minimize(minus, np.zeros(9), method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-14})
    slow = 1 / (1 + np.exp(-best.x))
    found = examined(pair, position, clicks, views)
    assert found.propensity == pytest.approx(slow[:3] / slow[0], abs=0.01)


def test_attraction_is_clicks_over_examined_views() -> None:
    """By hand: θ of the second position is half that of the first, by the pair that was shown at both."""
    pair, position = np.array([0, 0, 1]), np.array([0, 1, 1])
    clicks, views = np.array([40.0, 20.0, 30.0]), np.array([100.0, 100.0, 100.0])
    found = examined(pair, position, clicks, views)
    assert found.propensity == pytest.approx([1.0, 0.5], abs=0.001)
    assert found.attraction == pytest.approx([0.4, 0.6], abs=0.002)
    assert found.views == pytest.approx([150.0, 50.0], abs=0.2)


def test_a_position_without_a_connection_is_unknown() -> None:
    """Nothing shown at the third position was shown elsewhere: its clicks may be due to the position or the pair."""
    pair, position = np.array([0, 0, 1]), np.array([0, 1, 2])
    found = examined(pair, position, np.array([40.0, 20.0, 30.0]), np.full(3, 100.0))
    assert np.isnan(found.propensity).tolist() == [False, False, True]
    assert np.isnan(found.attraction).tolist() == [False, True]
