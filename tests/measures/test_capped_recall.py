"""Capped recall against BEIR's own code and its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.data.measures import means, parse_measures, per_query
from harness.measures.capped_recall import CappedRecall

IDS = [f"d{number}" for number in range(12)]
GRADES = st.dictionaries(st.sampled_from(IDS), st.integers(0, 3), min_size=1)
RANKING = st.lists(st.sampled_from(IDS), unique=True, min_size=1)


@given(qrels=st.dictionaries(st.sampled_from(["1", "2", "3"]), GRADES, min_size=1), ranking=RANKING)
def test_means_are_those_of_beir(qrels: dict[str, dict[str, int]], ranking: list[str]) -> None:
    metrics = pytest.importorskip("beir.retrieval.custom_metrics")
    qrels = {query: {**grades, "d0": 1} for query, grades in qrels.items()}  # BEIR divides by 0 without a relevant one
    scores = [float(-place) for place in range(len(ranking))]
    results = {query: dict(zip(ranking, scores, strict=True)) for query in qrels}
    theirs = metrics.recall_cap(qrels, results, [1, 3, 10])
    parsed = parse_measures(["CappedRecall@1", "CappedRecall@3", "CappedRecall@10"])
    ours = means(per_query(parsed, qrels, [(query, ranking, scores) for query in qrels]))
    for k in (1, 3, 10):
        assert ours[f"CappedRecall@{k}"] == pytest.approx(theirs[f"R_cap@{k}"], abs=1e-5)


@given(judged=GRADES, ranking=RANKING, k=st.integers(1, 5), rel=st.integers(1, 3))
def test_it_is_the_definition(judged: dict[str, int], ranking: list[str], k: int, rel: int) -> None:
    relevant = sum(grade >= rel for grade in judged.values())
    hits = 0
    for document in ranking[:k]:
        if judged.get(document, 0) >= rel:
            hits += 1
    expected = hits / min(k, relevant) if relevant else 0.0
    assert CappedRecall(cutoff=k, rel=rel).score(judged, ranking[:k]) == expected


def test_it_needs_a_cutoff() -> None:
    with pytest.raises(SettingError, match="CappedRecall: cutoff must be a whole number, 1 or more"):
        parse_measures(["CappedRecall"])
