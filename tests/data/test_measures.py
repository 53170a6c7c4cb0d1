"""Every figure against its definition and against trec_eval; what moves a mean is decided here and not by a
provider.
"""

from __future__ import annotations

import math
import re
import shutil

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.measures import DEFAULT, means, parse_measures, per_query, seen
from harness.data.queries import Queries
from harness.data.ranking import Run, select, stack

Rankings = dict[str, dict[str, float]]
Judgements = dict[str, dict[str, int]]

CORPUS = Corpus.of([(f"d{i:02}", "", "") for i in range(25)])
IDS = [f"d{i:02}" for i in range(25)]
TIED = st.sampled_from([0.0, 0.5, 1.0, 2.0])
RANKINGS = st.dictionaries(st.sampled_from(["q1", "q2", "q3", "q4"]), st.dictionaries(st.sampled_from(IDS), TIED))
GRADES = st.dictionaries(st.sampled_from([*IDS, "gone", "gone too"]), st.integers(0, 3), min_size=1, max_size=12)
JUDGEMENTS = st.dictionaries(st.sampled_from(["q1", "q2", "q3", "qx"]), GRADES, min_size=1)


def run_of(rankings: Rankings, depth: int = 1000) -> Run:
    parts = [
        select(
            CORPUS.rows(list(ranking)), np.fromiter(ranking.values(), np.float32, len(ranking)), CORPUS.id_order, depth
        )
        for ranking in rankings.values()
    ]
    return Run.of(Queries(list(rankings), [""] * len(rankings)), stack(parts, depth), CORPUS)


def figures(names: list[str], rankings: Rankings, qrels: Judgements, depth: int = 1000) -> dict[str, dict[str, float]]:
    return per_query(parse_measures(names), qrels, run_of(rankings, depth))


def by_definition(measure: str, k: int, ranking: dict[str, float], grades: dict[str, int]) -> float:
    """One figure of one query, by slow loops; ties go to the greater id."""
    order = sorted(ranking, reverse=True)
    order.sort(key=lambda document: -ranking[document])
    gains = [max(grades.get(document, 0), 0) for document in order][:k]
    ideal = sorted((max(grade, 0) for grade in grades.values()), reverse=True)
    relevant = sum(grade > 0 for grade in ideal)
    if not relevant:
        return 0.0
    if measure == "nDCG":
        dcg, best = (sum(g / math.log2(i + 2) for i, g in enumerate(gs)) for gs in (gains, ideal[:k]))
        return dcg / best
    hits = [i for i, gain in enumerate(gains) if gain > 0]
    if measure == "R":
        return len(hits) / relevant
    if measure == "RR":
        return 1 / (hits[0] + 1) if hits else 0.0
    assert measure == "AP"
    return sum((n + 1) / (i + 1) for n, i in enumerate(hits)) / relevant


@given(rankings=RANKINGS, qrels=JUDGEMENTS, k=st.sampled_from([1, 3, 10, 100]))
def test_figures_are_those_of_the_definitions_on_tied_rankings(rankings: Rankings, qrels: Judgements, k: int) -> None:
    values = figures([f"nDCG@{k}", f"R@{k}", f"RR@{k}", f"AP@{k}"], rankings, qrels)
    for name, by_query in values.items():
        assert by_query.keys() == qrels.keys()
        for query, value in by_query.items():
            expected = by_definition(name.partition("@")[0], k, rankings.get(query, {}), qrels[query])
            assert value == pytest.approx(expected, abs=1e-9), (name, query)


TREC_EVAL = {
    "nDCG@10": "ndcg_cut_10",
    "R@100": "recall_100",
    "RR": "recip_rank",
    "AP@100": "map_cut_100",
    "P@5": "P_5",
    "Rprec": "Rprec",
}


@given(rankings=RANKINGS, qrels=JUDGEMENTS)
def test_figures_are_those_of_trec_eval_given_the_scores_themselves(rankings: Rankings, qrels: Judgements) -> None:
    values = figures(list(TREC_EVAL), rankings, qrels)
    answered = {query: ranking for query, ranking in rankings.items() if ranking}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, set(TREC_EVAL.values())).evaluate(answered)
    for ours, name in TREC_EVAL.items():
        assert values[ours] == {query: theirs.get(query, {}).get(name, 0.0) for query in qrels}


EVERY = ["nDCG@10", "nDCG@3", "R@10", "RR@10", "RR@1", "AP@10", "P@5", "Success@3", "Judged@5", "RR(rel=2)@10"]


@settings(max_examples=60)
@given(rankings=RANKINGS, qrels=JUDGEMENTS)
def test_no_figure_at_10_changes_when_the_run_is_cut_at_10(rankings: Rankings, qrels: Judgements) -> None:
    assert figures(EVERY, rankings, qrels, 10) == figures(EVERY, rankings, qrels)


