"""TREC's files: runs in and out (`query Q0 document rank score tag`), topics and qrels out; `harness.datasets` reads those."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from harness.errors import DatasetError
from harness.files import replacing, write_text
from harness.judged import Qrels, Queries
from harness.ranking import Run

TOO_GREAT = 2.0**128 - 2.0**103
"""What rounds to infinity in 32 bits."""


def write_run(path: Path, run: Run, tag: str) -> None:
    """Writes a run, ranks from 1, scores as the shortest decimals that give the same float32; `.gz` is compressed.

    The bytes depend on the run and the tag alone: no time goes into the compressed file.

    Raises:
        DatasetError: an id with white space.
    """
    tag = "".join("_" if c.isspace() else c for c in tag) or "run"
    with replacing(path) as part, open(part, "wb") as raw:
        out = gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) if path.suffix == ".gz" else raw
        for query, documents, scores in run:
            _check((query, *documents), "run")
            lines = [
                f"{query} Q0 {document} {rank} {np.float32(score)!s} {tag}\n"
                for rank, (document, score) in enumerate(zip(documents, scores, strict=True), start=1)
            ]
            out.write("".join(lines).encode())
        if out is not raw:
            out.close()


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Query id → document id → score.

    Raises:
        DatasetError: missing, not text, a line without six columns, a score that is no number, a document twice for a query.
    """
    rankings: dict[str, dict[str, float]] = {}
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                columns = line.decode("utf-8").split()
                if not columns:
                    continue
                if len(columns) != 6:
                    shape = "a TREC run has six: query Q0 document rank score tag."
                    raise DatasetError(f"{path}, line {number}: {len(columns)} columns; {shape}")
                query, _, document, _, score, _ = columns
                ranking = rankings.setdefault(query, {})
                if document in ranking:
                    raise DatasetError(f"{path}, line {number}: query {query!r} ranks document {document!r} a second time.")
                value = float(score)
                if not abs(value) < TOO_GREAT:  # nor is NaN
                    raise DatasetError(f"{path}, line {number}: score {score!r} is not a finite number of 32 bits.")
                ranking[document] = value
    except FileNotFoundError as error:
        raise DatasetError(f"there is no run file {path}.") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise DatasetError(f"{path}, line {number}: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} cannot be read: {error}.") from error
    if not rankings:
        raise DatasetError(f"{path} holds no ranking.")
    return rankings


def write_topics(path: Path, queries: Queries) -> None:
    """Writes topics by the file's ending: `.tsv`, `.xml` (`<topic number="…"><query>`), else SGML (`<top>`, `<num>`, `<title>`).

    Texts stand on one line with single spaces, as no form keeps more.

    Raises:
        DatasetError: an id with white space, or a text that the form cannot hold.
    """
    _check(queries.ids, "topics file")
    held = [(query, " ".join(text.split())) for query, text in zip(queries.ids, queries.texts, strict=True)]
    if path.suffix == ".tsv":
        lines = [f"{query}\t{text}\n" for query, text in held]
    elif path.suffix == ".xml":
        _check_characters(held)
        topics = [f"<topic number={quoteattr(query)}>\n<query>{escape(text)}</query>\n</topic>\n" for query, text in held]
        lines = ['<?xml version="1.0" encoding="utf-8"?>\n<topics>\n', *topics, "</topics>\n"]
    else:
        lines = [f"<top>\n<num> Number: {escape(query)}\n<title> {escape(text)}\n</top>\n\n" for query, text in held]
    write_text(path, "".join(lines))


def write_qrels(path: Path, qrels: Qrels) -> None:
    """Writes `query 0 document grade`, grades as they are.

    Raises:
        DatasetError: an id with white space.
    """
    for query, grades in qrels.items():
        _check((query, *grades), "qrels file")
    write_text(path, "".join(f"{query} 0 {d} {grade}\n" for query, grades in qrels.items() for d, grade in grades.items()))


def _check(names: Iterable[str], what: str) -> None:
    for name in names:
        if len(name.split()) != 1:
            raise DatasetError(f"the id {name!r} has white space, which a TREC {what} cannot hold: rename it in the collection.")


def _check_characters(held: Iterable[tuple[str, str]]) -> None:
    """XML 1.0 has no control characters; white space is already a space."""
    for query, text in held:
        wrong = next((c for c in query + text if ord(c) < 0x20 or c in "\x7f\ufffe\uffff"), None)
        if wrong is not None:
            raise DatasetError(f"query {query!r} holds the character {wrong!r}, which XML cannot: write .tsv, or mend the text.")
