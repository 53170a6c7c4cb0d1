"""Queries: made from sampled documents by generators, several kinds in turn, or read from a log of real ones."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from harness.base.errors import DatasetError
from harness.collection.jsonl import read_queries
from harness.data.corpus import Corpus
from harness.data.lines import lines
from harness.endpoints.meter import Estimate
from harness.generators import Generator, Question, plain, questions, tidy
from harness.generators.chat import Chat
from harness.runtime.context import Context

_ABOUT: Final = (
    "Below is a passage of a collection that people search. Write {n} search queries, one a line and nothing else, "
    "each of a person who does not know the passage but is satisfied by it. "
)
PROMPTS: Final = {
    "keywords": _ABOUT + "Each has two to five key words and is no sentence.\n\nPassage:\n{document}",
    "question": _ABOUT + "Each is a complete question as one asks a colleague.\n\nPassage:\n{document}",
    "paraphrase": _ABOUT
    + "Describe the need in everyday words: use none of the rare words, names or numbers of the passage.\n\n"
    "Passage:\n{document}",
}
"""Kind of query → prompt of a chat model; a chat generator with a prompt of its own is used as it is."""
MOST_LINES = 100_000
"""Lines of a log that are read."""


@dataclass(frozen=True)
class Made:
    """A query and what made it.

    Args:
        text: as a user would type it.
        row: of the document that it was made from; −1 for a real query.
        kind: `title`, `sentence`, `phrase`, `keywords`, `question`, `paraphrase`, `log`.
        generator: its expression; empty for a real query.
        alone: whether no document is like its own, so that its own is the answer though the query is a part of it.
    """

    text: str
    row: int
    kind: str
    generator: str
    alone: bool = False

    @property
    def is_part(self) -> bool:
        """Whether the query is a part of its document. It is then left out of its ranking, as a query that is itself
        a document: every row finds it, those that match words before all others, and it says nothing of the rest.
        """
        return self.row >= 0 and self.generator.startswith("extractive") and not self.alone

    def id(self, corpus: Corpus) -> str:
        """From the text, so that the same query has the same id in every set; of a part, the id of its document."""
        if self.is_part:
            return str(corpus.ids(np.array([self.row]))[0])
        return "q" + hashlib.sha256(f"{self.row} {self.text}".encode()).hexdigest()[:10]


def asking(generators: Sequence[Generator], rows: Sequence[int]) -> list[tuple[Generator, str, Sequence[int]]]:
    """The generators that are asked, each with the kind of its queries and the documents that it is asked about.

    The kind is empty if each query says its own. A chat model, which is paid by the request, is asked about each
    document once: about every third one for each kind of `PROMPTS`.
    """
    asked: list[tuple[Generator, str, Sequence[int]]] = []
    for generator in generators:
        if isinstance(generator, Chat) and generator.prompt == type(generator).prompt:
            for place, (kind, prompt) in enumerate(PROMPTS.items()):
                if own := rows[place :: len(PROMPTS)]:
                    asked.append((dataclasses.replace(generator, prompt=prompt, per_document=1), kind, own))
        else:
            asked.append((generator, "" if generator.name() == "extractive" else "question", rows))
    return asked


def made(generators: Sequence[Generator], corpus: Corpus, rows: Sequence[int], context: Context) -> list[Made]:
    """All queries about the sampled documents, in the order of the documents, kinds in turn.

    Raises:
        ModelError: no generator makes a usable query.
    """
    by_row: dict[int, list[Made]] = {row: [] for row in rows}
    for generator, kind, own in asking(generators, rows):
        for question in questions(generator, corpus, own, context).questions:
            by_row[question.row].append(_made(question, kind, generator))
    return [each for row in rows for each in by_row[row]]


def estimate(generators: Sequence[Generator], corpus: Corpus, rows: Sequence[int]) -> Estimate | None:
    """What the generators cost if no answer is cached; None if nothing."""
    total: Estimate | None = None
    for generator, _, own in asking(generators, rows):
        if isinstance(generator, Chat):
            cost = generator.estimate(corpus, own)
            total = cost if total is None else total + cost
    return total


def one_each(candidates: Sequence[Made], wanted: int) -> list[Made]:
    """At most `wanted` queries: of each document one before any has two, kinds as even as they can be."""
    chosen: list[Made] = []
    left: dict[int, list[Made]] = {}
    for each in candidates:
        left.setdefault(each.row, []).append(each)
    kinds: Counter[str] = Counter()
    while len(chosen) < wanted and left:
        for row in list(left):
            if len(chosen) == wanted:
                break
            best = min(left[row], key=lambda each: kinds[each.kind])
            kinds[best.kind] += 1
            chosen.append(best)
            left[row].remove(best)
            if not left[row]:
                del left[row]
    return chosen


def one_part_each(candidates: Sequence[Made]) -> list[Made]:
    """The queries without further parts of a document that has one: their ids are those of the documents."""
    seen: set[int] = set()
    kept = []
    for each in candidates:
        if not each.is_part or each.row not in seen:
            kept.append(each)
        if each.is_part:
            seen.add(each.row)
    return kept


def from_log(path: Path, wanted: int, context: Context) -> list[Made]:
    """Real queries, one a line or in a BEIR `queries.jsonl`: repeated ones count once, at most so many, in random
    order, so that the first ones are no part of the log.

    Raises:
        DatasetError: the file cannot be read, or has no query.
    """
    texts: dict[str, str] = {}
    json = path.name.removesuffix(".gz").endswith(".jsonl")
    every = (text for _, _, text in read_queries(path)) if json else (line for _, line in lines(path))
    for line in every:
        text = tidy(line)
        if plain(text):
            texts.setdefault(plain(text), text)
        if len(texts) >= MOST_LINES:
            break
    if not texts:
        raise DatasetError(f"{path} has no query; write one query a line.")
    distinct = list(texts.values())
    order = context.rng("testset log").permutation(len(distinct))[:wanted]
    return [Made(distinct[place], -1, "log", "") for place in order.tolist()]


def _made(question: Question, kind: str, generator: Generator) -> Made:
    return Made(question.text, question.row, kind or question.origin, str(generator))