@settings(max_examples=60)
@given(rankings=RANKINGS, qrels=JUDGEMENTS)
def test_what_lies_beyond_the_cutoffs_moves_no_figure(rankings: Rankings, qrels: Judgements) -> None:
    """`RR`, which has no cut-off, has whole rankings handed to the providers of all."""
    names = ["nDCG@3", "P@2", "R@4", "RR@5", "AP@3", "Success@2", "Judged@4"]
    whole = figures([*names, "RR"], rankings, qrels)
    del whole["RR"]
    assert figures(names, rankings, qrels) == whole


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["nDCG@10"], 10),
        (DEFAULT, 100),
        (["P@5", "RR"], None),
        (["AP"], None),
        (["R@5", "P(judged_only=True)@5"], None),
    ],
)
def test_how_many_documents_measures_look_at(names: list[str], expected: int | None) -> None:
    assert seen(parse_measures(names)) == expected


@given(rankings=RANKINGS, qrels=JUDGEMENTS)
def test_all_providers_break_ties_in_the_documented_order(rankings: Rankings, qrels: Judgements) -> None:
    """Scores without ties that say the documented order must give the same figures as the tied scores."""
    untied = {
        query: {d: -float(i) for i, d in enumerate(run_of({query: r}).scores()[query])} for query, r in rankings.items()
    }
    names = [*EVERY, "Compat", "P(judged_only=True)@5"]
    assert figures(names, untied, qrels) == figures(names, rankings, qrels)


def test_rr_at_10_gives_a_tie_to_the_greater_id() -> None:
    """The provider that computes `RR@10` would give it to the lesser id, against trec_eval's `recip_rank`."""
    rankings, qrels = {"q": {"d01": 1.0, "d02": 1.0}}, {"q": {"d02": 1}}
    assert figures(["RR@10", "RR"], rankings, qrels) == {"RR@10": {"q": 1.0}, "RR": {"q": 1.0}}


def test_grades_are_kept() -> None:
    rankings, qrels = {"q": {"d01": 2.0, "d02": 1.0}}, {"q": {"d01": 1, "d02": 3, "d03": 0}}
    (value,) = figures(["nDCG@10"], rankings, qrels)["nDCG@10"].values()
    assert value == pytest.approx((1 / 1 + 3 / math.log2(3)) / (3 / 1 + 1 / math.log2(3)))
    assert figures(["P(rel=2)@1", "P@1"], rankings, qrels) == {"P(rel=2)@1": {"q": 0.0}, "P@1": {"q": 1.0}}


def test_a_grade_below_0_is_not_relevant_and_takes_nothing_away() -> None:
    rankings = {"q": {"d01": 2.0, "d02": 1.0}}
    with_negative = figures(list(DEFAULT), rankings, {"q": {"d01": -2, "d02": 1}})
    assert with_negative == figures(list(DEFAULT), rankings, {"q": {"d01": 0, "d02": 1}})


def test_a_judged_query_without_an_answer_counts_0() -> None:
    values = figures(
        list(DEFAULT), {"q1": {"d01": 1.0}, "q2": {}}, {"q1": {"d01": 1}, "q2": {"d01": 1}, "q3": {"d01": 1}}
    )
    assert all(by_query == {"q1": 1.0, "q2": 0.0, "q3": 0.0} for by_query in values.values())
    assert means(values) == dict.fromkeys(DEFAULT, pytest.approx(1 / 3))


def test_a_run_without_any_answer_counts_0() -> None:
    assert figures(["nDCG@10"], {"q1": {}}, {"q1": {"d01": 1}, "q2": {"d01": 1}}) == {"nDCG@10": {"q1": 0.0, "q2": 0.0}}


def test_a_query_that_is_not_judged_is_left_out() -> None:
    values = figures(["nDCG@10", "RR@10"], {"q1": {"d01": 1.0}, "other": {"d01": 1.0}}, {"q1": {"d01": 1}})
    assert values == {"nDCG@10": {"q1": 1.0}, "RR@10": {"q1": 1.0}}


def test_a_query_without_a_relevant_document_counts_0() -> None:
    values = figures(list(DEFAULT), {"q1": {"d01": 1.0}}, {"q1": {"d01": 0}})
    assert means(values) == dict.fromkeys(DEFAULT, 0.0)


def test_a_relevant_document_that_is_not_in_the_corpus_caps_recall_and_the_ideal() -> None:
    values = figures(["R@100", "nDCG@10"], {"q": {"d01": 1.0}}, {"q": {"d01": 1, "gone": 1}})
    assert values["R@100"]["q"] == 0.5
    assert values["nDCG@10"]["q"] == pytest.approx(1 / (1 + 1 / math.log2(3)))


@pytest.mark.skipif(shutil.which("perl") is None, reason="the provider of ERR is a Perl script")
def test_err_takes_query_ids_of_any_kind() -> None:
    rankings, qrels = {"query-é 1": {"d01": 2.0, "d02": 1.0}}, {"query-é 1": {"d02": 4}, "another": {"d01": 1}}
    values = figures(["ERR@10", "nDCG(dcg='exp-log2')@10"], rankings, qrels)
    assert values["ERR@10"] == {"query-é 1": pytest.approx(15 / 16 / 2, abs=1e-5), "another": 0.0}
    assert values["nDCG(dcg='exp-log2')@10"]["query-é 1"] == pytest.approx(1 / math.log2(3), abs=1e-5)


