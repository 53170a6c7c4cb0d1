"""A chat model re-ranks candidates, window by window from the end (RankGPT): bm25>>listwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from annotated_types import Ge

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.endpoints.conversation import Conversation, Messages, prompt_tokens
from harness.endpoints.journal import digest
from harness.methods import CandidateScorer, Fitted
from harness.methods._judge import Judge, JudgeFitted, JudgeScorer
from harness.methods._permutation import permutation, windows
from harness.runtime.context import Context
from harness.runtime.progress import Advance

BLOCK: Final = 256
"""Queries whose windows are in memory at once."""


@dataclass(frozen=True)
class Listwise(Judge):
    """Shows a chat model a window of passages, takes the order that it answers, and slides the window up to the top.

    Source: Sun et al., "Is ChatGPT Good at Search?" (2304.09542), section 3.2: windows of 20, 10 apart, from the end.
    The last window begins at the top, even if the step does not divide the list. Passages are cut to 300 words.

    Every answer is cached by model and prompt, so that nothing is paid for twice. An incomplete
    answer is repaired as `harness.methods._permutation` says and counted in the record. Works with any
    OpenAI-compatible chat endpoint.

    Args: those of `Judge` (`harness.methods._judge`) and
        window: passages shown at once.
        step: places between one window and the next.
    """

    window: Annotated[int, Ge(2)] = 20
    step: Count = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step >= self.window:
            raise SettingError(
                f"listwise: step must be less than window ({self.window}), not {self.step}: windows must overlap, or "
                "no passage moves from one to the next"
            )

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn, and no request is sent."""
        return _Fitted(self, context, {"window": self.window, "step": self.step})

    def messages(self, query: str, passages: Sequence[str]) -> Messages:
        """The prompt of RankGPT's code (github.com/sunnweiwei/RankGPT, `create_permutation_instruction`)."""
        n = len(passages)
        messages: list[dict[str, str]] = [
            {
                "role": "system",
                "content": "You are RankGPT, an intelligent assistant that can rank passages based on their "
                "relevancy to the query.",
            },
            {
                "role": "user",
                "content": f"I will provide you with {n} passages, each indicated by number identifier []. \n"
                f"Rank the passages based on their relevance to query: {query}.",
            },
            {"role": "assistant", "content": "Okay, please provide the passages."},
        ]
        for i, passage in enumerate(passages, 1):
            messages.append({"role": "user", "content": f"[{i}] {self.cut(passage)}"})
            messages.append({"role": "assistant", "content": f"Received passage [{i}]."})
        messages.append(
            {
                "role": "user",
                "content": f"Search Query: {query}. \n"
                f"Rank the {n} passages above based on their relevance to the search query. "
                "The passages should be listed in descending order using identifiers. "
                "The most relevant passages should be listed first. "
                "The output format should be [] > [], e.g., [1] > [2]. "
                "Only response the ranking results, do not say any word or explain.",
            }
        )
        return messages


class _Fitted(JudgeFitted):
    _method: Listwise

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _Scorer(self._method, corpus, context)


@dataclass
class _List:
    """One query's candidates: their rows, the present order of these, and the windows."""

    query: str
    rows: Ints
    order: list[int]
    windows: list[tuple[int, int]]


class _Scorer(JudgeScorer):
    def __init__(self, method: Listwise, corpus: Corpus, context: Context) -> None:
        super().__init__(corpus, context)
        self._method = method

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        """Scores that fall by 1 from one rank to the next; the candidates must be in the order of the first stage."""
        method = self._method
        lists = [
            _List(text, rows, list(range(len(rows))), list(windows(len(rows), method.window, method.step)))
            for text, rows in zip(texts, candidates, strict=True)
        ]
        talk = method.conversation(self._context)
        requested, repaired, failures = 0, 0, Counter[str]()
        total = sum(len(item.windows) for item in lists)
        with talk.lock, self._context.progress("re-rank", total, "windows") as advance:
            self._admit(lists, talk.answers(), talk)
            for start in range(0, len(lists), BLOCK):
                block = lists[start : start + BLOCK]
                for turn in range(max(len(item.windows) for item in block)):
                    open_lists = [item for item in block if turn < len(item.windows)]
                    for answer_failures in self._turn(open_lists, turn, talk, advance):
                        requested += 1
                        repaired += bool(answer_failures)
                        failures += answer_failures
        self._record("windows", requested, repaired, failures)
        return [_falling(item.order) for item in lists]

    def _turn(self, lists: Sequence[_List], turn: int, talk: Conversation, advance: Advance) -> list[Counter[str]]:
        """Requests one window of each list and applies the answers; returns the failures of each."""
        prompts = [self._messages(item, item.windows[turn]) for item in lists]
        names = [digest(messages) for messages in prompts]
        answers = talk.answers()
        advance(sum(name in answers for name in names))
        talk.ask(dict(zip(names, prompts, strict=True)), advance)
        answers = talk.answers()
        return [_apply(item, item.windows[turn], answers[name]) for item, name in zip(lists, names, strict=True)]

    def _admit(self, lists: Sequence[_List], answers: dict[str, str], talk: Conversation) -> None:
        """Checks the cost of the windows that are not cached against the cap, by an estimate.

        A window's passages depend on the answers before it. Cached answers are applied up to the first that is missing;
        from there on, the sizes are those of the passages in their present order.
        """
        sizes: list[int] = []
        for item in lists:
            trial = _List(item.query, item.rows, list(item.order), item.windows)
            is_cached = True
            for window in item.windows:
                messages = self._messages(trial, window)
                name = digest(messages)
                is_cached = is_cached and name in answers
                if is_cached:
                    _apply(trial, window, answers[name])
                else:
                    sizes.append(prompt_tokens(messages))
        if sizes:
            meter = talk.meter
            meter.admit(meter.estimate(len(sizes), 0, sum(sizes), len(sizes) * self._method.max_tokens))

    def _messages(self, item: _List, window: tuple[int, int]) -> Messages:
        start, end = window
        rows = item.rows[item.order[start:end]]
        return self._method.messages(item.query, self._corpus.texts_of(rows)[:])


def _apply(item: _List, window: tuple[int, int], answer: str) -> Counter[str]:
    start, end = window
    order, failures = permutation(answer, end - start)
    shown = item.order[start:end]
    item.order[start:end] = [shown[place] for place in order]
    return failures


def _falling(order: Sequence[int]) -> Floats:
    scores = np.zeros(len(order), np.float32)
    scores[list(order)] = np.arange(len(order), 0, -1, dtype=np.float32)
    return scores
