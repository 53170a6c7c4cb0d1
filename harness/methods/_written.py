"""What methods have in common whose queries a chat model writes passages for: the settings, the asking, the searcher
around.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.base.errors import SettingError
from harness.choices.bounds import Count, NonNegative
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.endpoints.journal import digest
from harness.methods import Fitted, Method, Searcher, fit
from harness.methods._asks import Asks
from harness.runtime.context import Context

PLACE = "{query}"


@dataclass(frozen=True)
class WriterModel:
    """The settings of these methods that come before those of `PaidRequests`.

    Args:
        first: the first stage, which searches with the new queries.
        model: of the chat endpoint, as the server calls it.
        url: base of the address; `/chat/completions` follows it.
        prompt: `{query}` becomes the query.
        temperature: 0 or more; None leaves it to the server.
        max_tokens: most tokens of a passage.
    """

    first: Method
    model: str = "gpt-4o-mini"
    url: str = "https://api.openai.com/v1"
    prompt: str = PLACE
    temperature: NonNegative | None = 1.0
    max_tokens: Count = 512


@dataclass(frozen=True)
class Written(Asks, WriterModel):
    """Base of these methods: settings of `WriterModel`, then of `harness.endpoints.settings`."""

    asked_as: ClassVar[str] = "written"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check()
        if PLACE not in self.prompt:
            raise SettingError(f"{self.name()}: prompt must hold {PLACE}, the place of the query")

    def number(self) -> int:
        """Passages asked for, for each query."""
        return 1

    def reach(self, depth: int) -> int:
        """See `Method.reach`."""
        return self.first.reach(depth)

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; the first stage is not searched with the queries as they are."""
        return 0

    @abstractmethod
    def fit(self, view: TrainView, context: Context) -> WrittenFitted:
        """Fits the first stage; nothing is asked."""

    def messages(self, query: str) -> list[dict[str, str]]:
        """The prompt."""
        return [{"role": "user", "content": self.prompt.replace(PLACE, query)}]

    def write(self, texts: Sequence[str], context: Context) -> list[list[str]]:
        """For each of Q query texts, the passages that were written for it; what came empty is left out.

        Each passage is asked for by itself, with a seed that the run's seed and its number decide, and kept as it
        comes, by
        what was asked of which model: a second run asks nothing, and one for more passages asks for the further ones.

        Args:
            texts: of the queries; one that comes twice is asked about once.
            context: seed, cache, progress.

        Raises:
            SettingError: the estimate is over a cap, or the next request could pass it.
            Unavailable: no key, or no server.
            ModelError: the server refuses, or never answers well. What was answered is kept in every case.
        """
        numbers = range(self.number())
        seeds = [int(context.rng(f"passage {number}").integers(2**31)) for number in numbers]
        asked = {text: self.messages(text) for text in dict.fromkeys(texts)}
        names = {text: [digest(messages, number) for number in numbers] for text, messages in asked.items()}
        talk = self.conversation(context)
        with talk.lock, context.progress("write", len(asked) * len(numbers), "passages") as advance:
            held = talk.answers()
            missing = {
                name: (asked[text], seed)
                for text, own in names.items()
                for name, seed in zip(own, seeds, strict=True)
                if name not in held
            }
            advance(len(asked) * len(numbers) - len(missing))
            if missing:
                talk.meter.admit(talk.estimate(messages for messages, _ in missing.values()))
                prompts = {name: messages for name, (messages, _) in missing.items()}
                talk.ask(prompts, advance, {name: seed for name, (_, seed) in missing.items()})
                held = talk.answers()
        found = {text: [passage for name in own if (passage := held[name].strip())] for text, own in names.items()}
        self._tell(len(asked) * len(numbers), list(found.values()), context)
        return [found[text] for text in texts]

    def _tell(self, asked: int, found: Sequence[Sequence[str]], context: Context) -> None:
        """Puts the counts into the record, and a note where the model wrote nothing."""
        empty = asked - sum(map(len, found))
        context.ledger.count("passages", asked)
        if empty:
            context.ledger.count("passages empty", empty)
            plain = sum(not passages for passages in found)
            context.ledger.note(
                f"{empty:,} of {asked:,} passages of {self.model} came empty, as refusals do; {plain:,} of "
                f"{len(found):,} queries have none and are searched as they are"
            )


class WrittenFitted(Fitted):
    """Base of what they are fitted to: the first stage, fitted.

    Args:
        method: the settings.
        view: what the first stage is fitted on.
        context: its seed is sent along.
        told: for the record and the key, besides what decides an answer.
    """

    def __init__(self, method: Written, view: TrainView, context: Context, told: Mapping[str, Any]) -> None:
        self.first = first = fit(method.first, view, context)
        asked = {**method.deciding(), "prompt": method.prompt, **told}
        self.key = f"{method.name()}-{digest(first.key, asked, context.seed)}"
        self.resolved = {
            "first": {"name": method.first.name(), **first.resolved},
            **asked,
            "price_source": method.price_source(),
        }
        self.notes, self.models, self.supervision = first.notes, first.models, first.supervision


class WrittenSearcher(Searcher):
    """Base of their searchers: passages first, then the search of the first stage. Paid by the query, so never timed.

    Args:
        method: the settings.
        fitted: whose key it takes.
        inner: the first stage's.
        corpus: what is searched.
        context: seed, cache.
    """

    def __init__(self, method: Written, fitted: Fitted, inner: Searcher, corpus: Corpus, context: Context) -> None:
        self.key = f"{fitted.key}-{corpus.revision}"
        self.size, self.live = inner.size, False
        self._asking, self._inner, self._context = method, inner, context

    @abstractmethod
    def found(self, queries: Queries, passages: Sequence[Sequence[str]], k: int) -> TopK:
        """The k best documents of each of Q queries, given its passages; there may be none."""

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`.

        Raises:
            HarnessError: as `Written.write`.
        """
        return self.found(queries, self._asking.write(queries.texts, self._context), k)
