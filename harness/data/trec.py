"""TREC's files: reads and writes runs (`query Q0 document rank score tag`), writes topics and qrels.

`harness.collection` reads topics and qrels.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from harness.base.errors import DatasetError
from harness.base.files import replacing, there, write_text
from harness.data.ids import WHITE, unfit
from harness.data.invisible import joined, unseen
from harness.data.lines import lines
from harness.data.queries import Qrels, Queries

TOO_GREAT = 2.0**128 - 2.0**103
"""Least number that rounds to infinity in 32 bits."""
CHECKED = 100_000
"""Ids of documents that are remembered as fit for a column."""
_COLUMNS = re.compile(f"[{WHITE}]+")


class RunLine(NamedTuple):
    """One line of a run file: its number, its query and document, the rank as it is written, the score."""

    number: int
    query: str
    document: str
    rank: str
    score: float


def write_run(path: Path, run: Iterable[tuple[str, list[str], list[float]]], tag: str) -> None:
    """Writes a run, ranks from 1, scores as the shortest decimals that give the same float32; `.gz` is compressed.

    The bytes depend only on the run and the tag: the compressed file contains no time.

    Args:
        path: the file.
        run: for each query its id, the document ids best first, their scores.
        tag: name of the run.

    Raises:
        DatasetError: an id that a column cannot contain, as one with white space.
    """
    end = f' {"".join("_" if c.isspace() else c for c in tag) or "run"}\n'
    with replacing(path) as part, open(part, "wb") as raw, contextlib.ExitStack() as opened:
        out: io.BufferedIOBase = raw
        if path.suffix == ".gz":
            out = opened.enter_context(gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0))
        # A query is compressed while the next one is made to text: zlib releases the interpreter's lock.
        compressor = opened.enter_context(ThreadPoolExecutor(1, "harness-compress"))
        written: Future[int] | None = None
        for block in _blocks(run, end):
            if written is not None:
                written.result()
            written = compressor.submit(out.write, block)
        if written is not None:
            written.result()


def _blocks(run: Iterable[tuple[str, list[str], list[float]]], end: str) -> Iterator[bytes]:
    """The lines of each query."""
    checked: set[str] = set()
    ranks: list[str] = []
    for query, documents, scores in run:
        _check((query, *(document for document in documents if document not in checked)), "run")
        if len(checked) > CHECKED:
            checked.clear()
        checked.update(documents)
        ranks += [f" {rank} " for rank in range(len(ranks) + 1, len(documents) + 1)]
        start, texts = f"{query} Q0 ", map(str, np.array(scores, np.float32))
        lines = zip(documents, ranks[: len(documents)], texts, strict=True)
        yield "".join([f"{start}{document}{rank}{score}{end}" for document, rank, score in lines]).encode()


def read_run(path: Path, see: Callable[[RunLine], None] | None = None) -> dict[str, dict[str, float]]:
    """Query id → document id → score.

    Args:
        path: the file, in any form that `harness.data.lines` reads.
        see: called with each line, in the order of the file.

    Raises:
        DatasetError: missing, not text, a line without six columns, a score that is not a number, a document twice for
            a query.
    """
    if not there(path.exists):
        raise DatasetError(f"there is no run file {path}.")
    rankings: dict[str, dict[str, float]] = {}
    for line in _run_lines(path):
        ranking = rankings.setdefault(line.query, {})
        if line.document in ranking:
            repeated = f"document {line.document!r} occurs a second time in the ranking of query {line.query!r}."
            raise DatasetError(f"{path}, line {line.number}: {repeated} Delete one of the lines.")
        ranking[line.document] = line.score
        if see is not None:
            see(line)
    if not rankings:
        raise DatasetError(f"{path} contains no ranking.")
    return rankings


def _run_lines(path: Path) -> Iterator[RunLine]:
    for number, line in lines(path):
        if wrong := joined(line):
            raise DatasetError(f"{path}, line {number}: {wrong}")
        columns = _COLUMNS.split(line.strip(WHITE))
        if len(columns) != 6:
            shape = "a TREC run has six: query Q0 document rank score tag."
            raise DatasetError(f"{path}, line {number}: {len(columns)} columns; {shape}{unseen(line)}")
        query, _, document, rank, score, _ = columns
        yield RunLine(number, query, document, rank, _score(score, f"{path}, line {number}"))


def _score(text: str, where: str) -> float:
    try:
        value = float(text) if text.isascii() and "_" not in text else None  # not read by trec_eval's strtod
    except ValueError:
        value = None
    if value is None:
        raise DatasetError(f"{where}: score {text!r} is not a number.{unseen(text)}")
    if not math.isfinite(value) or abs(value) >= TOO_GREAT:
        advice = "correct it, or divide all scores by the same number"
        raise DatasetError(f"{where}: score {text!r} is not a finite number of 32 bits; {advice}.")
    return value


def write_topics(path: Path, queries: Queries) -> None:
    """Writes topics by the file's ending: `.tsv`, `.xml` (`<topic number="…"><query>`), else SGML (`<top>`, `<num>`,
    `<title>`).

    Each text is written on one line with single spaces.

    Raises:
        DatasetError: an id that a column, or a text that the form cannot contain.
    """
    _check(queries.ids, "topics file")
    topics = [(query, " ".join(text.split())) for query, text in zip(queries.ids, queries.texts, strict=True)]
    if path.suffix == ".tsv":
        lines = [f"{query}\t{text}\n" for query, text in topics]
    elif path.suffix == ".xml":
        _check_characters(topics)
        elements = [
            f"<topic number={quoteattr(query)}>\n<query>{escape(text)}</query>\n</topic>\n" for query, text in topics
        ]
        lines = ['<?xml version="1.0" encoding="utf-8"?>\n<topics>\n', *elements, "</topics>\n"]
    else:
        lines = [f"<top>\n<num> Number: {escape(query)}\n<title> {escape(text)}\n</top>\n\n" for query, text in topics]
    write_text(path, "".join(lines))


def write_qrels(path: Path, qrels: Qrels) -> None:
    """Writes `query 0 document grade`, grades as they are.

    Raises:
        DatasetError: an id that a column cannot contain, as one with white space.
    """
    for query, grades in qrels.items():
        _check((query, *grades), "qrels file")
    write_text(
        path, "".join(f"{query} 0 {d} {grade}\n" for query, grades in qrels.items() for d, grade in grades.items())
    )


def _check(names: Iterable[str], what: str) -> None:
    for name in names:
        if why := unfit(name):
            raise DatasetError(
                f"the id {name!r} {why}, which a TREC {what} cannot represent: change it in the collection."
            )


def _check_characters(topics: Iterable[tuple[str, str]]) -> None:
    """XML 1.0 has no control characters; white space is already a space."""
    for query, text in topics:
        wrong = next((c for c in query + text if ord(c) < 0x20 or c in "\x7f\ufffe\uffff"), None)
        if wrong is not None:
            raise DatasetError(
                f"query {query!r} contains the character {wrong!r}, which XML cannot represent: write .tsv."
            )
