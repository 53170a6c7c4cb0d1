"""What a person calls a corpus as documents: a BEIR folder, a folder of Markdown and text files, or one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.base.errors import DatasetError
from harness.base.files import read_text, there
from harness.collection.files import CORPUS, file_of
from harness.collection.jsonl import read_documents
from harness.collection.offer import TABLES, TEXTS
from harness.collection.tables import FOUND, Columns, cell, found, peeked, rows_of
from harness.data.documents import Document
from harness.testset.chunks import chunks_of, path_id, splitter

MARKDOWN = (".md", ".markdown")
WORDS = 250
"""Of a chunk, at most, by default."""
ACCEPTED = f"a folder with corpus.jsonl, a folder of {', '.join(TEXTS)} files, or one file ({', '.join(TABLES)} too)"
Split = Callable[[str], Iterator[tuple[int, str]]]


@dataclass
class Source:
    """A corpus as it lies on the disk.

    Args:
        path: a folder or a file.
        columns: of a table; those not named are found.
        words: of a chunk, at most; 0 leaves files whole. Documents of a BEIR folder are never cut.

    Attributes:
        facts: how the documents were read, for the manifest; complete when all are read.
    """

    path: Path
    columns: Columns = FOUND
    words: int = WORDS
    facts: dict[str, Any] = field(default_factory=dict)

    def documents(self) -> Iterator[Document]:
        """The documents, in a fixed order; ids are unique and point back to file and line, or to the row.

        Raises:
            DatasetError: it cannot be read, or has no text; says what is accepted.
            SettingError: a named column does not exist.
        """
        if not there(self.path.exists):
            raise DatasetError(f"there is no {self.path}; name {ACCEPTED}.")
        count = 0
        for document in self._read():
            count += 1
            yield document
        if count == 0:
            raise DatasetError(f"{self.path} has no document with text; name {ACCEPTED}.")

    def _read(self) -> Iterator[Document]:
        if self.path.is_dir() and (corpus := file_of(self.path, CORPUS)):
            self.facts.update(kind="BEIR folder")
            yield from (document for _, document in read_documents(corpus))
            return
        split = splitter(self.words)
        self.facts.update(words=self.words)
        if self.path.is_dir():
            self.facts.update(kind="folder of files", files=0)
            yield from self._folder(split)
        elif self.path.suffix.lower() in TABLES:
            self.facts.update(kind="table")
            yield from self._table(split)
        elif self.path.suffix.lower() in TEXTS:
            self.facts.update(kind="file")
            yield from _file(self.path, self.path.name, split)
        else:
            raise DatasetError(f"{self.path} has the ending {self.path.suffix!r}, which is not read; name {ACCEPTED}.")

    def _folder(self, split: Split) -> Iterator[Document]:
        for folder, inner, names in os.walk(self.path):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix.lower() in TEXTS and not name.startswith(".") and path.is_file():
                    self.facts["files"] += 1
                    yield from _file(path, path.relative_to(self.path).as_posix(), split)

    def _table(self, split: Split) -> Iterator[Document]:
        first, rows = peeked(rows_of(self.path))
        columns = found(self.columns, first, self.path)
        self.facts.update(columns={"id": columns.id, "title": columns.title, "text": columns.text})
        seen: set[str] = set()
        for number, row in enumerate(rows, start=1):
            text = cell(row, columns.text)
            name = path_id(cell(row, columns.id)) or f"row-{number}"
            if not text:
                continue
            if name in seen:
                where = f"column {columns.id!r}" if columns.id else "the ids"
                raise DatasetError(f"{self.path}, row {number}: {name!r} is in {where} twice; name a column of ids.")
            seen.add(name)
            parts = list(split(text))
            for place, (_, part) in enumerate(parts, start=1):
                suffix = f"#{place}" if len(parts) > 1 else ""
                yield Document(name + suffix, cell(row, columns.title), part.strip())


def _file(path: Path, name: str, split: Split) -> Iterator[Document]:
    """The chunks of one file; the id is its path, with the first line of the chunk if there are several."""
    try:
        text = read_text(path).replace("\0", " ")
    except UnicodeDecodeError as error:
        remedy = "convert it, for example with `iconv -f latin1 -t utf-8`, or move it away"
        raise DatasetError(f"{path} is not UTF-8 text ({error.reason}); {remedy}.") from error
    parts = [chunk for chunk in chunks_of(text, split, path.suffix.lower() in MARKDOWN) if chunk.text]
    times: dict[str, int] = {}
    for chunk in parts:
        document = path_id(name)
        if len(parts) > 1:
            document += f"#L{chunk.line}"
            times[document] = times.get(document, 0) + 1
            if times[document] > 1:  # several chunks of one long line
                document += f".{times[document]}"
        title = chunk.heading or path.stem.replace("_", " ").replace("-", " ")
        yield Document(document, "" if chunk.text.lstrip("# ").startswith(title) else title, chunk.text)
