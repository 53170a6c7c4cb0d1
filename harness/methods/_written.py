"""What the methods share that let a chat model write passages for the queries: settings, requests, the searcher."""

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
from harness.methods._parts import FittedParts, resolved_part
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
            raise SettingError(f"{self.name()}: prompt must contain {PLACE}, the place of the query")

    def number(self) -> int:
        """Passages requested for each query."""
        return 1

    def reach(self, depth: int) -> int:
        """See `Method.reach`."""
        return self.first.reach(depth)

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; the first stage is not searched with the queries as they are."""
        return 0

    @abstractmethod
    def fit(self, view: TrainView, context: Context) -> WrittenFitted:
        """Fits the first stage; no request is sent."""

    def messages(self, query: str) -> list[dict[str, str]]:
        """The prompt."""
        return [{"role": "user", "content": self.prompt.replace(PLACE, query)}]

    def write(self, texts: Sequence[str], context: Context) -> list[list[str]]:
        """For each of Q query texts, its passages; empty ones are left out.

        Each passage has a request of its own, with a seed that depends on the run's seed and the passage's number, and
        is cached as soon as it arrives, by model and prompt: a second run sends nothing, and a run with more passages
        requests only the further ones.

        Args:
            texts: of the queries; equal ones share their passages.
            context: seed, cache, progress.

        Raises:
            SettingError: the estimate is over a cap, or the next request could pass it.
            Unavailable: no key, or no server.
            ModelError: the server refuses, or gives no usable answer. All answers before that stay cached.
        """
        numbers = range(self.number())
        seeds = [int(context.rng(f"passage {number}").integers(2**31)) for number in numbers]
        messages = {text: self.messages(text) for text in dict.fromkeys(texts)}
        names = {text: [digest(prompt, number) for number in numbers] for text, prompt in messages.items()}
        requested = len(messages) * len(numbers)
        talk = self.conversation(context)
        with talk.lock, context.progress("write", requested, "passages") as advance:
            answers = talk.answers()
            prompts, seed_of = {}, {}
            for text, own in names.items():
                for name, seed in zip(own, seeds, strict=True):
                    if name not in answers:
                        prompts[name], seed_of[name] = messages[text], seed
            advance(requested - len(prompts))
            if prompts:
                talk.meter.admit(talk.estimate(iter(prompts.values())))
                talk.ask(prompts, advance, seed_of)
                answers = talk.answers()
        passages = {}
        for text, own in names.items():
            stripped = [answers[name].strip() for name in own]
            passages[text] = [passage for passage in stripped if passage]
        self._record(requested, list(passages.values()), context)
        return [passages[text] for text in texts]

    def _record(self, requested: int, passages: Sequence[Sequence[str]], context: Context) -> None:
        """Puts the counts into the record, and a note if passages are empty."""
        empty = requested - sum(map(len, passages))
        context.ledger.count("passages", requested)
        if empty:
            context.ledger.count("passages empty", empty)
            without = sum(not own for own in passages)
            context.ledger.note(
                f"{empty:,} of {requested:,} passages of {self.model} are empty, as refusals are; {without:,} of "
                f"{len(passages):,} queries have none and are searched as they are"
            )


class WrittenFitted(FittedParts):
    """Base of what they are fitted to: the first stage, fitted.

    Args:
        method: the settings.
        view: what the first stage is fitted on.
        context: its seed is sent with each request.
        settings: for the record and the key, besides what decides an answer.
    """

    def __init__(self, method: Written, view: TrainView, context: Context, settings: Mapping[str, Any]) -> None:
        self.first = fit(method.first, view, context)
        deciding = {**method.deciding(), "prompt": method.prompt, **settings}
        key = f"{method.name()}-{digest(self.first.key, deciding, context.seed)}"
        first = resolved_part(method.first, self.first)
        resolved = {"first": first, **deciding, "price_source": method.price_source()}
        super().__init__(key, resolved, [self.first])


class WrittenSearcher(Searcher):
    """Base of their searchers: passages first, then the search of the first stage. Paid by the query, so not timed.

    Args:
        method: the settings.
        fitted: its key begins the searcher's.
        inner: the first stage's.
        corpus: what is searched.
        context: seed, cache.
    """

    def __init__(self, method: Written, fitted: Fitted, inner: Searcher, corpus: Corpus, context: Context) -> None:
        self.key = f"{fitted.key}-{corpus.revision}"
        self.size, self.live = inner.size, False
        self._writer, self._inner, self._context = method, inner, context

    @abstractmethod
    def rank(self, queries: Queries, passages: Sequence[Sequence[str]], k: int) -> TopK:
        """The k best documents of each of Q queries, given its passages; there may be none."""

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`.

        Raises:
            HarnessError: as `Written.write`.
        """
        return self.rank(queries, self._writer.write(queries.texts, self._context), k)