@pytest.mark.skipif(shutil.which("perl") is None, reason="the provider of ERR is a Perl script")
def test_grades_that_a_provider_refuses_are_told() -> None:
    with pytest.raises(SettingError, match="ir-measures cannot compute ERR@10 on these judgements: "):
        figures(["ERR@10"], {"q": {"d01": 1.0}}, {"q": {"d01": 5}})


def test_a_provider_that_fails_is_told() -> None:
    with pytest.raises(
        SettingError, match=r"ir-measures cannot compute Accuracy@10 on these judgements: .*division by zero"
    ):
        figures(["Accuracy@10"], {"q": {"d01": 1.0}}, {"q": {"d01": 1}})


def test_measures_are_read_in_order_and_each_once() -> None:
    found = parse_measures(["R@100,nDCG@10", "MRR@10 R@100", "P(rel=2)@5", "Recall@100"])
    assert [str(measure) for measure in found] == ["R@100", "nDCG@10", "RR@10", "P(rel=2)@5"]
    assert [str(m) for m in parse_measures(DEFAULT)] == list(DEFAULT)


NONSENSE = [
    "nDGC@10",
    "nDCG@",
    "@10",
    "nDCG@x",
    "nDCG@1.5",
    "P",
    "R",
    "P(",
    "P@5@6",
    "P(rel=)@5",
    "import os",
    "é",
    "1",
]


@pytest.mark.parametrize("name", NONSENSE)
def test_what_is_no_measure_is_told_with_examples(name: str) -> None:
    with pytest.raises(SettingError, match=r"is not a measure.*nDCG@10"):
        parse_measures([name])


@pytest.mark.parametrize("names", [[], [""]])
def test_no_measure_at_all_is_told_with_the_default(names: list[str]) -> None:
    with pytest.raises(SettingError, match=r"no measure named; the default is nDCG@10 R@100 RR@10 AP@100"):
        parse_measures(names)


@pytest.mark.parametrize("name", ["nDCG@0", "R@0", "P(rel=0)@5", "P@True", "Judged@0", "RR@0"])
def test_a_cutoff_below_1_is_refused_since_trec_eval_would_end_the_process(name: str) -> None:
    with pytest.raises(SettingError, match="must be 1 or more"):
        parse_measures([name])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nDCG@99999999999999999999", "cutoff must be below 2^31"),
        ("P@2147483648", "cutoff must be below 2^31"),
        ("AP(rel=99999999999999999999)", "rel must be below 2^31"),
        ("NumRet(rel=2147483648)", "rel must be below 2^31"),
        ("SetF(beta=1e400)", "beta must be a finite number"),
        ("nDCG(gains={1:1e400})@10", "gains must be whole numbers below 2^31"),
        ("nDCG(gains={1:0.5})@10", "gains must be whole numbers below 2^31"),
    ],
)
def test_settings_that_no_provider_can_compute_with_are_refused_in_words(name: str, told: str) -> None:
    with pytest.raises(SettingError, match=re.escape(told)):
        parse_measures([name])


def test_the_largest_cutoff_and_whole_gains_are_taken() -> None:
    assert len(parse_measures(["P@2147483647", "AP(rel=2147483647)", "nDCG(gains={1:3})@10", "SetF(beta=0.5)"])) == 4


def test_a_measure_that_nothing_here_computes_is_told() -> None:
    with pytest.raises(SettingError, match=r"no installed provider of ir-measures computes RR\(judged_only=True\)@10"):
        parse_measures(["RR(judged_only=True)@10"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ndcg@10", "nDCG@10"),
        ("recall@100", "R@100"),
        ("recall_100", "R@100"),
        ("ndcg_cut_10", "nDCG@10"),
        ("map", "AP"),
        ("mrr@10", "RR@10"),
        ("precision@5", "P@5"),
        ("hits@10", "Success@10"),
        ("hit-rate@10", "Success@10"),
        ("nDGC@10", "nDCG@10"),
    ],
)
def test_a_measure_under_another_name_or_misspelt_is_suggested(written: str, meant: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_measures([written])
    assert f"did you mean {meant}" in str(caught.value)
    assert [str(measure) for measure in parse_measures([meant])] == [meant]


def test_grades_below_minus_one_count_as_trec_evals_minus_one() -> None:
    """As TREC's -2 for spam; handed to trec_eval as they are they end the process, once there are some of them."""
    queries = [f"q{i}" for i in range(20)]
    runs = [(q, [f"d{i}" for i in range(60)], [float(60 - i) for i in range(60)]) for q in queries]
    found = []
    for grade in (-1, -2, -100):
        qrels = {q: {f"d{i}": grade, **({f"d{i + 20}": 1} if i >= 10 else {})} for i, q in enumerate(queries)}
        found.append(means(per_query(parse_measures(["nDCG@10", "AP@100", "R@100", "Bpref"]), qrels, runs)))
    assert found[0] == found[1] == found[2]
    assert found[0]["R@100"] == 0.5
