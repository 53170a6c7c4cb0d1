"""What re-rankers share that send requests to a chat model: settings, how texts are cut, how answers are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.choices.bounds import Count, NonNegative
from harness.data.corpus import Corpus
from harness.endpoints.journal import digest
from harness.methods import CandidateScorer, Fitted, Reranks, Searcher, Size
from harness.methods._asks import Asks
from harness.methods._exhaustive import Exhaustive
from harness.runtime.context import Context

EXHAUSTIVE_PAIRS = 2_000
"""More pairs are refused when a judge is a row of its own: each is paid for."""


@dataclass(frozen=True)
class JudgeModel:
    """The settings of a judge that come before those of `PaidRequests`.

    Args:
        model: as the server calls it.
        url: base of the address; `/chat/completions` follows it.
        max_words: words at which passages are cut.
        temperature: 0 or more; None leaves it to the server.
        max_tokens: most tokens of an answer.
    """

    model: str = "gpt-4o-mini"
    url: str = "https://api.openai.com/v1"
    max_words: Count = 300
    temperature: NonNegative | None = 0.0
    max_tokens: Count = 300


@dataclass(frozen=True)
class Judge(Asks, JudgeModel):
    """Base of every judge: settings of `JudgeModel`, then of `harness.endpoints.settings`."""

    asked_as: ClassVar[str] = "judge"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check()

    def cut(self, text: str) -> str:
        """The first words of a text, each run of white space as one space."""
        return " ".join(text.split()[: self.max_words])


class JudgeScorer(CandidateScorer):
    """Base of their scorers: paid by the query; a score depends on the candidate's place among the others."""

    def __init__(self, corpus: Corpus, context: Context) -> None:
        self._corpus, self._context = corpus, context
        self.size, self.live, self.independent = Size(), False, False

    def _record(self, unit: str, requested: int, repaired: int, failures: Counter[str]) -> None:
        """Puts the counts into the record, and a note if an answer had to be repaired."""
        self._context.ledger.count(unit, requested)
        for name, n in sorted(failures.items()):
            self._context.ledger.count(f"{unit} {name}", n)
        if repaired:
            details = ", ".join(f"{n:,} {name}" for name, n in sorted(failures.items()))
            self._context.ledger.note(
                f"{repaired:,} of {requested:,} {unit} were not in the requested form and were repaired ({details})"
            )


class JudgeFitted(Fitted, Reranks):
    """Base of what they are fitted to: nothing is learnt.

    Args:
        method: the settings.
        context: its seed is sent with each request.
        settings: for the record and the key, besides what decides an answer.
    """

    def __init__(self, method: Judge, context: Context, settings: Mapping[str, Any]) -> None:
        self._method = method
        self.resolved = {
            **method.deciding(),
            **settings,
            "max_words": method.max_words,
            "price_source": method.price_source(),
        }
        self.key = f"{method.name()}-{digest(self.resolved, context.seed)}"

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """See `Fitted.index`."""
        return Exhaustive(
            self._method.name(), self.key, self.candidate_scorer(corpus, context), corpus, EXHAUSTIVE_PAIRS
        )


def by_place(n: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(n,) a tie-breaker by the rank of the first stage, falling from 0.5 towards 0, so less than a grade."""
    return (0.5 * (n - np.arange(n)) / max(1, n)).astype(np.float32)
