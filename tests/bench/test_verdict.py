"""Verdicts and the sentences that give their reasons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.bench.evidence import Scores, contrasts
from harness.bench.verdict import Verdict, verdict
from harness.errors import SettingError

Scored = Callable[..., Scores]
N = 200
BASE = np.random.default_rng(1).uniform(0.2, 0.8, N)


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": float(v) for i, v in enumerate(column)}


def judged(scored: Scored, shift: float, spread: float, margin: float = 0.01, seeds: int = 1) -> Verdict:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, spread, N)
    columns = [BASE + shift + noise - noise.mean() for _ in range(seeds)]
    (found,) = contrasts([(scored("new", *map(by_query, columns)), scored("base", by_query(BASE)))], draws=5000)
    return verdict(found, margin)


@pytest.mark.parametrize(
    ("shift", "spread", "finding", "head"),
    [
        (0.05, 0.1, "better", "new is better than base: nDCG@10 0."),
        (-0.05, 0.1, "worse", "new is worse than base: "),
        (0.002, 0.02, "equivalent", "new and base are equivalent within 0.01: "),
        (0.004, 0.001, "equivalent", "new and base are equivalent within 0.01: "),
        (0.01, 0.2, "cannot tell", "whether new is better than base cannot be told with 200 queries: "),
        (0.0, 0.0, "equivalent", "new and base are equivalent within 0.01: "),
    ],
)
def test_findings(scored: Scored, shift: float, spread: float, finding: str, head: str) -> None:
    found = judged(scored, shift, spread)
    assert found.finding == finding
    assert found.sentences[0].startswith(head)


def test_a_real_difference_within_the_margin_is_equivalent_and_without_it_better(scored: Scored) -> None:
    assert judged(scored, 0.004, 0.001, margin=0.01).finding == "equivalent"
    assert judged(scored, 0.004, 0.001, margin=0.002).finding == "better"


def test_the_sentences_hold_the_figures(scored: Scored) -> None:
    found = judged(scored, 0.05, 0.1)
    contrast = found.contrast
    text = " ".join(found.sentences)
    won, tied, lost = contrast.pairs.wins_ties_losses
    for told in (
        f"a difference of +0.0500 [{contrast.interval.low:+.4f}, {contrast.interval.high:+.4f}] at 95% over 200 queries.",
        f"better on {won} queries, equal on {tied}, worse on {lost}",
        "(5,000 draws of signs).",
        f"With 200 queries a true difference of {contrast.smallest:.4f} would be seen four times in five; one of 0.01 would take",
    ):
        assert told in text
    assert "Holm" not in text
    assert "seed" not in text


def test_contrasts_that_share_the_error_say_so(scored: Scored) -> None:
    base, rows = scored("base", by_query(BASE)), [scored(f"r{i}", by_query(BASE + 0.1)) for i in range(3)]
    found = [verdict(c) for c in contrasts([(row, base) for row in rows], draws=999)]
    assert "p = 0.0010 (999 draws of signs), 0.0030 after Holm's correction for 3 contrasts." in found[0].sentences[2]


def test_seeds_are_told_of(scored: Scored) -> None:
    text = " ".join(judged(scored, 0.05, 0.1, seeds=3).sentences)
    assert "For models trained with other seeds: +0.0500 [" in text
    assert "of the uncertainty is the choice of queries" in text
    trained = scored("new", by_query(BASE), resolved={"training": [{}]})
    (found,) = contrasts([(trained, scored("base", by_query(BASE * 0.9)))])
    assert "new: one seed, so nothing is known of models trained with another (--seeds 3)." in verdict(found).sentences


def test_one_query_shows_nothing(scored: Scored) -> None:
    (found,) = contrasts([(scored("one", {"q": 1.0}), scored("two", {"q": 0.0}))])
    held = verdict(found)
    assert held.finding == "cannot tell"
    assert "cannot be told with 1 query" in held.sentences[0]


@pytest.mark.parametrize("margin", [0.0, -0.1, 1.0, float("nan")])
def test_a_margin_out_of_range_is_refused(scored: Scored, margin: float) -> None:
    (found,) = contrasts([(scored("one", {"q": 1.0}), scored("two", {"q": 0.0}))])
    with pytest.raises(SettingError, match="margin must be above 0 and below 1"):
        verdict(found, margin)
