"""What a reader must know of a row's scores and the means do not show: unanswered queries, ties that decide, nothing
relevant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from ir_measures.measures import Measure

from harness.data.measures import Ranking, means, per_query, seen
from harness.data.queries import Qrels

VISIBLE = 0.001
"""A note is made if the order of equal scores can move the mean by this much or more."""


def caveats(measures: Sequence[Measure], qrels: Qrels, run: Iterable[Ranking]) -> list[str]:
    """Notes on a run, for its record.

    Args:
        measures: from `harness.data.measures.parse_measures`; ties are looked at by the first.
        qrels: judgements of the split.
        run: rankings in the documented order.
    """
    ranked = {query: (documents, scores) for query, documents, scores in run if query in qrels and documents}
    notes = []
    if lost := len(qrels) - len(ranked):
        notes.append(f"{lost:,} of {len(qrels):,} queries are unanswered: they count 0")
    if ranked and not any(qrels[query].get(d, 0) > 0 for query, (documents, _) in ranked.items() for d in documents):
        notes.append("no ranking has a relevant document: are the rankings of this collection?")
    return [*notes, *_ties(measures[0], qrels, ranked)]


def by_relevance(
    documents: Sequence[str],
    scores: Sequence[float],
    grades: Mapping[str, int],
    *,
    best: bool,
    depth: int | None = None,
) -> list[str]:
    """A ranking in which equal scores have the more relevant first, or last; the order is otherwise kept.

    Args:
        documents: best first.
        scores: theirs.
        grades: document → grade, 0 for all others.
        best: whether the more relevant come first.
        depth: tied groups that begin below it are left out; None keeps all.
    """
    sign, found = -1 if best else 1, list[str]()
    for _, group in groupby(zip(documents, scores, strict=True), key=lambda pair: pair[1]):
        if depth is not None and len(found) >= depth:
            break
        found += sorted((document for document, _ in group), key=lambda d: sign * grades.get(d, 0))
    return found


def _ties(measure: Measure, qrels: Qrels, ranked: Mapping[str, tuple[list[str], list[float]]]) -> list[str]:
    depth = seen([measure])
    worst: dict[str, list[str]] = {}
    best: dict[str, list[str]] = {}
    for query, (documents, scores) in ranked.items():
        worst[query] = by_relevance(documents, scores, qrels[query], best=False, depth=depth)
        best[query] = by_relevance(documents, scores, qrels[query], best=True, depth=depth)
    tied = [query for query in ranked if worst[query][:depth] != best[query][:depth]]
    if not tied:
        return []
    low, high = (_mean(measure, qrels, order) for order in (worst, best))
    if high - low < VISIBLE:
        return []
    between = f"{measure} is between {low:.4f} and {high:.4f} by their order"
    return [
        f"equal scores decide in {len(tied):,} of {len(qrels):,} queries: {between} (ties go by document id, "
        f"descending)"
    ]


def _mean(measure: Measure, qrels: Qrels, order: Mapping[str, list[str]]) -> float:
    return means(per_query([measure], qrels, ((query, documents, []) for query, documents in order.items())))[
        str(measure)
    ]
