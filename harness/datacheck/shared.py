"""What the queries of a collection share: relevant documents with training, and the groups that folds are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.collection.groups import document_groups
from harness.data.queries import Labelled, Qrels, Queries
from harness.datacheck.findings import Findings
from harness.runtime.context import Context

LEARNT_FROM = ("train", "dev")
MANY = 0.1
"""Share of a split that has a relevant document in train or dev, from which folds are suggested."""
FEW = 200
"""Queries of a split below which folds are suggested: they detect only large differences."""
LEAST = 10
"""Labelled queries below which nothing is said: there are no folds of so few."""
FOLDS = 5


def shared_documents(
    findings: Findings, qrels: Mapping[str, Qrels], texts: Mapping[str, str], context: Context
) -> None:
    """Adds a finding for each reported split: how many of its queries share a relevant document with train or dev, how
    many groups of queries there are, and whether folds would help.

    Args:
        findings: adds to these.
        qrels: split → judgements.
        texts: query → text.
        context: its cache.
    """
    learnt = {q: grades for split in LEARNT_FROM for q, grades in qrels.get(split, {}).items()}
    known = {document for grades in learnt.values() for document in _relevant(grades)}
    for split, judged in qrels.items():
        own = {query: grades for query, grades in judged.items() if query not in learnt}
        if split in LEARNT_FROM or len(pool := learnt or own) < LEAST or not own:
            continue
        shared = sum(not known.isdisjoint(_relevant(grades)) for grades in own.values())
        high = shared >= MANY * len(own)
        groups = _groups(pool, texts, context)
        whose = "of train and dev" if learnt else f"of {split}"
        sentence = f"the {len(pool):,} queries {whose} are in {groups}"
        if learnt:
            overlap = f"{shared:,} of the {len(own):,} queries of {split} ({shared / len(own):.0%}) share a relevant "
            sentence = f"{overlap}document with train or dev; {sentence}"
        if high or len(own) < FEW or not learnt:
            sentence += f"; with --folds {FOLDS} each of these is ranked by a system that saw none of its documents"
        message = "queries that share a relevant document with training: a trained row can look their answers up."
        findings.add("warning" if high else "note", "shared-documents", message, sentence, shared)


def _groups(pool: Qrels, texts: Mapping[str, str], context: Context) -> str:
    queries = Queries(list(pool), [texts.get(query, "") for query in pool])
    groups = document_groups(Labelled(queries, pool), context)
    return f"{len(groups):,} groups that share none, the largest of {max(map(len, groups)):,}"


def _relevant(grades: Mapping[str, int]) -> Iterator[str]:
    return (document for document, grade in grades.items() if grade > 0)
