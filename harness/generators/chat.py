"""A chat model behind an OpenAI-compatible address, paid by the token or run on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Count, NonNegative, Positive, WholeNumber
from harness.data.corpus import Corpus
from harness.endpoints.conversation import Conversation, Messages, prompt_tokens
from harness.endpoints.journal import digest
from harness.endpoints.meter import Estimate
from harness.endpoints.service import Service
from harness.generators import Generator, Question
from harness.generators._answers import parse_questions
from harness.runtime.context import Context

PROMPT: Final = (
    "Write {n} different questions that a person might type into a search engine and that the passage below answers. "
    "Do not mention the passage. Answer with the questions only, one a line.\n\nPassage:\n{document}"
)


@dataclass(frozen=True)
class Chat(Generator):
    """Asks a chat model for questions, one request a document.

    Source: Bonifacio et al., "InPars" (2202.05144), and Dai et al., "Promptagator" (2209.11755): questions of a large
    language model to train retrievers from; here without examples in the prompt.

    Every answer is kept as it comes, by address, model, prompt, settings, text and seed, so that nothing is paid for
    twice. The key is read from the environment, and is no setting and part of no key.

    Args:
        model: as the server calls it.
        url: base of the address; `/chat/completions` follows it.
        per_document: questions asked for.
        prompt: `{n}` becomes the number of questions, `{document}` the title and text.
        temperature: 0 or more, as the server takes it.
        max_tokens: of an answer.
        price_in, price_out, cap, concurrency, key_variable, timeout, retries: see `harness.endpoints.settings`.
    """

    paid: ClassVar[bool] = True

    model: str
    url: str = "https://api.openai.com/v1"
    per_document: Count = 3
    prompt: str = PROMPT
    temperature: NonNegative = 0.7
    max_tokens: Count = 256
    price_in: NonNegative | None = None
    price_out: NonNegative | None = None
    cap: NonNegative | None = None
    concurrency: Count = 4
    key_variable: str | None = None
    timeout: Positive = 60.0
    retries: WholeNumber = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        self._service().check()
        if "{document}" not in self.prompt:
            raise SettingError("chat: prompt must hold {document}, the place of the title and text, and may hold {n}")

    def _service(self) -> Service:
        return Service.of("chat", self)

    def estimate(self, corpus: Corpus, rows: Sequence[int]) -> Estimate:
        """What asking about these documents would take if nothing of it were kept; asks no server."""
        texts = set(corpus.texts_of(np.asarray(rows, dtype=np.int64))[:])
        tokens = sum(prompt_tokens(self._messages(text)) for text in texts)
        return self._service().meter().estimate(len(texts), 0, tokens, len(texts) * self.max_tokens)

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        """See `Generator.generate`. A refusal is one question without text.

        Raises:
            SettingError: the estimate, or what the server counted, is over `cap`.
            Unavailable: no key, or no server.
            ModelError: the server refuses, or never answers well. What was answered is kept in every case.
        """
        texts = corpus.texts_of(np.asarray(rows, dtype=np.int64))
        deciding = {
            k: getattr(self, k) for k in ("url", "model", "prompt", "temperature", "max_tokens", "per_document")
        }
        key = digest(deciding, context.seed)
        told = {**deciding, "seed": context.seed}
        asked = Conversation(self._service(), self.temperature, self.max_tokens, context, key, told)
        with asked.lock, context.progress("generate", len(rows), "passages") as advance:
            held = asked.answers()
            # By the request, and not by the text: an answer is that to what was sent, whatever code wrote it.
            names = [digest(self._messages(text)) for text in texts]
            missing = {name: self._messages(text) for name, text in zip(names, texts, strict=True) if name not in held}
            advance(sum(name not in missing for name in names))
            if missing:
                asked.meter.admit(asked.estimate(missing.values()))
                asked.ask(missing, advance)
                held = asked.answers()
        for row, name in zip(rows, names, strict=True):
            made = parse_questions(held[name], self.per_document)
            yield from (Question(each, row, self.model) for each in made or [""])

    def _messages(self, text: str) -> Messages:
        before, _, after = self.prompt.replace("{n}", str(self.per_document)).partition("{document}")
        return [{"role": "user", "content": before + text + after}]
