"""A metric audit: what a row's score depends on, and what it would be by other conventions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ir_measures
from ir_measures.measures import Measure

from harness.bench.caveats import by_relevance
from harness.bench.unjudged import all_relevant
from harness.data.measures import Ranking, means, per_query
from harness.data.queries import Qrels

Rankings = Mapping[str, Mapping[str, float]]
"""Query id → document id → score, best first."""


@dataclass(frozen=True)
class RunAudit:
    """The audit of one run.

    Args:
        measure: that is audited.
        value: the mean as reported.
        queries: judged queries.
        unanswered: judged queries without a document; they count 0.
        tied: queries with equal scores whose order could change the measure.
        worst_ties: the mean with the less relevant first among equal scores.
        best_ties: the mean with the more relevant first.
        judged: share of the documents within the cutoff that are judged.
        lost: relevant judgements of documents outside the corpus.
        ceiling: the mean of a perfect ranking of what is in the corpus.
        conventions: other convention → the mean.
    """

    measure: str
    value: float
    queries: int
    unanswered: int
    tied: int
    worst_ties: float
    best_ties: float
    judged: float
    lost: int
    ceiling: float
    conventions: Mapping[str, float]


def audit(measure: Measure, qrels: Qrels, run: Rankings, corpus: Iterable[str]) -> RunAudit:
    """Audits a run.

    Args:
        measure: of ir-measures, with a cutoff or without.
        qrels: of the split.
        run: rankings as they were reported, each in its order.
        corpus: ids of all documents.
    """
    cutoff = int(measure.params.get("cutoff", 0)) or max((len(r) for r in run.values()), default=1)
    ranked = {query: list(run.get(query, {})) for query in qrels}
    value = _mean(measure, qrels, ranked)
    orders: dict[bool, dict[str, list[str]]] = {True: {}, False: {}}
    tied = 0
    for query, documents in ranked.items():
        scores, grades = run.get(query, {}), qrels[query]
        for best in (True, False):
            orders[best][query] = by_relevance(documents, [scores[d] for d in documents], grades, best=best)
        tied += orders[True][query][:cutoff] != orders[False][query][:cutoff]
    known = set(corpus)
    inside = {q: {d: g for d, g in grades.items() if d in known} for q, grades in qrels.items()}
    perfect = {q: [d for d, _ in sorted(grades.items(), key=lambda item: -item[1])] for q, grades in inside.items()}
    heads = [(qrels[q], documents[:cutoff]) for q, documents in ranked.items()]
    shown = sum(len(head) for _, head in heads)
    return RunAudit(
        measure=str(measure),
        value=value,
        queries=len(qrels),
        unanswered=sum(not documents for documents in ranked.values()),
        tied=tied,
        worst_ties=_mean(measure, qrels, orders[False]),
        best_ties=_mean(measure, qrels, orders[True]),
        judged=sum(d in grades for grades, head in heads for d in head) / shown if shown else 0.0,
        lost=sum(grade > 0 and d not in known for grades in qrels.values() for d, grade in grades.items()),
        ceiling=_mean(measure, qrels, perfect),
        conventions=_conventions(measure, qrels, ranked, cutoff),
    )


def _conventions(measure: Measure, qrels: Qrels, ranked: Mapping[str, list[str]], cutoff: int) -> dict[str, float]:
    answered = {q: grades for q, grades in qrels.items() if ranked[q]}
    found = {}
    if answered:
        found["mean over answered queries alone (BEIR, MTEB)"] = _mean(measure, answered, ranked)
    found["any grade above 0 counts 1 (sentence-transformers)"] = _mean(
        measure, {q: {d: int(g > 0) for d, g in grades.items()} for q, grades in qrels.items()}, ranked
    )
    if measure.NAME == "nDCG":
        found["gain 2^grade - 1 in place of the grade"] = _mean(
            ir_measures.nDCG(dcg="exp-log2") @ cutoff, qrels, ranked
        )
    condensed = {q: [d for d in documents if d in qrels[q]] for q, documents in ranked.items()}
    found["unjudged documents left out of the ranking"] = _mean(measure, qrels, condensed)
    heads = {q: documents[:cutoff] for q, documents in ranked.items()}
    found["unjudged documents within the cutoff all relevant"] = _mean(measure, all_relevant(qrels, heads), ranked)
    return found


def _mean(measure: Measure, qrels: Qrels, ranked: Mapping[str, Sequence[str]]) -> float:
    rankings: list[Ranking] = [(query, list(ranked[query]), []) for query in qrels]
    return means(per_query([measure], qrels, rankings))[str(measure)]
