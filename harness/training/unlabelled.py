"""Questions made from the corpus: pairs for recipes that need no labels."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Ints
from harness.generators import Generator, Question, questions
from harness.leaks.history import TrainedQuery
from harness.runtime.context import Context


@dataclass(frozen=True)
class GeneratedPairs:
    """N generated questions, each with the document it was made from.

    Args:
        queries: their texts, numbered `g0`, `g1` …
        pairs: (question number, row of its document).
        known: per question, the rows that are not its negatives: its own document.
        questions: the same with their origin.
        facts: JSON-safe, for the record.
    """

    queries: Queries
    pairs: list[tuple[int, int]]
    known: list[Ints]
    questions: tuple[Question, ...]
    facts: dict[str, Any]

    def trained_queries(self, view: TrainView) -> list[TrainedQuery]:
        """Each question with the id of the document it was made from."""
        numbers, rows = np.array(self.pairs, dtype=np.int64).T
        texts = [self.queries.texts[number] for number in numbers]
        ids = view.corpus.ids(rows)
        return [TrainedQuery("generated", text, (own,)) for text, own in zip(texts, ids, strict=True)]

    def documents(self, view: TrainView, context: Context, hide: float) -> list[str]:
        """The text of each question's document; in a share `hide` of them the question's own words are removed.

        Source: the inverse cloze task, Lee et al. (1906.00300), section 4: the sentence stays in 10 % of the passages,
        so that exact matches are still learned.
        """
        rng = context.rng("hide")
        texts = view.corpus.texts_of(np.array([row for _, row in self.pairs], dtype=np.int64))[:]
        hidden = rng.random(len(texts)) < hide
        for place in np.flatnonzero(hidden).tolist():
            question = self.questions[place]
            remove = without_words_of if question.origin == "phrase" else without_copy_of
            texts[place] = remove(texts[place], question.text)
        return texts


def generated_pairs(generator: Generator, view: TrainView, context: Context, documents: int) -> GeneratedPairs:
    """Questions about a random sample of the corpus.

    Args:
        generator: makes them.
        view: whose corpus.
        context: seed, cache.
        documents: questions are made of at most so many.

    Raises:
        HarnessError: the generator made no usable question.
    """
    rows = np.arange(len(view.corpus))
    if len(rows) > documents:
        rows = np.sort(context.rng("asked documents").permutation(len(rows))[:documents])
    generated = questions(generator, view.corpus, rows.tolist(), context)
    usable = generated.questions
    queries = Queries([f"g{i}" for i in range(len(usable))], [question.text for question in usable])
    pairs = [(i, question.row) for i, question in enumerate(usable)]
    known = [np.array([question.row], dtype=np.int64) for question in usable]
    facts = {
        "generator": str(generator),
        "asked_documents": len(rows),
        "questions": len(usable),
        "origins": dict(Counter(question.origin for question in usable)),
        "dropped": dict(generated.dropped),
    }
    return GeneratedPairs(queries, pairs, known, usable, facts)


def without_copy_of(text: str, question: str) -> str:
    """The text without the first copy of the question, with any white space; unchanged if nothing else is left."""
    words = question.split()
    copy = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    if copy is None:
        return text
    rest = f"{text[: copy.start()].rstrip()} {text[copy.end() :].lstrip(' .')}".strip()
    return rest or text


def without_words_of(text: str, question: str) -> str:
    """The text without any of the question's words, for questions whose words are not a phrase of it."""
    if not question.split():
        return text
    pattern = rf"\b(?:{'|'.join(map(re.escape, question.split()))})\b"
    rest = " ".join(re.sub(pattern, " ", text, flags=re.IGNORECASE).split())
    return rest or text
