"""The documents of a collection, checked in one pass; ids and texts are compared by 64-bit hashes, to save memory."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from harness.data.documents import Document, joined
from harness.data.ids import unfit
from harness.datacheck.findings import Findings
from harness.datacheck.language import Sample, check_language


@dataclass
class _Hashes:
    """Hashes of texts with the lines they are on; 16 bytes each."""

    hashes: array[int] = field(default_factory=lambda: array("Q"))
    lines: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, text: str, line: int) -> None:
        self.hashes.append(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))
        self.lines.append(line)

    def repeats(self) -> Iterator[tuple[int, int]]:
        """The line of a text and that of each later copy."""
        values = np.frombuffer(self.hashes, dtype=np.uint64)
        order = np.argsort(values, kind="stable")  # copies become neighbours, in the order of their lines
        first = 0
        for place in np.flatnonzero(values[order][1:] == values[order][:-1]) + 1:
            if values[order[first]] != values[order[place]]:  # the first copy of another text
                first = int(place) - 1
            yield self.lines[order[first]], self.lines[order[place]]


@dataclass
class CorpusCheck:
    """The checks of one pass over the documents.

    Args:
        own: whether a document that has the id of a query, which is given with its text, is left out of its ranking.
        findings: where they are added.
        queries: query id → text.
        missing: judged document ids; after `read`, those that are not in the corpus.
    """

    own: Callable[[str, Document], bool]
    findings: Findings
    queries: Mapping[str, str]
    missing: set[str]
    count: int = 0
    words: int = 0
    _empty: int = 0
    _dropped: int = 0
    _not_dropped: int = 0
    _ids: _Hashes = field(default_factory=_Hashes)
    _texts: _Hashes = field(default_factory=_Hashes)
    _sample: Sample = field(default_factory=Sample)

    def read(self, documents: Iterable[tuple[int, Document]]) -> None:
        """Reads all documents, with their lines, and adds the findings."""
        for line, document in documents:
            self._check(line, document)
        if not self.count:
            self.findings.add("error", "no-documents", "there is no document that can be read.")
        elif self._empty == self.count:
            message = "no document has a title or a text: every score would be 0."
            self.findings.add("error", "no-text", message, count=self._empty)
        check_language(self._sample.texts, self.findings)
        for first, again in self._ids.repeats():
            message = "documents have the id of another; ids must be unique."
            self.findings.add("error", "duplicate-document-id", message, f"lines {first} and {again}")
        for first, again in self._texts.repeats():
            message = (
                "documents have the text of another: if only one is judged relevant, its copy counts as not relevant."
            )
            self.findings.add("warning", "duplicate-text", message, f"lines {first} and {again}")
        if self._dropped:
            message = "queries are documents of the corpus: each is left out of its own ranking."
            self.findings.add("note", "self-dropped", message, count=self._dropped)
        if self._not_dropped:
            message = "query ids are also document ids of other texts: those documents stay in the ranking."
            self.findings.add("note", "self-kept", message, count=self._not_dropped)

    def _check(self, line: int, document: Document) -> None:
        text = joined(document.title, document.text)
        self.count += 1
        self.words += len(text.split())
        self.missing.discard(document.id)
        self._ids.add(document.id, line)
        if text:
            self._texts.add(text, line)
            self._sample.add(text)
        else:
            self._empty += 1
            message = "documents without title and text: a dense model gives them one score; delete those not judged."
            self.findings.add("warning", "empty-text", message, f"line {line}: {document.id!r}")
        if why := unfit(document.id):
            message = "ids that a TREC run or qrels file cannot hold; rename them."
            self.findings.add("error", "white-space-in-id", message, f"document {document.id!r} {why}")
        query = self.queries.get(document.id)
        if query is not None:
            if self.own(query, document):
                self._dropped += 1
            else:
                self._not_dropped += 1
