"""Tantivy, the full-text engine of Quickwit and ParadeDB, embedded: BM25 as its own code ranks it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from harness.base.optional import library
from harness.methods._engine_content import Asked, Content, Documents
from harness.methods._search_engine import EXTRA, SearchEngine

ANALYZER: Final = "harness"
HEAP: Final = 128_000_000
"""Bytes in which documents are gathered before they are written as a segment."""


@dataclass(frozen=True)
class Tantivy(SearchEngine):
    """Tantivy's BM25 with k1 = 1.2 and b = 0.75, which are constants of its code; a document's length is one byte.

    Queries are analysed as documents and are a disjunction of their terms; nothing in them is syntax. Tantivy has no
    vectors: `hybrid(methods=(tantivy, dense))` fuses it with those of our index.

    Args:
        analyzer: `en_stem` and `default` are Tantivy's: words are split at all but letters and digits, those of more
            than 40 bytes dropped, the rest in lower case, and stemmed by Snowball's English stemmer with the former.
            `en_stem_stop` also drops its English stop words.
    """

    of_a_search: ClassVar[frozenset[str]] = frozenset()
    analyzer: Literal["en_stem", "default", "en_stem_stop"] = "en_stem"

    def versions(self) -> dict[str, str]:
        """See `SearchEngine.versions`."""
        library("tantivy", EXTRA)
        return {"tantivy": importlib.metadata.version("tantivy")}

    def faults(self) -> tuple[type[Exception], ...]:
        """See `SearchEngine.faults`; a panic of the library is a ValueError too."""
        return (ValueError, OSError)

    def start(self, content: Content) -> _Running:
        """See `SearchEngine.start`; one segment, in the order of the corpus."""
        tantivy = library("tantivy", EXTRA)
        folder = content.folder("tantivy", lambda place: _build(tantivy, self, place, content.batches("tantivy")))
        return _Running(tantivy, self, folder, content.bytes_of(folder))

    def chain(self, tantivy: Any) -> Any:
        """Tantivy's analyser."""
        filters, builder = tantivy.Filter, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        chain = [filters.remove_long(40), filters.lowercase()]
        chain += [filters.stopword("english")] if self.analyzer == "en_stem_stop" else []
        chain += [filters.stemmer("english")] if self.analyzer != "default" else []
        for each in chain:
            builder = builder.filter(each)
        return builder.build()


def _build(tantivy: Any, method: Tantivy, folder: Path, batches: Iterator[Documents]) -> None:
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("body", stored=False, tokenizer_name=ANALYZER, index_option="freq")
    schema.add_integer_field("place", stored=False, fast=True)
    index = tantivy.Index(schema.build(), path=str(folder))
    index.register_tokenizer(ANALYZER, method.chain(tantivy))
    writer = index.writer(heap_size=HEAP, num_threads=1)
    try:
        for batch in batches:
            for place, text in zip(batch.places, batch.texts, strict=True):
                writer.add_document(tantivy.Document(body=text, place=place))
        writer.commit()
        writer.wait_merging_threads()
    finally:
        del writer  # after an error, its threads write into the folder until it is gone


class _Running:
    ordered, notes = False, ()

    def __init__(self, tantivy: Any, method: Tantivy, folder: Path, index_bytes: int) -> None:
        self._tantivy, self.index_bytes = tantivy, index_bytes
        index = tantivy.Index.open(str(folder))
        self._schema, self._searcher, self._chain = index.schema, index.searcher(), method.chain(tantivy)

    def ask(self, query: Asked, k: int) -> list[tuple[int, float]]:
        """See `Running.ask`."""
        made, should = self._tantivy.Query, self._tantivy.Occur.Should
        terms = [made.term_query(self._schema, "body", term, "freq") for term in self._chain.analyze(query.text)]
        hits = self._searcher.search(made.boolean_query([(should, term) for term in terms]), k, count=False).hits
        places = self._searcher.fast_field_values("place", [address for _, address in hits])
        return [(place, score) for place, (score, _) in zip(places, hits, strict=True)]
