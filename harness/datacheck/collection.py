"""What is wrong with a collection: reads all of it, goes on after every fault, and counts.

The files of a collection are read raw, so that all faults are listed, of which a loader would report only the first; a
collection without files is checked as it is loaded.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from harness.collection.files import CORPUS, EXPECTED, QUERIES, file_of, qrels_of, queries_of, query_rows
from harness.collection.jsonl import read_documents
from harness.collection.offer import offer
from harness.collection.qrels import read_qrels
from harness.collection.self_retrieval import ALWAYS, declared, is_self, normal_text
from harness.collection.variant import split_variant
from harness.data.documents import Document
from harness.data.ids import Trim, unfit
from harness.data.lines import Fault
from harness.data.queries import Qrels
from harness.datacheck.documents import CorpusCheck
from harness.datacheck.findings import EXAMPLES, Findings, Report
from harness.datacheck.shared import shared_documents
from harness.datasets import SOURCES, load_dataset, split_name
from harness.leaks.overlap import overlaps
from harness.runtime.context import Context


def check(name: str, context: Context) -> Report:
    """Checks all splits of a collection.

    Args:
        name: as for `load_dataset`; a split in it is ignored.
        context: its data folders, cache and progress.

    Raises:
        UnknownName: no such source or collection.
        Unavailable: not on this machine, and it cannot be downloaded.
    """
    source, rest = split_name(name, context)
    folder = SOURCES.get(source)().folder(rest, context)
    checker = _Checker(name)
    if folder is None:
        checker.loaded(context)
    else:
        checker.files(folder, context)
    return Report(name, checker.findings.closed(), checker.counts)


@dataclass
class _Checker:
    """Queries and judgements first, since there are fewer; then the documents, one pass."""

    name: str
    findings: Findings = field(default_factory=Findings)
    counts: dict[str, int | float] = field(default_factory=dict)

    def files(self, folder: Path, context: Context) -> None:
        corpus, queries = file_of(folder, CORPUS), queries_of(folder, self._fault)
        splits = qrels_of(folder, self._fault)
        for part, path in ((CORPUS, corpus), (QUERIES, queries), ("qrels/<split>.tsv", splits)):
            if not path:
                message = f"{folder} has no {part}; a collection has {EXPECTED}.{offer(folder)}"
                self.findings.add("error", "missing-file", message, part)
        if splits and "test" not in splits:
            message = "no test split: a run must name the split it reports on, as folder/…/dev."
            self.findings.add("warning", "no-test-split", message, ", ".join(sorted(splits)))
        trims = {path.name: Trim() for path in (corpus, queries, *splits.values()) if path}
        texts: dict[str, str] = {}
        if queries:
            texts = {query: text for _, query, text in query_rows(queries, self._fault, trims[queries.name])}
        qrels = {split: read_qrels(path, self._fault, trims[path.name]) for split, path in splits.items()}
        if corpus:
            with context.progress("check corpus", corpus.stat().st_size, "bytes") as advance:
                documents = read_documents(corpus, self._fault, advance, context.memory, trims[corpus.name])
                self._all(documents, texts, qrels, self._rule(folder), whole=bool(queries))
        else:
            self._queries(texts, qrels, whole=bool(queries))
        shared_documents(self.findings, qrels, texts, context)
        message = "white space around ids is removed when they are read."
        for name, trim in trims.items():
            for note in trim.notes(name):
                self.findings.add("note", "trimmed-ids", message, note, trim.count)

    def loaded(self, context: Context) -> None:
        dataset = load_dataset(split_variant(self.name)[0], context)  # folds are no split of the collection
        view = dataset.train
        every = {"train": view.train, "dev": view.dev, dataset.name.rpartition("/")[2]: dataset.test}
        splits = {name: split for name, split in every.items() if split}
        texts: dict[str, str] = {}
        for split in splits.values():
            texts |= zip(split.queries.ids, split.queries.texts, strict=True)
        documents = itertools.chain.from_iterable(dataset.corpus.batches())
        qrels = {name: split.qrels for name, split in splits.items()}
        dropped: frozenset[str] = frozenset().union(*(split.drop_self for split in splits.values()))
        self._all(enumerate(documents, 1), texts, qrels, lambda _, document: document.id in dropped, whole=True)
        shared_documents(self.findings, qrels, texts, context)

    def _rule(self, folder: Path) -> Callable[[str, Document], bool]:
        """Whether the document that has a query's id is left out of its ranking, by query and document."""
        said = declared(folder)
        if said is not None:
            left_out = bool(said)
            return lambda query, document: left_out
        name = next((c for c in ALWAYS if f"{self.name}/".startswith(f"{c}/")), self.name)
        return lambda query, document: is_self(name, query, document)

    def _fault(self, fault: Fault) -> None:
        self.findings.add(
            "error", fault.code, "lines that cannot be read, or contradict another; correct them.", str(fault)
        )

    def _all(
        self,
        documents: Iterable[tuple[int, Document]],
        texts: Mapping[str, str],
        qrels: Mapping[str, Qrels],
        own: Callable[[str, Document], bool],
        *,
        whole: bool,
    ) -> None:
        self._queries(texts, qrels, whole=whole)
        judged: set[str] = set()
        for by_query in qrels.values():
            judged.update(*by_query.values())
        corpus = CorpusCheck(own, self.findings, texts, judged)
        corpus.read(documents)
        sizes = {"documents": corpus.count, "mean words of a document": corpus.words / max(1, corpus.count)}
        self.counts = {**sizes, **self.counts}
        for split, by_query in qrels.items():
            self.counts[f"{split}: unreachable"] = self._unreachable(split, by_query, corpus.missing)
        message = "judged documents are not in the corpus; those judged 0 do no harm."
        for document in sorted(corpus.missing):
            self.findings.add("note", "judged-not-in-corpus", message, repr(document))

    def _unreachable(self, split: str, qrels: Qrels, missing: Set[str]) -> int:
        """Adds the relevant documents that are missing; how many."""
        message = "judged relevant, but not in the corpus: no method can find it, and it caps recall."
        count = 0
        for query, grades in qrels.items():
            for document in (d for d, grade in grades.items() if grade > 0 and d in missing):
                self.findings.add("warning", "unreachable", message, f"{split}: query {query!r}, document {document!r}")
                count += 1
        if count and count == sum(grade > 0 for grades in qrels.values() for grade in grades.values()):
            message = "no relevant document of a split is in the corpus: every score would be 0."
            self.findings.add("error", "none-reachable", message, split)
        return count

    def _queries(self, texts: Mapping[str, str], qrels: Mapping[str, Qrels], *, whole: bool) -> None:
        """`whole`: whether the texts were read at all; if not, there is a finding on that already."""
        self.counts |= {"queries": len(texts), "mean words of a query": _mean([len(t.split()) for t in texts.values()])}
        if whole and not texts:
            self.findings.add("error", "no-queries", "there is no query.")
        for query, text in texts.items():
            if not text.strip():
                message = "queries without text retrieve nothing; add their text."
                self.findings.add("warning", "empty-query", message, repr(query))
            if why := unfit(query):
                message = "ids that a TREC run or qrels file cannot hold; rename them."
                self.findings.add("error", "white-space-in-id", message, f"query {query!r} {why}")
        unjudged = len(texts.keys() - {query for judged in qrels.values() for query in judged})
        if unjudged and qrels:
            message = "queries have no judgements in any split: they are not evaluated."
            self.findings.add("note", "unjudged-queries", message, count=unjudged)
        for split, judged in qrels.items():
            self._split(split, judged, texts, whole=whole)
        for first, second in (("train", "dev"), ("train", "test"), ("dev", "test")):
            if first in qrels and second in qrels:
                self._overlap(first, second, qrels, texts)

    def _split(self, split: str, judged: Qrels, texts: Mapping[str, str], *, whole: bool) -> None:
        if not judged:
            self.findings.add("error", "no-judgements", "a split without a judgement.", split)
        positives = {query: sum(grade > 0 for grade in grades.values()) for query, grades in judged.items()}
        self.counts |= {
            f"{split}: queries": len(judged),
            f"{split}: judgements": sum(map(len, judged.values())),
            f"{split}: mean relevant a query": _mean(positives.values()),
        }
        if judged and not any(positives.values()):
            message = "a split without a judgement above 0: every score would be 0; is the column of grades right?"
            self.findings.add("error", "no-relevant", message, split)
        for query, grades in judged.items():
            example = f"{split}: {query!r}"
            if whole and query not in texts:
                message = "judged queries have no text in queries.jsonl; add them or delete their judgements."
                self.findings.add("error", "judged-without-text", message, example)
            if not positives[query]:
                message = "queries without a relevant document count 0 for every method; leave them out of the qrels."
                self.findings.add("warning", "no-positive", message, example)
            if any(grade < 0 for grade in grades.values()):
                self.findings.add("note", "negative-grade", "grades below 0 count as not relevant.", example)
        same = Counter(normal_text(texts[query]) for query in judged if query in texts)
        for text, count in same.items():
            if count > 1 and text:
                message = "queries of one split have the same text, and weigh more than once in the mean."
                example = f"{split}: {text[:80]!r} ({count} times)"
                self.findings.add("warning", "duplicate-query-text", message, example, count - 1)

    def _overlap(self, first: str, second: str, qrels: Mapping[str, Qrels], texts: Mapping[str, str]) -> None:
        ids = qrels[first].keys() & qrels[second].keys()
        if ids:
            message = "queries are in two splits; the loader removes them from the one for training or tuning."
            examples = ", ".join(map(repr, sorted(ids)[:EXAMPLES]))
            self.findings.add("warning", "split-overlap", message, f"{first} and {second}: {examples}", len(ids))
        by_text = {normal_text(texts[q]): q for q in qrels[first] if q in texts and q not in ids}
        for query in qrels[second]:
            text = normal_text(texts.get(query, ""))
            if text and query not in ids and text in by_text:
                message = "the same text under two ids in two splits: test queries are trained on; delete one of them."
                example = f"{first} {by_text[text]!r} and {second} {query!r}"
                self.findings.add("warning", "split-overlap-text", message, example)
        ours = [q for q in qrels[second] if q not in ids and q in texts and normal_text(texts[q]) not in by_text]
        theirs = list(by_text.values())
        message = (
            "queries of two splits differ in a word or two: near copies of test queries are trained on; trained rows "
            "are reported with and without them."
        )
        for near in overlaps([texts[q] for q in ours], [texts[q] for q in theirs]):
            pair = f"{first} {theirs[near.there]!r} and {second} {ours[near.here]!r} ({near.similarity:.2f} alike)"
            self.findings.add("warning", "split-overlap-near", message, pair)


def _mean(values: Collection[float]) -> float:
    return sum(values) / len(values) if values else 0.0
