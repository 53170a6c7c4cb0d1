"""Unjudged documents: how many a ranking shows, and what a measure would be if all of them were relevant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ir_measures.measures import Measure

from harness.data.measures import Ranking, means, per_query
from harness.data.queries import Qrels

DEEPEST = 100
"""Cutoff up to which it is reported: hardly anything is judged further down."""


def unjudged(measures: Sequence[Measure], qrels: Qrels, run: Iterable[Ranking]) -> dict[str, dict[str, float]]:
    """Measure → `judged`, the share of the documents within its cutoff that are judged, and `all_relevant`, the upper
    bound.

    A measure as reported takes every unjudged document for not relevant, which is its lower bound over what this
    ranking shows; after the residuals of Moffat and Zobel (2008). Measures without a cutoff are left out.

    Args:
        measures: from `harness.data.measures.parse_measures`.
        qrels: judgements of the split.
        run: rankings.
    """
    ranked = {query: documents for query, documents, _ in run if query in qrels}
    found: dict[str, dict[str, Any]] = {}
    for measure in measures:
        cutoff = int(measure.params.get("cutoff", 0))
        if not 0 < cutoff <= DEEPEST:
            continue
        heads = {query: documents[:cutoff] for query, documents in ranked.items()}
        shown = sum(map(len, heads.values()))
        judged = sum(document in qrels[query] for query, head in heads.items() for document in head)
        upper = means(
            per_query([measure], all_relevant(qrels, heads), ((q, documents, []) for q, documents in ranked.items()))
        )
        found[str(measure)] = {
            "judged": round(judged / shown, 6) if shown else 0.0,
            "all_relevant": round(upper[str(measure)], 6),
        }
    return found


def all_relevant(qrels: Qrels, heads: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
    """The judgements with every unjudged document of these rankings as relevant as the query's best."""
    return {
        query: {
            **dict.fromkeys((d for d in heads.get(query, ()) if d not in grades), max(1, *grades.values(), 1)),
            **grades,
        }
        for query, grades in qrels.items()
    }
