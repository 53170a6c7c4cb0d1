"""A dataset from documents, queries and judgements in memory, as another library or your own source gives them.

`cached_corpus` writes the documents to the cache by their content, `dataset_of` joins corpus and splits to a `Dataset`.
The names and revisions of a library do not identify its documents (a local copy has the name of the original), so they
are read and hashed on each call, and written once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """The documents, memory-mapped; written to the cache if it does not have them yet.

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
    notes: Sequence[str] = (),
    changed: Mapping[str, Trim] | None = None,
) -> Dataset:
    """A dataset that reports on one of the splits; of the others train and dev go to its `TrainView`.

    Left out are judged queries without text, and train and dev queries whose relevant documents are all in another
    corpus (some libraries have a corpus for each split). If a train or dev query has the id of another query with
    another text, the name of its split is put before its id.

    Args:
        name: full name without the split.
        corpus: the documents of the reported split.
        splits: by the library's names; `validation` is `dev` here.
        reported: one of those names.
        own: whether the document with a query's id is removed from its ranking: always (True) or never (False), if the
            library has such a rule; None applies the rule of `harness.collection.self_retrieval`.
        licence: where known.
        notes: of the source.
        changed: what was read → the ids changed in it by the rule in `harness.data.ids`.

    Raises:
        DatasetError: no query of the reported split has a judgement.
    """
    test, notes = _judged(splits[reported]), list(notes)
    if not test.qrels:
        raise DatasetError(f"{name}: no query of split {reported!r} has text and a judgement; report on another split.")
    if lost := len(_with_judgements(splits[reported].qrels)) - len(test.qrels):
        notes.append(f"{lost} judged queries have no text: left out")
    chosen = {split_name(reported): test, **_learnt_from(splits, split_name(reported), corpus, notes)}
    texts, qrels = _joined(chosen)
    readers = {split: partial(_unchanged, judged) for split, judged in qrels.items()}
    queries = Queries(list(texts), list(texts.values()))
    return build_dataset(Parts(name, corpus, queries, readers, licence, tuple(notes), own, changed or {}), reported)


def _learnt_from(splits: Mapping[str, Split], reported: str, corpus: Corpus, notes: list[str]) -> dict[str, Split]:
    """The train and dev splits besides the reported one, as far as they are about this corpus; adds notes."""
    chosen: dict[str, Split] = {}
    for name, split in splits.items():
        known = split_name(name)
        if known not in LEARNT_FROM or known == reported or known in chosen:
            continue
        judged = _judged(split)
        reachable = _reachable(judged.qrels, corpus)
        if elsewhere := len(judged.qrels) - len(reachable):
            notes.append(f"{elsewhere} queries of {known} are about other documents: left out of {known}")
        if reachable:
            chosen[known] = Split(judged.queries, reachable)
    return chosen


def _joined(splits: Mapping[str, Split]) -> tuple[dict[str, str], dict[str, Qrels]]:
    """All queries in one mapping, and the judgements per split; an id with two texts gets the name of its split."""
    texts: dict[str, str] = {}
    qrels: dict[str, Qrels] = {}
    for name, split in splits.items():
        ids = {}
        for query, text in split.queries.items():
            ids[query] = query if texts.get(query, text) == text else f"{name}/{query}"
        texts.update({ids[query]: split.queries[query] for query in split.qrels})
        qrels[name] = {ids[query]: grades for query, grades in split.qrels.items()}
    return texts, qrels


def grades_of(relevant: Mapping[Any, Mapping[Any, Any]], trim: Trim) -> dict[str, dict[str, int]]:
    """Judgements of a library with the rule for ids applied; of pairs that become equal, the highest grade."""
    qrels: dict[str, dict[str, int]] = {}
    for query, judged in relevant.items():
        grades = qrels.setdefault(trim(str(query)), {})
        for document, grade in judged.items():
            name = trim(str(document))
            grades[name] = max(int(grade), grades.get(name, int(grade)))
    return qrels


def _unchanged(qrels: Qrels) -> Qrels:
    return qrels


def _with_judgements(qrels: Qrels) -> Qrels:
    return {query: grades for query, grades in qrels.items() if grades}


def _judged(split: Split) -> Split:
    """The queries that have both text and a judgement."""
    qrels = {query: grades for query, grades in _with_judgements(split.qrels).items() if query in split.queries}
    return Split({query: split.queries[query] for query in qrels}, qrels)


def _reachable(qrels: Qrels, corpus: Corpus) -> Qrels:
    """The queries with a relevant document in the corpus, and those without any relevant document."""
    pairs = [(query, document) for query, grades in qrels.items() for document, grade in grades.items() if grade > 0]
    rows = corpus.rows([document for _, document in pairs]) if pairs else ()
    reachable = {query for (query, _), row in zip(pairs, rows, strict=True) if row >= 0}
    with_relevant = {query for query, _ in pairs}
    return {query: grades for query, grades in qrels.items() if query in reachable or query not in with_relevant}
