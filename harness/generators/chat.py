"""A chat model behind an OpenAI-compatible server, paid by the token or run on this machine."""

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

    Each answer is cached as it arrives, by address, model, prompt, settings, text and seed, so that nothing is paid for
    twice. The API key is read from the environment; it is not a setting and not part of the cache key.

    Args:
        model: its name on the server.
        url: base of the address, without `/chat/completions`.
        per_document: questions requested for each document.
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
            raise SettingError("chat: prompt must contain {document}, the place of title and text; it may contain {n}")

    def _service(self) -> Service:
        return Service.of("chat", self)

    def estimate(self, corpus: Corpus, rows: Sequence[int]) -> Estimate:
        """Cost of the requests for these documents if none were cached; sends nothing."""
        texts = set(corpus.texts_of(np.asarray(rows, dtype=np.int64))[:])
        tokens = sum(prompt_tokens(self._messages(text)) for text in texts)
        return self._service().meter().estimate(len(texts), 0, tokens, len(texts) * self.max_tokens)

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        """See `Generator.generate`. If the model refuses, the only question is one without text.

        Raises:
            SettingError: the estimate, or what the server counted, is over `cap`.
            Unavailable: no key, or no server.
            ModelError: the server refuses, or gives no valid answer. All answers that arrived are cached.
        """
        texts = corpus.texts_of(np.asarray(rows, dtype=np.int64))
        settings = ("url", "model", "prompt", "temperature", "max_tokens", "per_document")
        deciding = {setting: getattr(self, setting) for setting in settings}
        key = digest(deciding, context.seed)
        describe = {**deciding, "seed": context.seed}
        conversation = Conversation(self._service(), self.temperature, self.max_tokens, context, key, describe)
        with conversation.lock, context.progress("generate", len(rows), "passages") as advance:
            answers = conversation.answers()
            # Answers are found by the request, not by the text, so that they stay valid if the code changes.
            requests = [self._messages(text) for text in texts]
            names = [digest(request) for request in requests]
            missing = {name: request for name, request in zip(names, requests, strict=True) if name not in answers}
            advance(sum(name not in missing for name in names))
            if missing:
                conversation.meter.admit(conversation.estimate(missing.values()))
                conversation.ask(missing, advance)
                answers = conversation.answers()
        for row, name in zip(rows, names, strict=True):
            answer = answers[name]
            if name in conversation.broken:  # the limit on tokens cut its last line
                answer = answer.rpartition("\n")[0]
            for text in parse_questions(answer, self.per_document) or [""]:
                yield Question(text, row, self.model)

    def _messages(self, text: str) -> Messages:
        before, _, after = self.prompt.replace("{n}", str(self.per_document)).partition("{document}")
        return [{"role": "user", "content": before + text + after}]
