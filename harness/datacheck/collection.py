"""What is wrong with a collection: reads all of it, goes on after every fault, and counts.

A collection of files is read raw, so that what a loader would refuse at its first line is listed with all others; one
without files is looked at as it is loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.collection.files import CORPUS, EXPECTED, QUERIES, file_of, qrels_of, queries_of, query_rows
from harness.collection.jsonl import read_documents
from harness.collection.qrels import read_qrels
from harness.collection.self_retrieval import ALWAYS, normal_text
from harness.data.documents import Document
from harness.data.ids import Trim, unfit
from harness.data.lines import Fault
from harness.data.queries import Qrels
from harness.datacheck.documents import CorpusCheck
from harness.datacheck.findings import EXAMPLES, Findings, Report
from harness.datasets import SOURCES, load_dataset, split_name
from harness.leaks.overlap import overlaps
from harness.runtime.context import Context


def check(name: str, context: Context) -> Report:
    """Checks all splits of a collection.

    Args:
        name: as for `load_dataset`; a split in it is not minded.
        context: its data folders, cache and progress.

    Raises:
        UnknownName: no such source or collection.
        Unavailable: not on this machine and not to be fetched.
    """
    source, rest = split_name(name, context)
    folder = SOURCES.get(source)().folder(rest, context)
    checker = _Checker(name)
    if folder is None:
        checker.loaded(context)
    else:
        checker.files(folder, context)
    return Report(name, checker.found.closed(), checker.counts)


@dataclass
class _Checker:
    """Queries and judgements first, since there are fewer; then the documents, one pass."""

    name: str
    found: Findings = field(default_factory=Findings)
    counts: dict[str, int | float] = field(default_factory=dict)

    def files(self, folder: Path, context: Context) -> None:
        corpus, queries = file_of(folder, CORPUS), queries_of(folder, self._fault)
        splits = qrels_of(folder, self._fault)
        for part, path in ((CORPUS, corpus), (QUERIES, queries), ("qrels/<split>.tsv", splits)):
            if not path:
                self.found.add("error", "missing-file", f"{folder} has no {part}; a collection has {EXPECTED}.", part)
        if splits and "test" not in splits:
            message = "no test split: a run must name the split it reports on, as folder/…/dev."
            self.found.add("warning", "no-test-split", message, ", ".join(sorted(splits)))
        trims = {path.name: Trim() for path in (corpus, queries, *splits.values()) if path}
        texts = (
            {query: text for _, query, text in query_rows(queries, self._fault, trims[queries.name])} if queries else {}
        )
        qrels = {split: read_qrels(path, self._fault, trims[path.name]) for split, path in splits.items()}
        if corpus:
            with context.progress("check corpus", corpus.stat().st_size, "bytes") as advance:
                read = read_documents(corpus, self._fault, advance, context.memory, trims[corpus.name])
                self._all(read, texts, qrels, whole=bool(queries))
        else:
            self._queries(texts, qrels, whole=bool(queries))
        for name, trim in trims.items():
            for note in trim.notes(name):
                self.found.add(
                    "note", "trimmed-ids", "white space around ids is removed when they are read.", note, trim.count
                )

    def loaded(self, context: Context) -> None:
        dataset = load_dataset(self.name, context)
        view = dataset.train
        parts = {"train": view.train, "dev": view.dev, dataset.name.rpartition("/")[2]: dataset.test}
        held = {split: part for split, part in parts.items() if part}
        texts = {q: t for part in held.values() for q, t in zip(part.queries.ids, part.queries.texts, strict=True)}
        rows = (document for batch in dataset.corpus.batches() for document in batch)
        self._all(enumerate(rows, 1), texts, {split: part.qrels for split, part in held.items()}, whole=True)

    def _fault(self, fault: Fault) -> None:
        self.found.add("error", fault.code, "lines that cannot be read, or contradict another; mend them.", str(fault))

    def _all(
        self,
        documents: Iterable[tuple[int, Document]],
        texts: Mapping[str, str],
        qrels: Mapping[str, Qrels],
        *,
        whole: bool,
    ) -> None:
        self._queries(texts, qrels, whole=whole)
        judged_documents = {d for split in qrels.values() for grades in split.values() for d in grades}
        collection = next((c for c in ALWAYS if f"{self.name}/".startswith(f"{c}/")), self.name)
        seen = CorpusCheck(collection, self.found, texts, judged_documents)
        seen.read(documents)
        self.counts = {
            "documents": seen.count,
            "mean words of a document": seen.words / max(1, seen.count),
            **self.counts,
        }
        for split, judged in qrels.items():
            lost = [
                (q, d) for q, grades in judged.items() for d, grade in grades.items() if grade > 0 and d in seen.missing
            ]
            for query, document in lost:
                message = "judged relevant, but not in the corpus: no method can find it, and it caps recall."
                self.found.add("warning", "unreachable", message, f"{split}: query {query!r}, document {document!r}")
            self.counts[f"{split}: unreachable"] = len(lost)
        if seen.missing:
            message = "judged documents are not in the corpus; those judged 0 do no harm."
            for document in sorted(seen.missing):
                self.found.add("note", "judged-not-in-corpus", message, repr(document))

    def _queries(self, texts: Mapping[str, str], qrels: Mapping[str, Qrels], *, whole: bool) -> None:
        """`whole`: whether the texts were read at all; where not, one finding has said so."""
        self.counts |= {"queries": len(texts), "mean words of a query": _mean(len(t.split()) for t in texts.values())}
        if whole and not texts:
            self.found.add("error", "no-queries", "there is not one query.")
        for query, text in texts.items():
            if not text.strip():
                self.found.add(
                    "warning", "empty-query", "queries without text find nothing; give them one.", repr(query)
                )
            if why := unfit(query):
                message = "ids that a TREC run or qrels file cannot hold; rename them."
                self.found.add("error", "white-space-in-id", message, f"query {query!r} {why}")
        unjudged = len(texts.keys() - {query for judged in qrels.values() for query in judged})
        if unjudged and qrels:
            self.found.add(
                "note", "unjudged-queries", "queries are judged in no split: not reported on.", count=unjudged
            )
        for split, judged in qrels.items():
            self._split(split, judged, texts, whole=whole)
        for first, second in (("train", "dev"), ("train", "test"), ("dev", "test")):
            if first in qrels and second in qrels:
                self._overlap(first, second, qrels, texts)

    def _split(self, split: str, judged: Qrels, texts: Mapping[str, str], *, whole: bool) -> None:
        if not judged:
            self.found.add("error", "no-judgements", "a split without one judgement.", split)
        positives = {query: sum(grade > 0 for grade in grades.values()) for query, grades in judged.items()}
        self.counts |= {
            f"{split}: queries": len(judged),
            f"{split}: judgements": sum(map(len, judged.values())),
            f"{split}: mean relevant a query": _mean(positives.values()),
        }
        if judged and not any(positives.values()):
            message = "a split without one judgement above 0: every score would be 0; is the column of grades right?"
            self.found.add("error", "no-relevant", message, split)
        for query, grades in judged.items():
            example = f"{split}: {query!r}"
            if whole and query not in texts:
                message = "judged queries have no text in queries.jsonl; add them or delete their judgements."
                self.found.add("error", "judged-without-text", message, example)
            if not positives[query]:
                message = "queries without a relevant document count 0 for every method; leave them out of the qrels."
                self.found.add("warning", "no-positive", message, example)
            if any(grade < 0 for grade in grades.values()):
                self.found.add("note", "negative-grade", "grades below 0 count as not relevant.", example)
        same = Counter(normal_text(texts[query]) for query in judged if query in texts)
        for text, count in same.items():
            if count > 1 and text:
                message = "queries of one split have the same text, and weigh more than once in the mean."
                self.found.add(
                    "warning", "duplicate-query-text", message, f"{split}: {text[:80]!r} ({count} times)", count - 1
                )

    def _overlap(self, first: str, second: str, qrels: Mapping[str, Qrels], texts: Mapping[str, str]) -> None:
        ids = qrels[first].keys() & qrels[second].keys()
        if ids:
            message = "queries are in two splits; the loader takes them out of the one that is trained or tuned on."
            examples = ", ".join(map(repr, sorted(ids)[:EXAMPLES]))
            self.found.add("warning", "split-overlap", message, f"{first} and {second}: {examples}", len(ids))
        held = {normal_text(texts[q]): q for q in qrels[first] if q in texts and q not in ids}
        for query in qrels[second]:
            text = normal_text(texts.get(query, ""))
            if text and query not in ids and text in held:
                message = "the same text under two ids in two splits: what is trained on is also measured; delete one."
                self.found.add(
                    "warning", "split-overlap-text", message, f"{first} {held[text]!r} and {second} {query!r}"
                )
        ours = [q for q in qrels[second] if q not in ids and q in texts and normal_text(texts[q]) not in held]
        theirs = list(held.values())
        for near in overlaps([texts[q] for q in ours], [texts[q] for q in theirs]):
            message = "queries of two splits differ in a word or two: what is trained on is nearly what is measured; scores of "
            message += "trained rows are told with and without them."
            pair = f"{first} {theirs[near.there]!r} and {second} {ours[near.here]!r} ({near.similarity:.2f} alike)"
            self.found.add("warning", "split-overlap-near", message, pair)


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return sum(held) / len(held) if held else 0.0
