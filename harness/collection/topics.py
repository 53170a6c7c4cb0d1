"""TREC topics: SGML as in the ad hoc tracks, XML as in the later ones, and tab-separated ids and texts.

The query is the title of a topic, as in the ad hoc tracks, or its `<query>`; of a topic without fields it is the whole
text. Description and narrative say what is relevant and are not read.

Source: Voorhees and Harman, "TREC: Experiment and Evaluation in Information Retrieval" (2005), chapter 2, for the SGML
form, whose tags open a line and are mostly not closed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from harness.data.ids import WHITE, Trim
from harness.data.lines import Fault, OnFault, lines, refuse

QUERY_FIELDS = ("title", "query")
"""Fields of a topic with the query; the first one that a topic has is taken."""
ENDINGS = (".tsv", ".txt", ".xml", ".sgml", ".trec")
_TAG = re.compile(r"\s*<(/?)(\w+)\s*>\s*(.*)", re.DOTALL)
_CLOSED = re.compile(r"</\w+\s*>\s*$")
_LABEL = {"num": re.compile(r"^Number\s*:\s*"), "title": re.compile(r"^Topic\s*:\s*")}
_NUMBERS = ("number", "num", "id")

Topic = tuple[int, str, str]
"""Line, id, text."""


def read_topics(path: Path, report: OnFault = refuse, trim: Trim | None = None) -> Iterator[Topic]:
    """Line number, id and text of each topic of a file, plain or gzip.

    The form follows from the endings `.tsv` and `.xml`, of any other file from its first line.

    Args:
        path: the file.
        report: called with each malformed topic and each repeated id; that topic is then skipped.
        trim: the rule for ids (`harness.data.ids`), which counts what it changes in a `.tsv`; in SGML and XML
            white space around an id is layout.

    Raises:
        DatasetError: with the default `report`, at the first malformed topic or repeated id.
    """
    read = {".tsv": _tsv, ".xml": _xml}.get(Path(path.name.removesuffix(".gz")).suffix)
    if read is None:
        first = next((line.lstrip().lower() for _, line in lines(path, report)), "")
        read = _sgml if first.startswith("<top>") else _xml if first.startswith("<") else _tsv
    trim = (trim or Trim()) if read is _tsv else Trim()
    seen: dict[str, int] = {}
    for line, name, text in read(path, report):
        query = trim(name)
        if query in seen:
            message = f"topic {query!r} is also on line {seen[query]}; ids must be unique: rename or delete one."
            report(Fault("duplicate-query-id", path, line, message))
        elif not query:
            report(Fault("missing-id", path, line, "a topic has no number; give it one."))
        else:
            seen[query] = line
            yield line, query, text


def _tsv(path: Path, report: OnFault) -> Iterator[Topic]:
    for number, line in lines(path, report):
        query, tab, text = line.partition("\t")
        if not tab:
            report(Fault("columns", path, number, "no tab; a line is a query id, a tab and the text of the query."))
            continue
        yield number, query, text.strip()


def _sgml(path: Path, report: OnFault) -> Iterator[Topic]:
    fields: dict[str, list[str]] = {}
    start, reading, number = 0, "", 0
    for number, line in lines(path, report):
        tag = _TAG.match(line)
        if tag is None:
            fields.setdefault(reading, []).append(line)
            continue
        closes, name, rest = bool(tag[1]), tag[2].lower(), tag[3]
        if name == "top":
            if closes:
                yield from _sgml_topic(fields, path, start, report)
            elif start:
                message = f"the topic of line {start} is not closed; put </top> before this one."
                report(Fault("topic", path, number, message))
            fields, start, reading = {}, 0 if closes else number, ""
        elif not closes:
            reading = name
            fields.setdefault(name, []).append(rest)
        else:
            reading = ""
    if start:
        message = f"the topic of line {start} is not closed; the file is cut short or lacks </top>."
        report(Fault("topic", path, number, message))


def _sgml_topic(fields: dict[str, list[str]], path: Path, start: int, report: OnFault) -> Iterator[Topic]:
    texts = {}
    for name, parts in fields.items():
        text = " ".join(html.unescape(_CLOSED.sub("", part)) for part in parts).strip(WHITE)
        if name in _LABEL:
            text = _LABEL[name].sub("", text)
        texts[name] = text.strip(WHITE) if name == "num" else " ".join(text.split())
    query = texts.get("num", "")
    text = next((texts[name] for name in QUERY_FIELDS if texts.get(name)), "")
    if not text:
        report(Fault("missing-text", path, start, f"topic {query!r} has no <title> and no <query>; give it one."))
        return
    yield start, query, text


class _Topics:
    """Collects the topics of an XML file: line and fields of each; text outside of fields has the empty name."""

    def __init__(self) -> None:
        self.topics: list[tuple[int, dict[str, str]]] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._topic: dict[str, str] | None = None
        self._line, self._depth, self._field = 0, 0, ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._topic is not None:
            self._depth += 1
            if self._depth == 1:
                self._field = "num" if name.lower() in _NUMBERS else name.lower()
        elif name.lower() in ("topic", "top"):
            number = next((attributes[n] for n in _NUMBERS if n in attributes), "")
            self._topic = {"": "", "num": number}
            self._line, self._depth, self._field = self.parser.CurrentLineNumber, 0, ""

    def _end(self, name: str) -> None:
        if self._topic is None:
            return
        if self._depth == 0:
            self.topics.append((self._line, self._topic))
            self._topic = None
            return
        self._depth -= 1
        if self._depth == 0:
            self._field = ""

    def _text(self, data: str) -> None:
        if self._topic is not None:
            self._topic[self._field] = self._topic.get(self._field, "") + data


def _xml(path: Path, report: OnFault) -> Iterator[Topic]:
    collected = _Topics()
    try:
        for line in _every_line(path, report):
            collected.parser.Parse(line, False)
        collected.parser.Parse("", True)
    except expat.ExpatError as error:
        report(Fault("xml", path, error.lineno, f"not XML: {expat.errors.messages[error.code]}."))
    for start, topic in collected.topics:
        query = topic.pop("num").strip(WHITE)
        texts = {name: " ".join(text.split()) for name, text in topic.items()}
        whole = texts[""] if len(texts) == 1 else ""  # of a topic without fields
        text = next((texts[name] for name in QUERY_FIELDS if texts.get(name)), whole)
        if not text:
            message = f"topic {query!r} has no <title> and no <query>; give it one."
            report(Fault("missing-text", path, start, message))
            continue
        yield start, query, text


def _every_line(path: Path, report: OnFault) -> Iterator[str]:
    """All lines, blank ones too, so that the parser counts them right; without the encoding, since they are decoded."""
    done = 0
    for number, line in lines(path, report):
        text = re.sub(r"""(<\?xml[^>]*?)\sencoding=(["'])[^"']*\2""", r"\1", line) if done == 0 else line
        yield "\n" * (number - done - 1) + text + "\n"
        done = number
