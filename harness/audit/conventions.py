"""A metric audit: what a row's score depends on, and what it would be by other conventions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
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
        queries: number of judged queries.
        unanswered: judged queries without a retrieved document; they count 0.
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
    perfect = {query: _perfect(grades, known) for query, grades in qrels.items()}
    heads = {query: documents[:cutoff] for query, documents in ranked.items()}
    shown = sum(map(len, heads.values()))
    judged = sum(len(qrels[query].keys() & set(head)) for query, head in heads.items())
    lost = sum(sum(grade > 0 and d not in known for d, grade in grades.items()) for grades in qrels.values())
    return RunAudit(
        measure=str(measure),
        value=value,
        queries=len(qrels),
        unanswered=sum(not documents for documents in ranked.values()),
        tied=tied,
        worst_ties=_mean(measure, qrels, orders[False]),
        best_ties=_mean(measure, qrels, orders[True]),
        judged=judged / shown if shown else 0.0,
        lost=lost,
        ceiling=_mean(measure, qrels, perfect),
        conventions=_conventions(measure, qrels, ranked, cutoff),
    )


def _perfect(grades: Mapping[str, int], corpus: Set[str]) -> list[str]:
    """The judged documents of the corpus, the most relevant first."""
    return sorted((document for document in grades if document in corpus), key=lambda document: -grades[document])


def _conventions(measure: Measure, qrels: Qrels, ranked: Mapping[str, list[str]], cutoff: int) -> dict[str, float]:
    answered = {query: grades for query, grades in qrels.items() if ranked[query]}
    binary, condensed = {}, {}
    for query, grades in qrels.items():
        binary[query] = {document: int(grade > 0) for document, grade in grades.items()}
        condensed[query] = [document for document in ranked[query] if document in grades]
    heads = {query: documents[:cutoff] for query, documents in ranked.items()}
    values = {}
    if answered:
        values["mean over answered queries only (BEIR, MTEB)"] = _mean(measure, answered, ranked)
    values["any grade above 0 counts 1 (sentence-transformers)"] = _mean(measure, binary, ranked)
    if measure.NAME == "nDCG":
        exponential = ir_measures.nDCG(dcg="exp-log2") @ cutoff
        values["gain 2^grade - 1 in place of the grade"] = _mean(exponential, qrels, ranked)
    values["unjudged documents left out of the ranking"] = _mean(measure, qrels, condensed)
    values["unjudged documents within the cutoff all relevant"] = _mean(measure, all_relevant(qrels, heads), ranked)
    return values


def _mean(measure: Measure, qrels: Qrels, ranked: Mapping[str, Sequence[str]]) -> float:
    rankings: list[Ranking] = [(query, list(ranked[query]), []) for query in qrels]
    return means(per_query([measure], qrels, rankings))[str(measure)]
