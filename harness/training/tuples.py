"""Tuples (query, positive, negative, margin): what GPL trains on; they are written and read as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.base.errors import DatasetError
from harness.base.files import write_text
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.leaks.history import TrainedQuery
from harness.methods import Method
from harness.runtime.context import Context
from harness.training.margins import scores_of

FIELDS = ("query", "positive", "negative", "margin")


class Seen:
    """Texts of documents as they are read, each once.

    Attributes:
        ids: of each, the document it comes from; empty if that is not known.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self.ids: list[str] = []

    def add(self, texts: Sequence[str], ids: Sequence[str]) -> Ints:
        """(N,) places of N texts; a text that is there already keeps its first id."""
        places = []
        for text, name in zip(texts, ids, strict=True):
            if text not in self._places:
                self._places[text] = len(self._places)
                self.ids.append(name)
            places.append(self._places[text])
        return np.array(places, dtype=np.int64)

    def corpus(self) -> Corpus:
        """All of them, row by row."""
        return Corpus.of((str(place), "", text) for text, place in self._places.items())


@dataclass(frozen=True)
class Tuples:
    """E tuples, in the order of training.

    Args:
        queries: Q texts.
        seen: the texts of all documents, as the student and the teacher read them.
        ids: of the documents of `seen` in the collection; empty for a text that is none of its.
        query: (E,) numbers of queries.
        positive: (E,) rows of `seen`.
        negative: (E,) the same.
        margins: (E,) teacher(query, positive) − teacher(query, negative).
        per_pass: tuples of one pass; None: all.
        facts: JSON-safe, for the record.
        notes: for readers of the results.
    """

    queries: Sequence[str]
    seen: Corpus
    ids: Sequence[str]
    query: Ints
    positive: Ints
    negative: Ints
    margins: Floats
    per_pass: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.margins)

    def margins_of(self, judge: Method, view: TrainView, context: Context, count: int | None = None) -> Floats:
        """(E,) margins of the tuples by another judge, or of the first ones.

        Args:
            judge: scores pairs.
            view: what it is fitted on.
            context: cache.
            count: of so many; None: of all.
        """
        documents = np.column_stack([self.positive, self.negative])[:count]
        scores = scores_of(judge, self.queries, self.query[:count], documents, TrainView(self.seen), context, view)
        return scores[:, 0] - scores[:, 1]

    def trained_queries(self, view: TrainView) -> list[TrainedQuery]:
        """Each query with the ids of its positives that are in the corpus."""
        rows = view.corpus.rows(list(self.ids))
        documents: dict[int, dict[str, None]] = {}
        for number, place in zip(self.query.tolist(), self.positive.tolist(), strict=True):
            own = documents.setdefault(number, {})
            if rows[place] >= 0:
                own[self.ids[place]] = None
        return [TrainedQuery("generated", self.queries[number], tuple(own)) for number, own in documents.items()]

    def write(self, path: Path) -> None:
        """Writes a line for each tuple: a JSON object with `query`, `positive`, `negative` (texts), `margin`, and the
        ids of both documents if they are in the collection.
        """
        texts = self.seen.texts
        lines = []
        for number, good, bad, margin in zip(
            self.query.tolist(), self.positive.tolist(), self.negative.tolist(), self.margins.tolist(), strict=True
        ):
            line = {"query": self.queries[number], "positive": texts[good], "negative": texts[bad], "margin": margin}
            named = {"positive_id": self.ids[good], "negative_id": self.ids[bad]}
            lines.append(json.dumps({**line, **{name: value for name, value in named.items() if value}}) + "\n")
        write_text(path, "".join(lines))


def read_tuples(path: Path) -> Tuples:
    """Reads what `Tuples.write` wrote; the ids may be missing.

    Raises:
        DatasetError: the file cannot be read, or a line is not such a tuple; the message names it.
    """
    queries: dict[str, int] = {}
    seen = Seen()
    found: list[tuple[int, int, int, float]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"the tuples {path} cannot be read: {error}") from error
    for number, line in enumerate(filter(str.strip, lines), 1):
        query, positive, negative, margin, names = _parsed(line, f"{path}, line {number}")
        places = seen.add((positive, negative), names)
        found.append((queries.setdefault(query, len(queries)), int(places[0]), int(places[1]), margin))
    if not found:
        raise DatasetError(f"the tuples {path} are empty.")
    query_numbers, positives, negatives, margins = zip(*found, strict=True)
    return Tuples(
        list(queries),
        seen.corpus(),
        seen.ids,
        np.array(query_numbers, dtype=np.int64),
        np.array(positives, dtype=np.int64),
        np.array(negatives, dtype=np.int64),
        np.array(margins, dtype=np.float32),
        facts={"tuples": path.name},
    )


def _parsed(line: str, where: str) -> tuple[str, str, str, float, tuple[str, str]]:
    try:
        one = json.loads(line)
        texts = [one[name] for name in FIELDS[:3]]
        margin = float(one["margin"])
        if not (all(isinstance(text, str) for text in texts) and np.isfinite(margin)):
            raise ValueError("query, positive and negative must be texts and margin a number")
        names = (str(one.get("positive_id", "")), str(one.get("negative_id", "")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetError(
            f'{where} is no tuple ({error!r}); write {{"query": …, "positive": …, "negative": …, "margin": …}}.'
        ) from error
    return texts[0], texts[1], texts[2], margin, names
