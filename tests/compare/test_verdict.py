"""Verdicts and the sentences that give their reasons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.compare.comparison import compare
from harness.compare.evidence import Scores, contrasts
from harness.compare.verdict import Verdict, verdict

Scored = Callable[..., Scores]
N = 200
BASE = np.random.default_rng(1).uniform(0.2, 0.8, N)


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": float(v) for i, v in enumerate(column)}


def judged(scored: Scored, shift: float, spread: float, margin: float = 0.01, seeds: int = 1) -> Verdict:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, spread, N)
    columns = [BASE + shift + noise - noise.mean() for _ in range(seeds)]
    (found,) = contrasts([(scored("new", *map(by_query, columns)), scored("base", by_query(BASE)))], draws=4999)
    return verdict(found, margin)


@pytest.mark.parametrize(
    ("shift", "spread", "finding", "head"),
    [
        (0.05, 0.1, "better", "new is significantly better than base: nDCG@10 0."),
        (-0.05, 0.1, "worse", "new is significantly worse than base: "),
        (0.002, 0.02, "equivalent", "new and base are equivalent within 0.01: "),
        (0.004, 0.001, "equivalent", "new and base are equivalent within 0.01: "),
        (0.01, 0.2, "cannot tell", "new and base are tied with 200 queries: "),
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
        f"a difference of +0.0500 [{contrast.interval.low:+.4f}, {contrast.interval.high:+.4f}] at 95% over 200 "
        f"queries.",
        f"better on {won} queries, equal on {tied}, worse on {lost}",
        "(4,999 studentised resamples of the queries; single planned comparison, not corrected for others).",
        f"200 queries detect a difference of {contrast.smallest:.4f} with 80 % power; ",
        " queries would detect 0.01.",
    ):
        assert told in text
    assert "seed" not in text


def test_contrasts_that_share_the_error_say_so(scored: Scored) -> None:
    base, rows = scored("base", by_query(BASE)), [scored(f"r{i}", by_query(BASE + 0.1)) for i in range(3)]
    found = [verdict(c) for c in contrasts([(row, base) for row in rows], draws=999)]
    told = "p = 0.0010: the probability of a difference this large if there were none "
    assert found[0].sentences[2] == f"{told}(999 studentised resamples of the queries; corrected for 3 contrasts)."


def test_rows_that_find_nothing_are_no_equals(scored: Scored) -> None:
    nothing = {f"q{i}": 0.0 for i in range(40)}
    (found,) = contrasts([(scored("one", nothing), scored("other", nothing))])
    said = verdict(found)
    assert said.finding == "cannot tell"
    assert any("Both are 0 on every query" in sentence for sentence in said.sentences)
    assert any("They do not differ on any query" in sentence for sentence in said.sentences)


def test_five_queries_are_said_to_show_nothing(scored: Scored) -> None:
    (found,) = contrasts([(scored("hi", by_query(BASE[:5] + 0.3 + BASE[5:10] / 9)), scored("lo", by_query(BASE[:5])))])
    text = " ".join(verdict(found).sentences)
    assert "5 queries cannot reliably detect any difference" in text
    assert "They differ on 5 queries; differences on fewer than 6 are never significant." in text
    assert "at 95%" not in text, "there is no interval"
    assert "inf" not in text


@pytest.mark.parametrize("queries", range(4, 10))
@pytest.mark.parametrize("others", [0, 20])
def test_a_significant_verdict_is_never_beside_a_sentence_that_nothing_can_be_shown(
    scored: Scored, queries: int, others: int
) -> None:
    base = scored("base", by_query(BASE[:queries]))
    better = scored("better", by_query(BASE[:queries] + 0.1 + 0.001 * BASE[40 : 40 + queries]))
    even = scored("even", by_query(BASE[:queries] + 0.1))
    more = [
        (scored(f"r{i}", by_query(BASE[:queries] + 0.002 * (i + 1) * BASE[50 : 50 + queries])), base)
        for i in range(others)
    ]
    for found in contrasts([(better, base), *more])[:1] + contrasts([(even, base)]):
        assert found.tied is (queries < 6)
        assert ("cannot reliably detect any difference" in " ".join(verdict(found).sentences)) is found.tied
        assert found.p >= 2.0 ** (1 - queries), "so often all signs are alike by chance"
    comparison = compare([each for each, _ in [(better, base), (base, base), *more]])
    assert ("cannot reliably detect any difference between two rows" in comparison.power) is (queries < 6)


@pytest.mark.parametrize("seed", range(12))
def test_the_finding_the_interval_and_the_p_value_never_contradict_each_other(scored: Scored, seed: int) -> None:
    """Also near the edge, where a bootstrap's interval and another test's p-value were apart."""
    rng = np.random.default_rng(seed)
    noise = np.where(rng.random(N) < 0.7, 0.0, rng.exponential(0.3, N) * rng.choice([-1, 1], N))
    noise += 1.97 * noise.std(ddof=1) / N**0.5 - noise.mean() + rng.normal(0, 0.0005)
    base = scored("base", by_query(BASE))
    for others in ([], [scored("other", by_query(BASE - noise / 2))]):
        row = scored("new", by_query(BASE + noise))
        for found in contrasts([(row, each) for each in (base, *others)], draws=999):
            said = verdict(found, margin=0.0001)
            excludes = found.interval.low > 0 or found.interval.high < 0
            assert said.finding == ("better" if excludes else "cannot tell")
            assert ("are tied" in said.sentences[0]) is not excludes
            assert (found.p <= 0.05) is excludes


def test_equivalence_shows_the_interval_that_it_rests_on(scored: Scored) -> None:
    found = judged(scored, 0.002, 0.02)
    low, high = found.within.low, found.within.high
    told = f"The 90% interval [{low:+.4f}, {high:+.4f}] is within ±0.01: equivalent by two one-sided tests at 5%."
    assert told in found.sentences
    assert found.contrast.interval.low < low < high < found.contrast.interval.high


def test_what_training_has_seen_is_told_of_rows_that_used_labels(scored: Scored) -> None:
    def leaks(value: float) -> dict[str, object]:
        part = {"count": 2, "without": {"nDCG@10": value}, "only": {"nDCG@10": 1.0}}
        taught = {"known": True, "queries": {**part, "count": 9}, "pairs": part}
        return {"queries": part, "documents": {**part, "count": 5}, "taught": taught}

    base = scored("base", by_query(BASE), leaks={**leaks(0.4), "taught": {}})
    (found,) = contrasts([(scored("new", by_query(BASE + 0.1), supervision="train labels", leaks=leaks(0.3)), base)])
    told = verdict(found).sentences[-3:]
    assert told[0] == "2 test queries also occur in train or dev: without them nDCG@10 is 0.3000 against 0.4000."
    assert told[1].startswith("5 test queries share a relevant document with a train or dev query: without them")
    assert told[2] == "new: 9 test queries occur in its training data; without them it has 0.3000."
    (plain,) = contrasts([(scored("plain", by_query(BASE + 0.1), leaks=leaks(0.3)), base)])
    assert not any("occur in" in sentence for sentence in verdict(plain).sentences)


def test_seeds_are_told_of(scored: Scored) -> None:
    text = " ".join(judged(scored, 0.05, 0.1, seeds=3).sentences)
    assert (
        "Interval and p-value also cover models trained with other seeds: 100% of the uncertainty is due to the queries"
        in text
    )
    trained = scored("new", by_query(BASE), resolved={"training": [{}]})
    (found,) = contrasts([(trained, scored("base", by_query(BASE * 0.9)))])
    assert "new: only one seed, so the result may not hold for other seeds (--seeds 3)." in verdict(found).sentences


def test_one_query_shows_nothing(scored: Scored) -> None:
    (found,) = contrasts([(scored("one", {"q": 1.0}), scored("two", {"q": 0.0}))])
    held = verdict(found)
    assert held.finding == "cannot tell"
    assert "are tied with 1 query" in held.sentences[0]


@pytest.mark.parametrize("margin", [0.0, -0.1, 1.0, float("nan")])
def test_a_margin_out_of_range_is_refused(scored: Scored, margin: float) -> None:
    (found,) = contrasts([(scored("one", {"q": 1.0}), scored("two", {"q": 0.0}))])
    with pytest.raises(SettingError, match="margin must be above 0 and below 1"):
        verdict(found, margin)
