"""OpenAI's protocol of embeddings, with its own client: OpenAI, Azure, Voyage, Mistral, vLLM, TEI, Ollama."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.endpoints.embeddings import EmbeddingClient, EmbeddingResponse, missing_library, most_bytes
from harness.endpoints.keys import Key
from harness.endpoints.meter import reported_tokens
from harness.endpoints.parameters import refused_field
from harness.endpoints.retries import Retryable

ENCODING = "encoding_format"


class OpenAIClient(EmbeddingClient):
    """`POST /embeddings` (platform.openai.com/docs/api-reference/embeddings).

    The client requests vectors as base64, which is shorter and exact, and accepts lists if the server does not support
    base64 or refuses the request for it.
    """

    def _open(self, key: Key) -> None:
        from harness.endpoints.wire import PLACEHOLDER, client

        service = self._service
        try:
            import openai
        except ModuleNotFoundError as error:
            raise missing_library(service.who, "openai", error) from error
        self._errors: Any = openai
        http: Any  # the library accepts httpx clients
        http, self._wire = client(key, service.url, service.timeout)
        self._client: Any = openai.OpenAI(
            api_key=PLACEHOLDER,
            base_url=service.url,
            timeout=service.timeout,
            max_retries=0,
            http_client=http,
        )
        self._as_lists = False

    def embed(self, texts: Sequence[str], kind: str | None) -> EmbeddingResponse:
        """See `EmbeddingClient.embed`."""
        more: dict[str, Any] = {} if kind is None else {"input_type": kind}
        options: dict[str, Any] = {}
        if self._dimensions is not None and self._provider.dimensions == "dimensions":
            options["dimensions"] = self._dimensions
        elif self._dimensions is not None:
            more[self._provider.dimensions] = self._dimensions
        if self._as_lists:
            options[ENCODING] = "float"
        try:
            with self._wire.expecting(most_bytes(texts)):
                answer = self._client.embeddings.create(
                    input=list(texts), model=self._service.model, extra_body=more or None, **options
                )
            vectors = [(_place(item), item.embedding) for item in answer.data]
            usage = getattr(answer, "usage", None)
            tokens = reported_tokens(getattr(usage, "prompt_tokens", 0)) or reported_tokens(
                getattr(usage, "total_tokens", 0)
            )
        except self._errors.APIStatusError as error:
            if not self._as_lists and refused_field(error.response.content, {ENCODING: "base64"}):
                self._as_lists = True
                return self.embed(texts, kind)
            raise self._retrier.error_of(
                error.status_code, _message(error), self._service.model, error.response.headers.get("retry-after")
            ) from None
        except self._errors.APIConnectionError as error:  # a time-out is one
            raise self._retrier.no_answer(error, self._service.timeout) from None
        except (self._errors.OpenAIError, ValueError, TypeError, AttributeError, RecursionError):
            raise Retryable("an answer that is not JSON of the embeddings protocol", done=True) from None
        return EmbeddingResponse(vectors, tokens)


def _place(item: Any) -> int | None:
    place = getattr(item, "index", None)
    return place if isinstance(place, int) else None


def _message(error: Any) -> str:
    body = error.body
    message = body
    if isinstance(body, dict):
        message = body.get("message") or body.get("detail") or body.get("error")
    return str(message or error.response.text)
