"""TREC topics: SGML as in the ad hoc tracks, XML as in the later ones, and tab-separated ids and texts.

What is asked is the title of a topic, the short query of the ad hoc tracks, or its `<query>`; a topic of text alone is
asked whole. Description and narrative say what is relevant and are not read.

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

ASKED = ("title", "query")
"""Fields of a topic that hold what is asked, the first that is there."""
ENDINGS = (".tsv", ".txt", ".xml", ".sgml", ".trec")
_TAG = re.compile(r"\s*<(/?)(\w+)\s*>\s*(.*)", re.DOTALL)
_CLOSED = re.compile(r"</\w+\s*>\s*$")
_LABEL = {"num": re.compile(r"^Number\s*:\s*"), "title": re.compile(r"^Topic\s*:\s*")}
_NUMBERS = ("number", "num", "id")

Topic = tuple[int, str, str]
"""Line, id, text."""


def read_topics(path: Path, report: OnFault = refuse, trim: Trim | None = None) -> Iterator[Topic]:
    """Line number, id and text of each topic of a file, plain or gzip.

    The endings `.tsv` and `.xml` say the form; of any other the first line does.

    Args:
        path: the file.
        report: told of each malformed topic and each repeated id; that topic is then skipped.
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
            report(Fault("columns", path, number, "no tab; a line is a query's id, a tab and its text."))
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
                yield from _asked(fields, path, start, report)
            elif start:
                report(
                    Fault(
                        "topic", path, number, f"the topic of line {start} is not closed; put </top> before this one."
                    )
                )
            fields, start, reading = {}, 0 if closes else number, ""
        elif not closes:
            reading = name
            fields.setdefault(name, []).append(rest)
        else:
            reading = ""
    if start:
        report(
            Fault(
                "topic",
                path,
                number,
                f"the topic of line {start} is not closed; the file is cut short or lacks </top>.",
            )
        )


def _asked(fields: dict[str, list[str]], path: Path, start: int, report: OnFault) -> Iterator[Topic]:
    held = {}
    for name, parts in fields.items():
        text = " ".join(html.unescape(_CLOSED.sub("", part)) for part in parts).strip(WHITE)
        text = _LABEL[name].sub("", text) if name in _LABEL else text
        held[name] = text.strip(WHITE) if name == "num" else " ".join(text.split())
    query = held.get("num", "")
    text = next((held[name] for name in ASKED if held.get(name)), "")
    if not text:
        report(Fault("missing-text", path, start, f"topic {query!r} has no <title> and no <query>; give it one."))
        return
    yield start, query, text


class _Topics:
    """Collects the topics of an XML file: for each its line and its fields; what stands in none is under the empty
    name.
    """

    def __init__(self) -> None:
        self.found: list[tuple[int, dict[str, str]]] = []
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
            self.found.append((self._line, self._topic))
            self._topic = None
            return
        self._depth -= 1
        if self._depth == 0:
            self._field = ""

    def _text(self, data: str) -> None:
        if self._topic is not None:
            self._topic[self._field] = self._topic.get(self._field, "") + data


def _xml(path: Path, report: OnFault) -> Iterator[Topic]:
    read = _Topics()
    try:
        for line in _every_line(path, report):
            read.parser.Parse(line, False)
        read.parser.Parse("", True)
    except expat.ExpatError as error:
        report(Fault("xml", path, error.lineno, f"not XML: {expat.errors.messages[error.code]}."))
    for place, topic in read.found:
        held = {name: text.strip(WHITE) if name == "num" else " ".join(text.split()) for name, text in topic.items()}
        asked = next((held[name] for name in ASKED if held.get(name)), held[""] if len(held) == 2 else "")
        if not asked:
            report(
                Fault("missing-text", path, place, f"topic {held['num']!r} has no <title> and no <query>; give it one.")
            )
            continue
        yield place, held["num"], asked


def _every_line(path: Path, report: OnFault) -> Iterator[str]:
    """The lines with the blank ones put back, so that the parser counts as the file does; the encoding is settled by
    then.
    """
    done = 0
    for number, line in lines(path, report):
        text = re.sub(r"""(<\?xml[^>]*?)\sencoding=(["'])[^"']*\2""", r"\1", line) if done == 0 else line
        yield "\n" * (number - done - 1) + text + "\n"
        done = number
