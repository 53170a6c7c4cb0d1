"""A chat model judges each candidate by itself, yes or no or by a grade: bm25>>pointwise."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
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
    by the probabilities of the answer's tokens, which few endpoints return; here the answer itself is the grade.

    Every answer is cached by model and prompt, so that nothing is paid for twice. An answer
    without a grade is taken as 0 and counted in the record. Works with any OpenAI-compatible chat endpoint.

    Args: those of `Judge` (`harness.methods._judge`) and
        grades: the highest grade; 1 asks for yes or no.
    """

    max_tokens: Count = 8
    grades: Annotated[int, Interval(ge=1, le=10)] = 1

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn, and no request is sent."""
        return _Fitted(self, context, {"grades": self.grades})

    def messages(self, query: str, passage: str) -> Messages:
        """The prompt."""
        task = f"From a scale of 0 to {self.grades}, judge the relevance between the query and the passage. "
        form = "Answer with one number."
        if self.grades == 1:
            task = "For the following query and passage, judge whether the passage is relevant to the query. "
            form = "Answer with one word, Yes or No."
        return [{"role": "user", "content": f"{task}{form}\n\nQuery: {query}\nPassage: {self.cut(passage)}\nAnswer:"}]


def grade(answer: str, grades: int) -> tuple[int, Counter[str]]:
    """The grade of an answer, and its failures.

    A valid answer is the one requested word or number, with nothing but punctuation around it. In any other the first
    such word or number counts (`malformed`); none (`unreadable`) or one out of the scale (`out of range`)
    counts as 0.
    """
    failures: Counter[str] = Counter()
    text = answer.casefold()
    if grades == 1:
        grades_named = [word for word in re.findall(r"[^\W_]+", text) if word in _WORDS]
    else:
        grades_named = re.findall(r"-?\d+(?:\.\d+)?", text)
    if not grades_named:
        failures.update(("malformed", "unreadable"))
        return 0, failures
    first = grades_named[0]
    if re.sub(r"[\W_]+", "", text) != re.sub(r"\W", "", first):
        failures["malformed"] += 1
    value = _WORDS[first] if grades == 1 else float(first)
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
        """The grade of each candidate, with the rank of the first stage as tie-breaker (`by_place`)."""
        talk = self._method.conversation(self._context)
        scores: list[Floats] = []
        requested, repaired, failures = 0, 0, Counter[str]()
        with talk.lock, self._context.progress("judge", sum(map(len, candidates)), "pairs") as advance:
            self._admit(texts, candidates, talk)
            for start in range(0, len(texts), BLOCK):
                pairs = zip(texts[start:][:BLOCK], candidates[start:][:BLOCK], strict=True)
                block = [self._prompts(query, rows) for query, rows in pairs]
                answers = talk.answers()
                advance(sum(name in answers for prompts in block for name, _ in prompts))
                talk.ask(dict(itertools.chain.from_iterable(block)), advance)
                answers = talk.answers()
                for prompts in block:
                    grades = np.zeros(len(prompts), np.float32)
                    for place, (name, _) in enumerate(prompts):
                        grades[place], answer_failures = grade(answers[name], self._method.grades)
                        repaired += bool(answer_failures)
                        failures += answer_failures
                    requested += len(prompts)
                    scores.append(grades + by_place(len(prompts)))
        self._record("judgements", requested, repaired, failures)
        return scores

    def _prompts(self, query: str, rows: Ints) -> list[tuple[str, Messages]]:
        """Name in the cache and messages for each candidate of a query."""
        prompts = [self._method.messages(query, passage) for passage in self._corpus.texts_of(rows)[:]]
        return [(digest(messages), messages) for messages in prompts]

    def _admit(self, texts: Sequence[str], candidates: Sequence[Ints], talk: Conversation) -> None:
        """Checks the cost of the requests that are not cached against the cap, by an estimate."""
        answers = talk.answers()
        sizes: dict[str, int] = {}
        for query, rows in zip(texts, candidates, strict=True):
            for name, messages in self._prompts(query, rows):
                if name not in answers:
                    sizes[name] = prompt_tokens(messages)
        if sizes:
            meter = talk.meter
            meter.admit(meter.estimate(len(sizes), 0, sum(sizes.values()), len(sizes) * self._method.max_tokens))
