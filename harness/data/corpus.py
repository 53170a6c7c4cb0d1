"""A corpus: documents in a memory-mapped Arrow table, so that one larger than memory can be indexed.

Row i is one document in every array of the harness.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.base.errors import DatasetError
from harness.data.documents import ContentHash, Document, check_documents, joined, record_batch, without_nulls

ROWS_PER_BATCH = 4096
REVISION, EMPTY, NOTES = b"harness.revision", b"harness.empty", b"harness.notes"
"""Keys of the file's metadata: content hash, number of empty documents, `Corpus.notes` as JSON."""


class Corpus:
    """N documents: `ids` unique, titles possibly empty, texts.

    Build one with `Corpus.of` (in memory) or `Corpus.open` (memory-mapped, written by `corpus_file.write_corpus`).

    Attributes:
        revision: content hash of ids, titles and texts.
        empty: how many documents have neither title nor text.
        notes: what a reader of the results should know about the documents.
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
        rows = [without_nulls(*document) for document in documents]
        content = ContentHash()
        content.update(rows)
        table = pa.Table.from_batches([record_batch(rows)])
        check_documents(table, "the documents given")
        return cls(table, content.hexdigest(), empty=content.empty)

    @classmethod
    def open(cls, path: Path) -> Corpus:
        """Memory-maps a corpus written by `harness.data.corpus_file.write_corpus`.

        Raises:
            DatasetError: the file is not a complete Arrow file of this schema (truncated, say).
        """
        try:
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            metadata = table.schema.metadata or {}
            revision = metadata[REVISION].decode()
            empty, notes = int(metadata.get(EMPTY, b"0")), json.loads(metadata.get(NOTES, b"[]"))
        except (pa.ArrowInvalid, KeyError, OSError, ValueError) as error:
            raise DatasetError(
                f"{path} is not a complete corpus file ({error}); delete it and run again to rebuild it."
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
        """Row of each id, −1 if the corpus has no such document.

        One call reads all ids of the corpus, chunk by chunk; memory grows with the ids that are looked up.
        """
        import pyarrow.compute as pc  # slow to import, and a listing needs none of it

        if not len(ids):
            return np.zeros(0, np.int64)
        distinct, places = np.unique(np.asarray(ids, dtype=object), return_inverse=True)
        wanted = pa.array(distinct.tolist(), pa.large_string())  # an array would make Arrow import pandas
        row_of = np.full(len(wanted), -1, np.int64)
        start = 0
        for chunk in self.id_array.chunks:
            matches = pc.index_in(chunk, value_set=wanted)  # for each row, the place of its id in `wanted` or null
            if matches.null_count < len(chunk):
                matched = matches.is_valid().to_numpy(zero_copy_only=False)
                row_of[matches.drop_null().to_numpy()] = start + np.flatnonzero(matched)
            start += len(chunk)
        return row_of[places]

    def __getitem__(self, row: int) -> Document:
        record = self._table.slice(int(row), 1).to_pylist()[0]
        return Document(**record)

    @property
    def texts(self) -> Texts:
        """The joined texts of all documents, read when they are indexed."""
        return Texts(self, None)

    def texts_of(self, rows: npt.NDArray[np.int64]) -> Texts:
        """The joined texts of some rows, in their order, read when they are indexed."""
        return Texts(self, rows)

    def _picked(self, rows: npt.NDArray[np.int64], columns: list[str]) -> dict[str, list[str]]:
        """Columns of some rows, in their order; no row is −1.

        Arrow's own `take` would copy whole columns into memory, so rows are taken from one batch after the other.
        """
        if not len(rows):
            return {name: [] for name in columns}
        batches, starts = self._batches
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        batch_of = np.searchsorted(starts, ascending, side="right") - 1
        cuts = np.flatnonzero(np.diff(batch_of)) + 1
        parts = []
        for number, some in zip(batch_of[[0, *cuts]].tolist(), np.split(ascending, cuts), strict=True):
            parts.append(batches[number].select(columns).take(pa.array((some - starts[number]).tolist(), pa.int64())))
        place = np.empty(len(rows), np.int64)  # of each requested row among the ascending ones
        place[order] = np.arange(len(rows))
        in_order = pa.array(place.tolist(), pa.int64())
        return pa.Table.from_batches(parts).take(in_order).to_pydict()  # type: ignore[no-any-return]

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
        """The joined texts of all documents, in blocks of at most `ROWS_PER_BATCH`, shorter blocks if they are long."""
        start = 0
        for batch in self._batches[0]:
            for first in range(0, batch.num_rows, ROWS_PER_BATCH):
                stop = min(first + ROWS_PER_BATCH, batch.num_rows)
                yield self.texts[start + first : start + stop]
            start += batch.num_rows

    @cached_property
    def id_order(self) -> npt.NDArray[np.int32]:
        """(N,) rank of each document's id in the descending order of all ids: the tie-breaker of every ranking.

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
    """The joined texts of a corpus or of some of its rows.

    A slice is a list; texts are read from the mapped table when they are indexed.
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
