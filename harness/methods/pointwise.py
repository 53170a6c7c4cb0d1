"""A chat model judges each candidate by itself, yes or no or by a grade: bm25>>pointwise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from annotated_types import Interval

from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.endpoints.conversation import Conversation, Messages, prompt_tokens
from harness.endpoints.journal import digest
from harness.methods import CandidateScorer, Fitted
from harness.methods._judge import Judge, JudgeFitted, JudgeScorer, by_place
from harness.runtime.context import Context

BLOCK: Final = 128
"""Queries whose prompts are in memory at once."""
_WORDS: Final = {"no": 0, "yes": 1}


@dataclass(frozen=True)
class Pointwise(Judge):
    """Asks a chat model about each pair of query and passage; equal grades keep the order of the first stage.

    Source: Zhuang et al., "Beyond Yes and No" (2310.14122): relevance by yes or no, and by a scale from 0. They score
    by the probabilities of the answer's tokens, which few endpoints tell; here the answer itself is the grade.

    Every answer is kept by what was asked of which model, so that nothing is paid for twice. An answer that is no grade
    counts as the lowest one and is counted in the record. Works over any OpenAI-compatible chat endpoint.

    Args: those of `Judge` (`harness.methods._judge`) and
        grades: the highest grade; 1 asks for yes or no.
    """

    max_tokens: Count = 8
    grades: Annotated[int, Interval(ge=1, le=10)] = 1

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn, and nothing is asked."""
        return _Fitted(self, context, {"grades": self.grades})

    def messages(self, query: str, passage: str) -> Messages:
        """The prompt."""
        how = (
            "For the following query and passage, judge whether the passage is relevant to the query. "
            "Answer with one word, Yes or No."
            if self.grades == 1
            else f"From a scale of 0 to {self.grades}, judge the relevance between the query and the passage. "
            "Answer with one number."
        )
        return [{"role": "user", "content": f"{how}\n\nQuery: {query}\nPassage: {self.cut(passage)}\nAnswer:"}]


def grade(answer: str, grades: int) -> tuple[int, Counter[str]]:
    """The grade that an answer says, and its failures.

    A whole answer is the one word or number that was asked for, with nothing but punctuation around it. In any other
    the first such word or number counts (`malformed`); none (`unreadable`) or one out of the scale (`out of range`)
    counts as 0.
    """
    failures: Counter[str] = Counter()
    found = re.findall(r"[^\W_]+" if grades == 1 else r"-?\d+(?:\.\d+)?", answer.casefold())
    named = [word for word in found if word in _WORDS] if grades == 1 else found
    if re.sub(r"[\W_]+", "", answer.casefold()) != (re.sub(r"\W", "", named[0]) if named else None):
        failures["malformed"] += 1
    if not named:
        failures["unreadable"] += 1
        return 0, failures
    value = _WORDS[named[0]] if grades == 1 else float(named[0])
    if not 0 <= value <= grades or value != int(value):
        failures["out of range"] += 1
        return 0, failures
    return int(value), failures


class _Fitted(JudgeFitted):
    _method: Pointwise

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _Scorer(self._method, corpus, context)


class _Scorer(JudgeScorer):
    def __init__(self, method: Pointwise, corpus: Corpus, context: Context) -> None:
        super().__init__(corpus, context)
        self._method = method

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        """The grade of each candidate, and less than a grade by its place; the candidates must come best first."""
        talk = self._method.conversation(self._context)
        found: list[Floats] = []
        asked, repaired, failures = 0, 0, Counter[str]()
        with talk.lock, self._context.progress("judge", sum(map(len, candidates)), "pairs") as advance:
            self._admit(texts, candidates, talk)
            for start in range(0, len(texts), BLOCK):
                block = [
                    self._asked(*pair) for pair in zip(texts[start:][:BLOCK], candidates[start:][:BLOCK], strict=True)
                ]
                prompts = {name: messages for one in block for name, messages in one}
                before = talk.answers()
                advance(sum(name in before for one in block for name, _ in one))
                talk.ask(prompts, advance)
                held = talk.answers()
                for one in block:
                    grades = [grade(held[name], self._method.grades) for name, _ in one]
                    asked, repaired = asked + len(one), repaired + sum(bool(wrong) for _, wrong in grades)
                    failures.update(_sum(wrong for _, wrong in grades))
                    found.append(np.array([value for value, _ in grades], np.float32) + by_place(len(one)))
        self._tell("judgements", asked, repaired, failures)
        return found

    def _asked(self, query: str, rows: Ints) -> list[tuple[str, Messages]]:
        prompts = [self._method.messages(query, passage) for passage in self._corpus.texts_of(rows)[:]]
        return [(digest(messages), messages) for messages in prompts]

    def _admit(self, texts: Sequence[str], candidates: Sequence[Ints], talk: Conversation) -> None:
        held: Mapping[str, str] = talk.answers()
        sizes: dict[str, int] = {}
        for query, rows in zip(texts, candidates, strict=True):
            sizes.update(
                (name, prompt_tokens(messages)) for name, messages in self._asked(query, rows) if name not in held
            )
        if sizes:
            talk.meter.admit(
                talk.meter.estimate(len(sizes), 0, sum(sizes.values()), len(sizes) * self._method.max_tokens)
            )


def _sum(failures: Iterator[Counter[str]]) -> Counter[str]:
    return sum(failures, Counter[str]())
