"""Judgements: BEIR's three tab-separated columns under a header, and TREC's four columns without one.

BEIR's columns are CSV's, as its `GenericDataLoader` reads them: double quotes around a cell are removed, and a
doubled quote inside is one. A cell that only begins with a quote is left as it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.data.ids import WHITE, Trim
from harness.data.invisible import joined, unseen
from harness.data.lines import Fault, OnFault, lines, refuse

HEADER = ("query-id", "corpus-id", "score")
GREATEST = 1_000_000
"""The greatest grade that is read: trec_eval counts every grade up to the greatest, which takes 8 GB for 10⁹."""
_COLUMNS = re.compile(f"[{WHITE}]+")
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)


class Judgement(NamedTuple):
    """One line of a qrels file."""

    line: int
    query: str
    document: str
    grade: int


def read_qrels(path: Path, report: OnFault = refuse, trim: Trim | None = None) -> dict[str, dict[str, int]]:
    """Query id → document id → grade, in the order of the file; BEIR's format for `.tsv`, TREC's otherwise.

    The same pair twice with one grade counts once.

    Args:
        path: the file.
        report: called with each malformed line and each contradiction; that line is then skipped.
        trim: the rule for ids (`harness.data.ids`), which counts what it changes.

    Raises:
        DatasetError: with the default `report`, at the first malformed line, or if one pair has two grades.
    """
    qrels: dict[str, dict[str, int]] = {}
    for line, query, document, grade in judgements(path, report, trim):
        grades = qrels.setdefault(query, {})
        if grades.setdefault(document, grade) != grade:
            message = (
                f"query {query!r} and document {document!r} are judged {grade} here and {grades[document]} "
                f"on line {_line_of(path, query, document)}; delete one of the two lines."
            )
            report(Fault("contradiction", path, line, message))
    return qrels


def judgements(path: Path, report: OnFault = refuse, trim: Trim | None = None) -> Iterator[Judgement]:
    """The well-formed lines of a qrels file, repeated pairs included.

    Raises:
        DatasetError: with the default `report`, at the first malformed line.
    """
    rows = _beir(path, report, trim or Trim()) if path.suffix == ".tsv" else _trec(path, report)
    for line, query, document, grade in rows:
        if not _INTEGER.fullmatch(grade):
            message = f"grade {grade!r} is not an integer; write 0 for not relevant and 1 or more for relevant."
            report(Fault("grade", path, line, message + unseen(grade)))
            continue
        if abs(int(grade)) > GREATEST:
            message = f"grade {grade} is beyond {GREATEST:,}; grades are mostly 0 to 4: is it in the wrong column?"
            report(Fault("grade", path, line, message))
            continue
        yield Judgement(line, query, document, int(grade))


def _beir(path: Path, report: OnFault, trim: Trim) -> Iterator[tuple[int, str, str, str]]:
    add = "the first line must be " + "\\t".join(HEADER) + " (three columns, separated by tabs)"
    headed = False
    for number, line in _unjoined(path, report):
        cells = [_unquoted(cell) for cell in line.split("\t")]
        if not headed:
            headed = True
            if tuple(c.strip().lower().replace("_", "-") for c in cells) == HEADER:
                continue
            advice = ""
            if len(line.split()) == 4 and _INTEGER.fullmatch(line.split()[3]):
                advice = "; this looks like TREC qrels: name the file .qrels instead of .tsv to have it read as such"
            elif _INTEGER.fullmatch(cells[-1].strip()):
                advice = "; add the header above it"
            report(Fault("header", path, number, f"no header: {add}; it is {line.strip()!r}{advice}."))
            if not _INTEGER.fullmatch(cells[-1].strip()):
                continue  # a header in other words, not a judgement
        if len(cells) != 3:
            hint = " (separate them by tabs, not spaces)" if len(cells) == 1 and len(line.split()) == 3 else ""
            message = f"{len(cells)} columns, 3 are expected: query-id, corpus-id and score{hint}."
            report(Fault("columns", path, number, message + unseen(line)))
            continue
        query, document = trim(cells[0]), trim(cells[1])
        if not (query and document):
            report(Fault("columns", path, number, "an id is empty; add it or delete the line."))
            continue
        yield number, query, document, cells[2].strip()


def _unjoined(path: Path, report: OnFault) -> Iterator[tuple[int, str]]:
    """The lines of a file; one that begins with a byte order mark, left from joining two files, is reported."""
    for number, line in lines(path, report):
        if wrong := joined(line):
            report(Fault("joined", path, number, wrong))
            continue
        yield number, line


def _unquoted(cell: str) -> str:
    """A cell without CSV's quotes; unchanged if they are incomplete."""
    if not cell.startswith('"'):
        return cell
    try:
        return next(csv.reader([cell], delimiter="\t", strict=True))[0]
    except csv.Error:
        return cell


def _trec(path: Path, report: OnFault) -> Iterator[tuple[int, str, str, str]]:
    for number, line in _unjoined(path, report):
        cells = _COLUMNS.split(line.strip(WHITE))
        if len(cells) != 4:
            message = (
                f"{len(cells)} columns, 4 are expected, separated by spaces: query id, iteration, document id, grade."
            )
            if tuple(c.lower().replace("_", "-") for c in cells) == HEADER:
                message += " This looks like BEIR qrels: name the file .tsv to have it read as such."
            message += unseen(line)
            report(Fault("columns", path, number, message))
            continue
        yield number, cells[0], cells[2], cells[3]


def _line_of(path: Path, query: str, document: str) -> int:
    """Line on which a pair is first judged. The file is read again, since only faulty files need it."""
    rows = judgements(path, lambda _: None)
    return next((j.line for j in rows if (j.query, j.document) == (query, document)), 0)
