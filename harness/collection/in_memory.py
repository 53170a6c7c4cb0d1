"""Collections that another library hands over in memory: a corpus kept by its content, and splits made one dataset.

A library's names and revisions do not say what its documents are (a local copy has the name of the original), so the
documents are read and hashed each time; they are written once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.base.errors import DatasetError
from harness.cache.code import code_of
from harness.collection.files import split_name
from harness.collection.splits import Parts, build_dataset
from harness.data.corpus import Corpus
from harness.data.corpus_file import revision_of, write_corpus
from harness.data.dataset import Dataset
from harness.data.documents import Document
from harness.data.ids import Trim
from harness.data.queries import Qrels, Queries
from harness.runtime.context import Context

LEARNT_FROM = ("train", "dev")
"""Splits that a `TrainView` may hold."""


@dataclass(frozen=True)
class Split:
    """Queries and judgements of one split, as a library gives them: id → text, and query → document → grade."""

    queries: Mapping[str, str]
    qrels: Qrels


def cached_corpus(name: str, documents: Callable[[], Iterable[Document]], context: Context) -> Corpus:
    """The documents, memory-mapped; written to the cache the first time this content is seen.

    Args:
        name: what to call the collection in the cache's list and in messages.
        documents: gives all of them, in the same order each time it is called.
        context: its cache.

    Raises:
        DatasetError: no document, an id twice, or a text that is not Unicode.
    """
    revision = revision_of(documents())
    key = hashlib.sha256(f"content:{code_of('harness.data.corpus_file')}:{revision}".encode()).hexdigest()[:32]

    def build(part: Path) -> None:
        write_corpus(part / "corpus.arrow", documents(), name)

    place = context.cache.folder("corpora", key, {"collection": name}, build)
    corpus = Corpus.open(place / "corpus.arrow")
    context.ledger.count("documents", len(corpus))
    return corpus


def dataset_of(
    name: str,
    corpus: Corpus,
    splits: Mapping[str, Split],
    reported: str,
    *,
    own: bool | None = None,
    licence: str = "",
    notes: tuple[str, ...] = (),
    changed: Mapping[str, Trim] | None = None,
) -> Dataset:
    """A dataset that reports on one of the splits; of the others train and dev go to its `TrainView`.

    A judged query without text is left out, and so is one to learn from whose relevant documents are all in another
    corpus: some libraries have a corpus for each split. Where a query to learn from has the id of another one with
    another text, the name of its split is put before its id.

    Args:
        name: full name without the split.
        corpus: the documents of the reported split.
        splits: by the library's names; `validation` is `dev` here.
        reported: one of those names.
        own: whether a query is removed from the ranking that it would itself head: True and False always and never,
            where the library has such a rule; None takes ours (`harness.collection.self_retrieval`).
        licence: where known.
        notes: of the source.
        changed: what was read → what the rule for ids changed in it.

    Raises:
        DatasetError: no query of the reported split has a judgement.
    """
    held: dict[str, Split] = {split_name(reported): _judged(splits[reported])}
    if not held[split_name(reported)].qrels:
        raise DatasetError(f"{name}: no query of split {reported!r} has text and a judgement; report on another split.")
    told = list(notes)
    if lost := len(_with_judgements(splits[reported].qrels)) - len(held[split_name(reported)].qrels):
        told.append(f"{lost} judged queries have no text: left out")
    for split, there in splits.items():
        known = split_name(split)
        if known in LEARNT_FROM and known not in held:
            judged = _judged(there)
            reachable = _reachable(judged.qrels, corpus)
            if elsewhere := len(judged.qrels) - len(reachable):
                told.append(f"{elsewhere} queries of {known} are about other documents: left out of {known}")
            if reachable:
                held[known] = Split(judged.queries, reachable)
    queries: dict[str, str] = {}
    qrels: dict[str, Qrels] = {}
    for split, there in held.items():
        ids = {
            query: query if queries.get(query, text) == text else f"{split}/{query}"
            for query, text in there.queries.items()
        }
        queries.update({ids[query]: there.queries[query] for query in there.qrels})
        qrels[split] = {ids[query]: grades for query, grades in there.qrels.items()}
    readers = {split: partial(_given, judged) for split, judged in qrels.items()}
    texts = Queries(list(queries), list(queries.values()))
    return build_dataset(Parts(name, corpus, texts, readers, licence, tuple(told), own, changed or {}), reported)


def grades_of(relevant: Mapping[Any, Mapping[Any, Any]], trim: Trim) -> dict[str, dict[str, int]]:
    """Judgements as a library gives them, by the rule for ids; of a pair that the rule makes of two, the highest
    grade.
    """
    qrels: dict[str, dict[str, int]] = {}
    for query, judged in relevant.items():
        grades = qrels.setdefault(trim(str(query)), {})
        for document, grade in judged.items():
            name = trim(str(document))
            grades[name] = max(int(grade), grades.get(name, int(grade)))
    return qrels


def _given(qrels: Qrels) -> Qrels:
    return qrels


def _with_judgements(qrels: Qrels) -> Qrels:
    return {query: grades for query, grades in qrels.items() if grades}


def _judged(split: Split) -> Split:
    """The queries that have both text and a judgement."""
    qrels = {query: grades for query, grades in _with_judgements(split.qrels).items() if query in split.queries}
    return Split({query: split.queries[query] for query in qrels}, qrels)


def _reachable(qrels: Qrels, corpus: Corpus) -> Qrels:
    """The queries of which the corpus has a relevant document, and those that have none anywhere."""
    pairs = [(query, document) for query, grades in qrels.items() for document, grade in grades.items() if grade > 0]
    rows = corpus.rows([document for _, document in pairs]) if pairs else ()
    found = {query for (query, _), row in zip(pairs, rows, strict=True) if row >= 0}
    answered = {query for query, _ in pairs}
    return {query: grades for query, grades in qrels.items() if query in found or query not in answered}
