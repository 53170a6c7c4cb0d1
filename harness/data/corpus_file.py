"""A corpus as an Arrow file: written as documents come, opened memory-mapped by `Corpus.open`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from harness.data.corpus import EMPTY, NOTES, REVISION, ROWS_PER_BATCH
from harness.data.documents import SCHEMA, ContentHash, Document, check_documents, record_batch, without_nulls

CHARACTERS_PER_BATCH = 2 << 20
"""A batch of long documents ends before it has all its rows: a reader needs memory for this much and one document."""


def write_corpus(
    path: Path, documents: Iterable[Document], source: str, notes: Callable[[], Iterable[str]] = tuple
) -> str:
    """Writes documents to an Arrow file as they come and returns the revision; the caller moves the file into place.

    Args:
        path: file to write.
        documents: read once, a batch at a time.
        source: what to call the collection in messages.
        notes: gives `Corpus.notes`; called when all documents are read.

    Raises:
        DatasetError: no document at all, an id twice, or a text that is not Unicode.
    """
    content = ContentHash()
    raw = path.with_name(path.name + ".raw")
    try:
        with pa.OSFile(str(raw), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            for batch in _batches(documents):
                content.update(batch)
                writer.write_batch(record_batch(batch))
                batch.clear()  # before the next one is read
        table = pa.ipc.open_file(pa.memory_map(str(raw))).read_all()
        check_documents(table, source)
        # The revision is known only at the end, and Arrow puts its metadata in front: write again, batch by batch.
        metadata = {
            REVISION: content.hexdigest().encode(),
            EMPTY: str(content.empty).encode(),
            NOTES: json.dumps(list(notes())).encode(),
        }
        _write_table(path, table, SCHEMA.with_metadata(metadata))
    finally:
        raw.unlink(missing_ok=True)
    return content.hexdigest()


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents in batches of at most `ROWS_PER_BATCH`, which end early at `CHARACTERS_PER_BATCH`."""
    batch: list[Document] = []
    characters = 0
    for row in documents:
        document = without_nulls(*row)
        batch.append(document)
        characters += len(document.title) + len(document.text)
        if len(batch) >= ROWS_PER_BATCH or characters >= CHARACTERS_PER_BATCH:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _write_table(path: Path, table: pa.Table, schema: pa.Schema) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in table.to_batches():
            if batch.num_rows:
                writer.write_batch(batch.replace_schema_metadata(schema.metadata))
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def revision_of(documents: Iterable[Document]) -> str:
    """The revision that a corpus of these documents has; they are read once, one at a time."""
    content = ContentHash()
    content.update(without_nulls(*document) for document in documents)
    return content.hexdigest()
