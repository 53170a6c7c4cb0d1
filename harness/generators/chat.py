"""A chat model behind an OpenAI-compatible address, paid by the token or run on this machine."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from harness.context import Advance, Context
from harness.corpus import Corpus
from harness.errors import HarnessError, SettingError
from harness.generators import RULES, Generator, Question
from harness.generators._answers import parsed
from harness.generators._endpoint import Endpoint, is_local
from harness.generators._kept import Pieces, digest

PROMPT: Final = (
    "Write {n} different questions that a person might type into a search engine and that the passage below answers. "
    "Do not mention the passage. Answer with the questions only, one a line.\n\nPassage:\n{document}"
)
CHARACTERS_PER_TOKEN: Final = 4
"""The rule of thumb of OpenAI's help page "What are tokens and how to count them?", for English."""
TOKENS_AROUND: Final = 8
"""Taken for what a chat format puts around one message."""
PER_MILLION: Final = 1_000_000
log = logging.getLogger("harness.generators")


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take, at most.

    Args:
        requests: one for each distinct text.
        tokens_in: of the prompts, four characters a token.
        tokens_out: `max_tokens` for each answer, the most that can be charged for.
        dollars: None where no price is set.
    """

    requests: int
    tokens_in: int
    tokens_out: int
    dollars: float | None

    def __str__(self) -> str:
        cost = "at a price that is not set" if self.dollars is None else f"{_dollars(self.dollars)} at most"
        return f"{self.requests:,} requests, about {self.tokens_in:,} tokens in, at most {self.tokens_out:,} out: {cost}"


@dataclass(frozen=True)
class Chat(Generator):
    """Asks a chat model for questions, one request a document.

    Source: Bonifacio et al., "InPars" (2202.05144), and Dai et al., "Promptagator" (2209.11755): questions of a large language
    model to train retrievers from; here without examples in the prompt.

    Every answer is kept as it comes, by address, model, prompt, settings, text and seed, so that nothing is paid for twice. The
    key is read from the environment, and is no setting and part of no key.

    Args:
        model: as the server calls it.
        url: base of the address; `/chat/completions` follows it.
        per_document: questions asked for.
        prompt: `{n}` becomes the number of questions, `{document}` the title and text.
        temperature: 0 or more, as the server takes it.
        max_tokens: of an answer.
        price_in: dollars for a million tokens of prompts.
        price_out: dollars for a million tokens of answers.
        cap: dollars that one run may cost, by the estimate before it and by the usage that the server reports during it.
        concurrency: requests under way at once.
        key_variable: the environment variable that holds the key.
        timeout: seconds for one answer.
        retries: repetitions of a request while the server is busy.
    """

    model: str
    url: str = "https://api.openai.com/v1"
    per_document: int = 3
    prompt: str = PROMPT
    temperature: float = 0.7
    max_tokens: int = 256
    price_in: float | None = None
    price_out: float | None = None
    cap: float | None = None
    concurrency: int = 4
    key_variable: str = "OPENAI_API_KEY"
    timeout: float = 60.0
    retries: int = 6

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise SettingError("chat: model is empty; say what the server calls it, as gpt-4o-mini")
        is_local(self.url)
        if "{document}" not in self.prompt:
            raise SettingError("chat: prompt must hold {document}, the place of the title and text, and may hold {n}")
        for name in ("per_document", "max_tokens", "concurrency"):
            if getattr(self, name) < 1:
                raise SettingError(f"chat: {name} must be 1 or more, not {getattr(self, name)}")
        for name in ("temperature", "price_in", "price_out", "cap", "retries"):
            value = getattr(self, name)
            if value is not None and not (0 <= value < math.inf):
                raise SettingError(f"chat: {name} must be 0 or more, not {value}")
        if not 0 < self.timeout < math.inf:
            raise SettingError(f"chat: timeout must be above 0, not {self.timeout}")
        if self.cap is not None and (self.price_in is None or self.price_out is None):
            raise SettingError("chat: cap needs price_in and price_out, in dollars for a million tokens")

    def estimate(self, corpus: Corpus, rows: Sequence[int]) -> Estimate:
        """What asking about these documents would take if nothing of it were kept; asks no server."""
        return self._estimate(set(corpus.texts_of(np.asarray(rows, dtype=np.int64))[:]))

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        """See `Generator.generate`. A refusal is one question without text.

        Raises:
            SettingError: the estimate, or what the server counted, is over `cap`.
            Unavailable: no key, or no server.
            ModelError: the server refuses, or never answers well. What was answered is kept in every case.
        """
        texts = corpus.texts_of(np.asarray(rows, dtype=np.int64))
        deciding = {k: getattr(self, k) for k in ("url", "model", "prompt", "temperature", "max_tokens", "per_document")}
        key = digest(deciding, context.seed, RULES)
        pieces = Pieces(context.cache, "answers", key, {**deciding, "seed": context.seed})
        with pieces.lock, context.progress("generate", len(rows), "passages") as advance:
            held = pieces.read()
            missing = {name: text for text in texts if (name := digest(text)) not in held}
            advance(sum(digest(text) not in missing for text in texts))
            if missing:
                self._check_cap(self._estimate(set(missing.values())))
                endpoint = Endpoint(self.url, self.key_variable, self.timeout, self.retries)
                _Run(self, endpoint, pieces, context.seed, advance).through(missing)
                held = pieces.read()
        for row, text in zip(rows, texts, strict=True):
            made = parsed(held[digest(text)]["text"], self.per_document)
            yield from (Question(each, row, self.model) for each in made or [""])

    def body(self, text: str, seed: int) -> dict[str, Any]:
        """The request about one text."""
        message = {"role": "user", "content": self._prompted(text)}
        return {
            "model": self.model,
            "messages": [message],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": seed,
        }

    def dollars(self, tokens_in: int, tokens_out: int) -> float | None:
        """What so many tokens cost; None where no price is set."""
        if self.price_in is None or self.price_out is None:
            return None
        return (tokens_in * self.price_in + tokens_out * self.price_out) / PER_MILLION

    def _prompted(self, text: str) -> str:
        before, _, after = self.prompt.replace("{n}", str(self.per_document)).partition("{document}")
        return before + text + after

    def _estimate(self, texts: set[str]) -> Estimate:
        tokens_in = sum(math.ceil(len(self._prompted(t)) / CHARACTERS_PER_TOKEN) + TOKENS_AROUND for t in texts)
        tokens_out = len(texts) * self.max_tokens
        return Estimate(len(texts), tokens_in, tokens_out, self.dollars(tokens_in, tokens_out))

    def _check_cap(self, estimate: Estimate) -> None:
        log.log(logging.WARNING if estimate.dollars else logging.INFO, "chat %s: %s", self.model, estimate)
        if self.cap is not None and estimate.dollars is not None and estimate.dollars > self.cap:
            raise SettingError(
                f"chat: {estimate}, over the cap of {_dollars(self.cap)}. Raise cap, lower max_tokens or "
                "ask about fewer documents."
            )


class _Run:
    """The requests of one run; each answer is kept by the thread that got it, whatever happens to the others."""

    def __init__(self, chat: Chat, endpoint: Endpoint, pieces: Pieces, seed: int, advance: Advance) -> None:
        self._chat, self._endpoint, self._pieces, self._seed, self._advance = chat, endpoint, pieces, seed, advance
        self._guard = threading.Lock()
        self._tokens = np.zeros(2, dtype=np.int64)

    def through(self, texts: dict[str, str]) -> None:
        """Asks about each text; on the first fault, asks no more, waits for what is under way, and raises it."""
        waiting = iter(texts.items())
        fault: HarnessError | None = None
        with ThreadPoolExecutor(self._chat.concurrency, "harness-chat") as pool:
            try:
                under_way: set[Future[None]] = set()
                while True:
                    while fault is None and len(under_way) < self._chat.concurrency and (item := next(waiting, None)):
                        under_way.add(pool.submit(self._one, *item))
                    if not under_way:
                        break
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        fault = fault or self._outcome(future)
                    fault = fault or self._over_cap()
                    if fault is not None:
                        self._endpoint.stop()
            finally:
                self._endpoint.stop()
        if fault is not None and len(self._left(texts)):
            raise fault

    def _one(self, name: str, text: str) -> None:
        answer = self._endpoint.ask(self._chat.body(text, self._seed))
        self._pieces.add(name, {"text": answer.text, "in": answer.tokens_in, "out": answer.tokens_out})
        with self._guard:
            self._tokens += (answer.tokens_in, answer.tokens_out)

    def _outcome(self, future: Future[None]) -> HarnessError | None:
        fault = future.exception()
        if fault is None:
            self._advance()
            return None
        if isinstance(fault, HarnessError):
            return fault
        raise fault

    def _over_cap(self) -> HarnessError | None:
        cap, spent = self._chat.cap, self._chat.dollars(*map(int, self._tokens))
        if cap is None or spent is None or spent <= cap:
            return None
        return SettingError(
            f"chat: {_dollars(spent)} are spent by the server's count, over the cap of {_dollars(cap)}: no more is asked. "
            "What was answered is kept and will not be paid for again; raise cap to ask about the rest, or ask about "
            "fewer documents."
        )

    def _left(self, texts: dict[str, str]) -> list[str]:
        held = self._pieces.read()
        return [name for name in texts if name not in held]


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4g}"
