"""Texts, titles and grades of a record's queries and documents, from the collection. Nothing is downloaded."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.analyzers.english import English
from harness.base.errors import HarnessError
from harness.data.dataset import Dataset
from harness.datasets import at_hand, load_dataset, may_be_passed_on
from harness.runtime.context import Context

LONGEST = 110
"""Characters of a title, or of the text shown for an untitled document."""


@dataclass(frozen=True)
class Words:
    """Texts, titles and grades of a collection.

    Args:
        dataset: the collection.
        texts: query id → text.
        shown: whether texts and titles may be in the page; if not it has ids, grades and slices.
    """

    dataset: Dataset
    texts: Mapping[str, str]
    shown: bool = True

    @functools.cached_property
    def overlap(self) -> Mapping[str, float]:
        """Query id → the greatest share of the query's terms that one of its relevant documents has; stems, without
        stop words. A query without terms or without a relevant document in the corpus is left out.
        """
        return _overlaps(self.dataset, self.texts)

    def titles(self, documents: Iterable[str]) -> dict[str, str]:
        """Document id → its title, or the beginning of its text if it has none; those not in the corpus are left
        out.
        """
        ids, corpus = list(documents), self.dataset.corpus
        rows = corpus.rows(ids) if ids else np.zeros(0, np.int64)
        found = {}
        for document, row in zip(ids, rows.tolist(), strict=True):
            if row >= 0:
                entry = corpus[row]
                found[document] = _short(entry.title.strip() or entry.text)
        return found


RESEARCH_ONLY = (
    "The texts of this collection are not passed on with the page: ids, grades and slices only. "
    "`harness leaderboard --texts`, where the collection is, writes the page with texts for your own use."
)


def words(name: str, revision: str, context: Context, texts: bool = False) -> tuple[Words | None, str]:
    """The texts of a record's collection, or None and the reason, as a sentence.

    Args:
        name: of the dataset.
        revision: of the record; the texts of another revision are not used.
        context: its data folders and cache.
        texts: show texts and titles also of a collection whose texts may not be passed on.
    """
    try:
        if not at_hand(name, context):
            return (
                None,
                "The collection was not on the machine that wrote this page: ids only, no texts, titles or grades.",
            )
        dataset = load_dataset(name, context)
    except HarnessError as error:
        return None, f"The collection could not be read ({error}): ids only, no texts, titles or grades."
    if dataset.revision != revision:
        return (
            None,
            "The local collection is another revision than the records': ids only, no texts, titles or grades.",
        )
    queries = dataset.test.queries
    of_queries = dict(zip(queries.ids, queries.texts, strict=True))
    shown = texts or may_be_passed_on(name, context)
    return Words(dataset, of_queries, shown), "" if shown else RESEARCH_ONLY


def _overlaps(dataset: Dataset, texts: Mapping[str, str]) -> dict[str, float]:
    terms = English()
    relevant = {q: [d for d, grade in dataset.test.qrels.get(q, {}).items() if grade > 0] for q in texts}
    ids = sorted(set().union(*relevant.values()))
    rows = dataset.corpus.rows(ids) if ids else np.zeros(0, np.int64)
    in_corpus = [d for d, row in zip(ids, rows.tolist(), strict=True) if row >= 0]
    stems = [frozenset(terms(text)) for text in dataset.corpus.texts_of(rows[rows >= 0])]
    documents = dict(zip(in_corpus, stems, strict=True))
    found = {}
    for query, text in texts.items():
        wanted = frozenset(terms(text))
        shares = [len(wanted & documents[d]) / len(wanted) for d in relevant[query] if wanted and d in documents]
        if shares:
            found[query] = max(shares)
    return found


def _short(text: str) -> str:
    text = " ".join(text[: 4 * LONGEST].split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
