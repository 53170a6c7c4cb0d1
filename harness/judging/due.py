"""Which pairs are judged next: documents that rows rank high and nobody has judged, from the runs on the board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from harness.bench.store import Store
from harness.collection.labels import Label
from harness.data.trec import read_run
from harness.runtime.context import Context

Pair = tuple[str, str]
"""Query id, document id."""
Ranking = Mapping[str, Sequence[str]]
"""Query id → document ids, best first."""
SMOOTH = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009), by which documents are ordered."""


def board_rankings(results: Path, dataset: str, depth: int) -> dict[str, Ranking]:
    """Row → its stored ranking, of the first seed.

    Args:
        results: folder of the records.
        dataset: full name; runs of earlier judgements count too.
        depth: documents of each query.
    """
    found: dict[str, Ranking] = {}
    stored, _ = Store(results).stored()
    for each in stored:
        record = each.record
        usable = record.dataset["name"] == dataset and record.status == "ok" and each.place.run.is_file()
        if usable and record.row not in found:
            run = read_run(each.place.run)
            found[record.row] = {query: list(islice(ranked, depth)) for query, ranked in run.items()}
    return found


def pooled_pairs(rankings: Iterable[Ranking], queries: Iterable[str]) -> list[Pair]:
    """All pairs of the rankings, the next to judge first: documents that many rows rank high, over all queries.

    Source: move-to-front and its kin (Cormack et al. 1998; Losada et al. 2016) judge where relevant documents are
    likely. Here the sum of 1 / (60 + rank) over the rows says where: it does not depend on labels, so that the order is
    the same before and after a kill.
    """
    known = set(queries)
    weight: dict[Pair, float] = defaultdict(float)
    for ranking in rankings:
        for query, documents in ranking.items():
            if query in known:
                for rank, document in enumerate(documents, start=1):
                    weight[query, document] += 1 / (SMOOTH + rank)
    return sorted(weight, key=lambda pair: (-weight[pair], pair))


def holes(pairs: Iterable[Pair], labels: Iterable[Label]) -> list[Pair]:
    """The pairs that nobody has judged, in their order."""
    judged = {(label.query, label.document) for label in labels}
    return [pair for pair in pairs if pair not in judged]


def for_a_person(pairs: Iterable[Pair], labels: Iterable[Label], person: str, context: Context) -> list[Pair]:
    """The pairs that a person has not judged: whole queries in a random order, the same for all, and the documents of
    each in a random order of this person's.

    People's labels correct the machines' if the queries that they judge are a random sample, and complete: the order of
    the queries depends on the seed only, and each is finished before the next begins.

    Args:
        pairs: the pool; pairs that machines judged are added to it.
        labels: all so far.
        person: who judges.
        context: its seed decides the orders.
    """
    labels = list(labels)
    own = {(label.query, label.document) for label in labels if label.judge == person}
    machine = [(label.query, label.document) for label in labels if label.kind == "machine"]
    by_query: dict[str, set[str]] = {}
    for query, document in (*machine, *pairs):
        by_query.setdefault(query, set()).add(document)
    ordered: list[Pair] = []
    for query in _shuffled(sorted(by_query), "queries for people", context):
        documents = _shuffled(sorted(by_query[query]), f"documents of {query} for {person}", context)
        ordered += [(query, document) for document in documents if (query, document) not in own]
    return ordered


def _shuffled(items: list[str], purpose: str, context: Context) -> list[str]:
    return [items[place] for place in context.rng(f"judge {purpose}").permutation(len(items)).tolist()]
