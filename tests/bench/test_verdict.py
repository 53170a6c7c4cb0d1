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
    assert "p = 0.0010 (999 draws of signs); 0.0030 after Holm's correction for 3 contrasts." in found[0].sentences[2]


def test_rows_that_find_nothing_are_no_equals(scored: Scored) -> None:
    nothing = {f"q{i}": 0.0 for i in range(40)}
    (found,) = contrasts([(scored("one", nothing), scored("other", nothing))])
    said = verdict(found)
    assert said.finding == "cannot tell"
    assert any("Both are 0 on every query" in sentence for sentence in said.sentences)
    assert any("They do not differ on any query" in sentence for sentence in said.sentences)


def test_five_queries_are_said_to_show_hardly_anything(scored: Scored) -> None:
    (found,) = contrasts([(scored("hi", by_query(BASE[:5] + 0.3 + BASE[5:10] / 9)), scored("lo", by_query(BASE[:5])))])
    text = " ".join(verdict(found).sentences)
    assert "With 5 queries hardly any difference can be shown" in text
    assert "inf" not in text


def test_the_p_value_that_was_corrected_is_named(scored: Scored) -> None:
    row = scored("new", *(by_query(BASE + shift) for shift in (0.02, 0.06, -0.03)))
    found = contrasts([(row, scored("base", by_query(BASE))), (row, scored("other", by_query(BASE - 0.001)))])
    assert "after Holm's correction of the p-value for other seeds, " in verdict(found[0]).sentences[2]


def test_what_training_has_seen_is_told_of_rows_that_used_labels(scored: Scored) -> None:
    def leaks(value: float) -> dict[str, object]:
        part = {"count": 2, "without": {"nDCG@10": value}, "only": {"nDCG@10": 1.0}}
        taught = {"known": True, "queries": {**part, "count": 9}, "pairs": part}
        return {"queries": part, "documents": {**part, "count": 5}, "taught": taught}

    base = scored("base", by_query(BASE), leaks={**leaks(0.4), "taught": {}})
    (found,) = contrasts([(scored("new", by_query(BASE + 0.1), supervision="train labels", leaks=leaks(0.3)), base)])
    told = verdict(found).sentences[-3:]
    assert told[0] == "2 test queries stand among those of train or dev too: without them nDCG@10 is 0.3000 against 0.4000."
    assert told[1].startswith("5 test queries have a relevant document that a train or dev query has too: without them")
    assert told[2] == "new: 9 test queries stand among what its training was given; without them it has 0.3000."
    (plain,) = contrasts([(scored("plain", by_query(BASE + 0.1), leaks=leaks(0.3)), base)])
    assert not any("stand among" in sentence for sentence in verdict(plain).sentences)


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
