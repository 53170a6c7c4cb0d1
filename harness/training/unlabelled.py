"""Questions made from the corpus: pairs for recipes that need no labels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Ints
from harness.generators import Generator, Question, questions
from harness.leaks.history import Taught
from harness.runtime.context import Context


@dataclass(frozen=True)
class Asked:
    """N made questions, each with the document it was made from.

    Args:
        queries: their texts, numbered `g0`, `g1` …
        pairs: (question number, row of its document).
        known: per question, the rows that are not its negatives: its own document.
        questions: with their provenance.
        facts: JSON-safe, for the record.
    """

    queries: Queries
    pairs: list[tuple[int, int]]
    known: list[Ints]
    questions: tuple[Question, ...]
    facts: dict[str, Any]

    def taught(self, view: TrainView) -> list[Taught]:
        """What a model learns from them: each question with the document it was made from."""
        rows = np.array([row for _, row in self.pairs], dtype=np.int64)
        numbers = [number for number, _ in self.pairs]
        ids = view.corpus.ids(rows)
        return [Taught("generated", self.queries.texts[i], (own,)) for i, own in zip(numbers, ids, strict=True)]

    def documents(self, view: TrainView, context: Context, hide: float) -> list[str]:
        """The text of each question's document; in a share `hide` of them the question's own words are taken out.

        Source: the inverse cloze task, Lee et al. (1906.00300), section 4: the sentence stays in 10 % of the passages,
        so that exact matches are still learnt.
        """
        rng = context.rng("hide")
        texts = view.corpus.texts_of(np.array([row for _, row in self.pairs], dtype=np.int64))[:]
        hidden = rng.random(len(texts)) < hide
        return [
            (without_words if question.origin == "phrase" else without)(text, question.text) if gone else text
            for text, question, gone in zip(texts, self.questions, hidden, strict=True)
        ]


def asked(generator: Generator, view: TrainView, context: Context, documents: int) -> Asked:
    """Questions to a seeded sample of the corpus.

    Args:
        generator: makes them.
        view: whose corpus.
        context: seed, cache.
        documents: at most so many documents are asked about.

    Raises:
        HarnessError: the generator made nothing that can be used.
    """
    size = len(view.corpus)
    rows = (
        np.arange(size) if size <= documents else np.sort(context.rng("asked documents").permutation(size)[:documents])
    )
    made = questions(generator, view.corpus, rows.tolist(), context)
    found = made.questions
    queries = Queries([f"g{i}" for i in range(len(found))], [question.text for question in found])
    pairs = [(i, question.row) for i, question in enumerate(found)]
    known = [np.array([question.row], dtype=np.int64) for question in found]
    origins: dict[str, int] = {}
    for question in found:
        origins[question.origin] = origins.get(question.origin, 0) + 1
    facts = {
        "generator": str(generator),
        "asked_documents": len(rows),
        "questions": len(found),
        "origins": origins,
        "dropped": dict(made.dropped),
    }
    return Asked(queries, pairs, known, found, facts)


def without(text: str, question: str) -> str:
    """The text without the first copy of the question, whatever its white space; unchanged where nothing else is
    left.
    """
    words = question.split()
    found = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    if found is None:
        return text
    rest = f"{text[: found.start()].rstrip()} {text[found.end() :].lstrip(' .')}".strip()
    return rest or text


def without_words(text: str, question: str) -> str:
    """The text without any of the question's words, for questions whose words do not stand together in it."""
    if not question.split():
        return text
    pattern = rf"\b(?:{'|'.join(map(re.escape, question.split()))})\b"
    rest = " ".join(re.sub(pattern, " ", text, flags=re.IGNORECASE).split())
    return rest or text
