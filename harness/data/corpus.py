"""A corpus: documents in a memory-mapped Arrow table, so that one larger than memory can be indexed.

Row i is one document in every array of the harness. The one way to join title and text is `joined`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import operator
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.base.errors import DatasetError

SCHEMA = pa.schema([("id", pa.large_string()), ("title", pa.large_string()), ("text", pa.large_string())])
ROWS_PER_BATCH = 4096
CHARACTERS_PER_BATCH = 2 << 20
"""A batch of long documents ends before it has its rows: whoever reads one holds no more than this and one document."""
_REVISION, _EMPTY, _NOTES = b"harness.revision", b"harness.empty", b"harness.notes"


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


class Corpus:
    """N documents: `ids` unique, titles possibly empty, texts.

    Build one with `Corpus.of` (in memory) or `Corpus.open` (memory-mapped, written by `write_corpus`).

    Attributes:
        revision: content hash of ids, titles and texts.
        empty: how many documents have neither title nor text.
        notes: what its reader wants a reader of the results to know.
    """

    def __init__(
        self, table: pa.Table, revision: str, path: Path | None = None, empty: int = 0, notes: Sequence[str] = ()
    ) -> None:
        self._table = table
        self.revision = revision
        self.path = path
        self.empty, self.notes = empty, tuple(notes)

    @classmethod
    def of(cls, documents: Iterable[Document | tuple[str, str | None, str | None]]) -> Corpus:
        """A corpus in memory, for notebooks and tests.

        Raises:
            DatasetError: an id appears twice, or there is no document.
        """
        rows = [_without_nulls(*d) for d in documents]
        digest = _Digest()
        digest.update(rows)
        columns = [pa.array([getattr(r, name) for r in rows], pa.large_string()) for name in SCHEMA.names]
        table = pa.table(columns, schema=SCHEMA)
        _check(table, "the documents given")
        return cls(table, digest.hexdigest(), empty=digest.empty)

    @classmethod
    def open(cls, path: Path) -> Corpus:
        """Memory-maps a corpus written by `write_corpus`.

        Raises:
            DatasetError: the file is not a whole Arrow file of this schema (truncated, say).
        """
        try:
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            facts = table.schema.metadata or {}
            revision = facts[_REVISION].decode()
            empty, notes = int(facts.get(_EMPTY, b"0")), json.loads(facts.get(_NOTES, b"[]"))
        except (pa.ArrowInvalid, KeyError, OSError, ValueError) as error:
            raise DatasetError(
                f"{path} is not a whole corpus file ({error}); delete it and run again to rebuild it."
            ) from error
        return cls(table, revision, path, empty, notes)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def id_array(self) -> pa.ChunkedArray:
        """(N,) document ids as an Arrow array."""
        return self._table["id"]

    def ids(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Document ids of the given rows, in their order."""
        return self._picked(np.asarray(rows, np.int64), ["id"])["id"]

    def rows(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Row of each id, −1 where the corpus has no such document; one call reads all ids, and memory holds those
        asked for.
        """
        import pyarrow.compute as pc  # slow to import, and a listing needs none of it

        distinct, places = (
            np.unique(np.asarray(ids, dtype=object), return_inverse=True) if len(ids) else (ids, np.zeros(0, int))
        )
        wanted = pa.array(distinct, pa.large_string())
        found = np.full(len(wanted), -1, np.int64)
        start = 0
        for chunk in self.id_array.chunks:
            places_of = pc.index_in(chunk, value_set=wanted)
            if places_of.null_count < len(chunk):
                here = places_of.is_valid().to_numpy(zero_copy_only=False)
                found[places_of.drop_null().to_numpy()] = start + np.flatnonzero(here)
            start += len(chunk)
        return found[places]

    def __getitem__(self, row: int) -> Document:
        record = self._table.slice(int(row), 1).to_pylist()[0]
        return Document(**record)

    @property
    def texts(self) -> Texts:
        """The joined texts of all documents, read when asked for."""
        return Texts(self, None)

    def texts_of(self, rows: npt.NDArray[np.int64]) -> Texts:
        """The joined texts of some rows, in their order, read when asked for."""
        return Texts(self, rows)

    def _picked(self, rows: npt.NDArray[np.int64], columns: list[str]) -> dict[str, list[str]]:
        """Columns of some rows, in their order, none of them −1. Arrow's own `take` would copy whole columns into
        memory.
        """
        batches, starts = self._batches
        if not len(rows):
            return {name: [] for name in columns}
        order = np.argsort(rows, kind="stable")
        inside = np.searchsorted(starts, rows[order], side="right") - 1
        cuts = np.flatnonzero(np.diff(inside)) + 1
        parts = [
            batches[int(inside[first])].select(columns).take(pa.array(rows[order[first:last]] - starts[inside[first]]))
            for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(rows)], strict=True)
        ]
        back = np.empty(len(rows), np.int64)
        back[order] = np.arange(len(rows))
        return pa.Table.from_batches(parts).take(pa.array(back)).to_pydict()  # type: ignore[no-any-return]

    @cached_property
    def _batches(self) -> tuple[list[pa.RecordBatch], npt.NDArray[np.int64]]:
        """The batches that hold rows, not copied, and the first row of each."""
        batches = [batch for batch in self._table.to_batches() if batch.num_rows]
        return batches, np.cumsum([0, *(batch.num_rows for batch in batches)])[:-1]

    def batches(self, size: int = ROWS_PER_BATCH) -> Iterator[list[Document]]:
        """All documents in order, `size` at a time; holds one batch in memory."""
        for start in range(0, len(self), size):
            columns = self._table.slice(start, size).to_pydict()
            yield [Document(*row) for row in zip(columns["id"], columns["title"], columns["text"], strict=True)]

    def text_blocks(self) -> Iterator[list[str]]:
        """The joined texts of all documents, in order, so many at a time; of long documents fewer."""
        start = 0
        for batch in self._batches[0]:
            for first in range(0, batch.num_rows, ROWS_PER_BATCH):
                stop = min(first + ROWS_PER_BATCH, batch.num_rows)
                yield self.texts[start + first : start + stop]
            start += batch.num_rows

    @cached_property
    def id_order(self) -> npt.NDArray[np.int32]:
        """(N,) place of each document's id in the descending order of all ids: the tie-breaker of every ranking.

        The order is that of the UTF-8 bytes, as `strcmp` in trec_eval.
        """
        import pyarrow.compute as pc  # slow to import, and a listing needs none of it

        order = pc.sort_indices(self._table.select(["id"]), sort_keys=[("id", "descending")]).to_numpy()
        places = np.empty(len(self), dtype=np.int32)
        places[order] = np.arange(len(self), dtype=np.int32)
        return places

    @property
    def nbytes(self) -> int:
        """Bytes of ids, titles and texts."""
        return int(self._table.nbytes)


class Texts(Sequence[str]):
    """The joined texts of a corpus or of some of its rows; a slice is a list, read from the mapped table when asked
    for.
    """

    def __init__(self, corpus: Corpus, rows: npt.NDArray[np.int64] | None) -> None:
        self._corpus = corpus
        self._rows = rows

    def __len__(self) -> int:
        return len(self._corpus) if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if not isinstance(index, slice):
            place = range(len(self))[operator.index(index)]  # counts from the end where it is negative
            document = self._corpus[place if self._rows is None else int(self._rows[place])]
            return joined(document.title, document.text)
        places = range(*index.indices(len(self)))
        if self._rows is None and places.step == 1:
            columns = self._corpus._table.slice(places.start, len(places)).select(["title", "text"]).to_pydict()
        else:
            rows = np.asarray(places, np.int64) if self._rows is None else self._rows[index]
            columns = self._corpus._picked(rows, ["title", "text"])
        return [joined(title, text) for title, text in zip(columns["title"], columns["text"], strict=True)]

    def id(self, place: int) -> str:
        """Id of the document whose text is at a place, for messages."""
        return self._corpus[place if self._rows is None else int(self._rows[place])].id


def write_corpus(
    path: Path, documents: Iterable[Document], source: str, notes: Callable[[], Iterable[str]] = tuple
) -> str:
    """Writes documents to an Arrow file as they come and returns the revision; the caller owns moving the file into
    place.

    Args:
        path: file to write.
        documents: read once, never held together in memory.
        source: what to call the collection in messages.
        notes: gives `Corpus.notes`, once all documents are read.

    Raises:
        DatasetError: no document at all, an id twice, or a text that is not Unicode.
    """
    digest = _Digest()
    raw = path.with_name(path.name + ".raw")
    batch: list[Document] = []

    with contextlib.ExitStack() as stack:
        stack.callback(lambda: raw.unlink(missing_ok=True))
        with pa.OSFile(str(raw), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:

            def flush() -> None:
                digest.update(batch)
                columns = [pa.array([getattr(d, name) for d in batch], pa.large_string()) for name in SCHEMA.names]
                writer.write_batch(pa.record_batch(columns, schema=SCHEMA))
                batch.clear()

            held = 0
            for document in documents:
                batch.append(_without_nulls(*document))
                held += len(batch[-1].title) + len(batch[-1].text)
                if len(batch) >= ROWS_PER_BATCH or held >= CHARACTERS_PER_BATCH:
                    flush()
                    held = 0
            flush()
        table = pa.ipc.open_file(pa.memory_map(str(raw))).read_all()
        _check(table, source)
        # The revision is known only at the end, and Arrow keeps its metadata in front: write again, batch by batch.
        facts = {_EMPTY: str(digest.empty).encode(), _NOTES: json.dumps(list(notes())).encode()}
        schema = SCHEMA.with_metadata({_REVISION: digest.hexdigest().encode(), **facts})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for part in table.to_batches():
                if part.num_rows:
                    writer.write_batch(part.replace_schema_metadata(schema.metadata))
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    return digest.hexdigest()


def revision_of(documents: Iterable[Document]) -> str:
    """The revision that a corpus of these documents has; they are read once and not held."""
    digest = _Digest()
    digest.update(_without_nulls(*document) for document in documents)
    return digest.hexdigest()


def _without_nulls(id: str, title: str | None, text: str | None) -> Document:
    return Document(id, title or "", text or "")


class _Digest:
    """The content hash of a corpus: ids, titles and texts in order, with their lengths so that no two corpora share
    one.

    It also counts the documents that have neither title nor text (`empty`).
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.empty = 0

    def update(self, documents: Iterable[Document]) -> None:
        for document in documents:
            self.empty += not joined(document.title, document.text)
            for part in document:
                try:
                    raw = part.encode()
                except UnicodeEncodeError as error:
                    raise DatasetError(
                        f"document {document.id!r} holds a lone surrogate (an escape like \\ud800), which is not text: "
                        "mend the file, for example by decoding it with errors='replace'."
                    ) from error
                self._hash.update(len(raw).to_bytes(8, "little"))
                self._hash.update(raw)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()[:32]


def _check(table: pa.Table, source: str) -> None:
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    if table.num_rows == 0:
        raise DatasetError(
            f'{source}: the corpus is empty; a line of corpus.jsonl is {{"_id": …, "title": …, "text": …}}.'
        )
    distinct = pc.count_distinct(table["id"]).as_py()
    if distinct != table.num_rows:
        counts = table["id"].value_counts()
        twice = [c["values"].as_py() for c in counts if c["counts"].as_py() > 1][:3]
        raise DatasetError(
            f"{source}: {table.num_rows - distinct} document ids appear more than once, for example "
            f"{', '.join(map(repr, twice))}; ids must be unique. `harness data check` lists them."
        )
