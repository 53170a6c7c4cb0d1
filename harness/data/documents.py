"""Documents: their fields, the one way to join title and text, their content hash, and what no corpus may hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from harness.base.errors import DatasetError

SCHEMA = pa.schema([("id", pa.large_string()), ("title", pa.large_string()), ("text", pa.large_string())])


class Document(NamedTuple):
    """One document; a missing or null title is the empty string."""

    id: str
    title: str
    text: str


def joined(title: str, text: str) -> str:
    """Title and text joined by one space, and the text alone where there is no title.

    This is the policy of both MTEB and Anserini's flat BEIR indexes; it moves scores and lives only here.
    """
    return f"{title} {text}".strip() if title else text.strip()


def without_nulls(id: str, title: str | None, text: str | None) -> Document:
    """A document in which a missing title or text is the empty string."""
    return Document(id, title or "", text or "")


class ContentHash:
    """The content hash of a corpus: ids, titles and texts in order, each with its length.

    The lengths keep two corpora apart whose texts are equal end to end.

    Attributes:
        empty: how many of the documents have neither title nor text.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.empty = 0

    def update(self, documents: Iterable[Document]) -> None:
        """Adds documents.

        Raises:
            DatasetError: a text that is not Unicode; names the document.
        """
        for document in documents:
            self.empty += not joined(document.title, document.text)
            for part in document:
                try:
                    raw = part.encode()
                except UnicodeEncodeError as error:
                    raise DatasetError(
                        f"document {document.id!r} contains a lone surrogate (an escape like \\ud800), which is not "
                        "text: fix the file, for example by decoding it with errors='replace'."
                    ) from error
                self._hash.update(len(raw).to_bytes(8, "little"))
                self._hash.update(raw)

    def hexdigest(self) -> str:
        """32 hexadecimal digits."""
        return self._hash.hexdigest()[:32]


def record_batch(documents: Iterable[Document]) -> pa.RecordBatch:
    """Documents as columns of `SCHEMA`."""
    rows = list(documents)
    columns = [pa.array([getattr(row, name) for row in rows], pa.large_string()) for name in SCHEMA.names]
    return pa.record_batch(columns, schema=SCHEMA)


def check_documents(table: pa.Table, source: str) -> None:
    """Checks a whole corpus.

    Args:
        table: of `SCHEMA`.
        source: what to call the collection in messages.

    Raises:
        DatasetError: there is no document, or an id appears twice.
    """
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    if table.num_rows == 0:
        raise DatasetError(
            f'{source}: the corpus is empty; a line of corpus.jsonl is {{"_id": …, "title": …, "text": …}}.'
        )
    repeats = table.num_rows - pc.count_distinct(table["id"]).as_py()
    if repeats:
        counts = table["id"].value_counts()
        examples = [c["values"].as_py() for c in counts if c["counts"].as_py() > 1][:3]
        raise DatasetError(
            f"{source}: {repeats} document ids appear more than once, for example {', '.join(map(repr, examples))}; "
            "ids must be unique. `harness data check` lists them."
        )
