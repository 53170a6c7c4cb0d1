"""Generators: passages → questions for recipes that need no labels and for expanded documents, one way per file.

To add one: a file here with one frozen dataclass that derives from `Generator`, and `tests/generators/test_<file>.py`.
A generator is called through `questions`, which caches its questions and drops unusable ones, or, to expand documents,
through `every_question`.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from harness.base.errors import ModelError, SettingError
from harness.cache.code import MODELS, code_of
from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.corpus import Corpus
from harness.runtime.context import Context

_SPACE = re.compile(r"\s+")
_FILE = "questions.json"


@dataclass(frozen=True)
class Question:
    """A question that one document answers.

    Args:
        text: as a user would type it.
        row: row of the corpus it was made from.
        origin: `title`, `sentence`, `phrase`, or the name of the model that wrote it.
    """

    text: str
    row: int
    origin: str


@dataclass(frozen=True)
class Generated:
    """The questions made of some documents.

    Args:
        questions: the usable ones, in the order of the requested rows.
        documents: number of distinct documents.
        dropped: why → how many: `empty`, `too long`, `whole document`, `repeated`, `shared`.
    """

    questions: tuple[Question, ...]
    documents: int
    dropped: Mapping[str, int]


class Generator(Value, ABC):
    """A way to make questions from passages: settings only."""

    room: ClassVar[str] = "harness.generators"

    per_document: int = 3
    """Questions wanted of each document; short documents may give fewer."""

    @abstractmethod
    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        """Questions about the documents of these rows, one after the other, in the order of the rows.

        Call `questions` or `every_question` instead.

        Random numbers come from `context.rng("generate …")`, never from a global generator.

        Args:
            corpus: all documents.
            rows: distinct rows to make questions of.
            context: seed, cache, device, progress.

        Raises:
            Unavailable: a model or service is not available.
            HarnessError: it gives no valid answer.
        """

    def inputs(self, context: Context) -> dict[str, str]:
        """Hashes of the models that the settings name, as `Method.inputs`: name → hash of a model folder.

        Raises:
            Unavailable: it is not available.
        """
        return {}


GENERATORS: Room[Generator] = Room(__name__, Generator, "generator")  # type: ignore[type-abstract]


def questions(generator: Generator, corpus: Corpus, rows: Sequence[int], context: Context) -> Generated:
    """The usable questions that a generator makes of some documents; made once, then read from the cache.

    White space is normalised. A question is dropped that is empty, longer in characters than its document, the whole
    document, a repetition (case and closing punctuation aside) of one from the same document, or shared: the same as
    one from another document. A shared one is dropped for all its documents, since each of them answers it: with
    one of them as its document, the others would be trained as wrong answers.

    The key contains the corpus's revision and the rows, since a generator may weigh a document against all others.

    Args:
        generator: makes them.
        corpus: all documents.
        rows: rows to make questions of; repetitions are ignored.
        context: seed and cache.

    Raises:
        SettingError: no rows.
        ModelError: no question is usable.
        HarnessError: what the generator raises; then only what it caches itself is cached.
    """
    rows = list(dict.fromkeys(int(row) for row in rows))
    if not rows:
        raise SettingError(f"{generator}: no document was requested; name at least one row of the corpus.")
    if min(rows) < 0 or max(rows) >= len(corpus):
        raise IndexError(f"rows {min(rows)} to {max(rows)} were requested from a corpus of {len(corpus)} documents")
    decided_by = {
        **deciding(generator, corpus, context),
        "rows": hashlib.sha256(np.asarray(rows, dtype="<i8").tobytes()).hexdigest(),
    }
    key = hashlib.sha256(json.dumps(decided_by, sort_keys=True).encode()).hexdigest()[:32]

    def build(folder: Path) -> None:
        usable = _usable(generator, corpus, rows, context)
        content = {"dropped": dict(usable.dropped), "questions": [[q.text, q.row, q.origin] for q in usable.questions]}
        (folder / _FILE).write_text(json.dumps(content), encoding="utf-8")

    describe = {"generator": str(generator), "documents": len(rows), **decided_by}
    place = context.cache.folder("questions", key, describe, build)
    stored = json.loads((place / _FILE).read_text(encoding="utf-8"))
    return Generated(tuple(Question(*each) for each in stored["questions"]), len(rows), stored["dropped"])


def every_question(generator: Generator, corpus: Corpus, context: Context) -> Iterator[Question]:
    """All questions about all documents, in the order of the rows, to expand the documents with; none stays in memory.

    White space is normalised, and questions without a word are left out. No others are: a repeated question is a likely
    one and gets more weight, and a question that two documents answer belongs to both. The generator itself caches what
    was slow or paid for.

    Args:
        generator: makes them.
        corpus: all documents.
        context: seed and cache.

    Raises:
        HarnessError: what the generator raises.
    """
    for made in generator.generate(corpus, range(len(corpus)), context):
        question = replace(made, text=tidy(made.text))
        if plain(question.text):
            yield question


def deciding(generator: Generator, corpus: Corpus, context: Context) -> dict[str, Any]:
    """JSON-safe: all that decides the questions of a document of this corpus.

    Raises:
        Unavailable: a model is not available.
    """
    inputs = generator.inputs(context)
    return {
        "generator": generator.fingerprint(),
        "inputs": inputs,
        "corpus": corpus.revision,
        "seed": context.seed,
        "code": code_of("harness.generators", generator, libraries=MODELS if inputs else ()),
    }


def tidy(text: str) -> str:
    """The text with each run of white space as one space, none at its ends."""
    return _SPACE.sub(" ", text).strip()


def plain(text: str) -> str:
    """The text without case, runs of white space and closing punctuation, by which questions are compared."""
    return tidy(text).casefold().rstrip(" .?!…")


def _usable(generator: Generator, corpus: Corpus, rows: Sequence[int], context: Context) -> Generated:
    texts = corpus.texts_of(np.asarray(rows, dtype=np.int64))
    places = {row: place for place, row in enumerate(rows)}
    dropped: Counter[str] = Counter()
    distinct: dict[tuple[str, int], Question] = {}
    for made in generator.generate(corpus, rows, context):
        question = replace(made, text=tidy(made.text))
        fault = _fault(question.text, tidy(texts[places[question.row]]))
        if fault is None and (plain(question.text), question.row) in distinct:
            fault = "repeated"
        if fault is None:
            distinct[plain(question.text), question.row] = question
        else:
            dropped[fault] += 1
    documents = Counter(text for text, _ in distinct)
    usable = [question for (text, _), question in distinct.items() if documents[text] == 1]
    if len(usable) < len(distinct):
        dropped["shared"] = len(distinct) - len(usable)
    if not usable:
        raise _no_question(generator, corpus, rows, dropped)
    usable.sort(key=lambda question: places[question.row])
    return Generated(tuple(usable), len(rows), dict(dropped))


def _no_question(generator: Generator, corpus: Corpus, rows: Sequence[int], dropped: Mapping[str, int]) -> ModelError:
    ids = corpus.ids(np.asarray(rows[:3], dtype=np.int64))
    why = ", ".join(f"{count} {name}" for name, count in sorted(dropped.items())) or "it made none"
    return ModelError(
        f"{generator} made no usable question of the {len(rows)} requested documents (first "
        f"{', '.join(map(repr, ids))}): {why}. "
        "Request more or longer documents, or another generator; `extractive` needs no model."
    )


def _fault(question: str, document: str) -> str | None:
    """Why a question cannot be used; None if it can."""
    if not plain(question):
        return "empty"
    if plain(question) == plain(document):
        return "whole document"
    if len(question) > len(document):
        return "too long"
    return None
