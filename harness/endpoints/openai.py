"""OpenAI's protocol of embeddings, with its own client: OpenAI, Azure, Voyage, Mistral, vLLM, TEI, Ollama."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.endpoints.embeddings import Embedded, EmbeddingClient, missing, most_bytes
from harness.endpoints.keys import Key
from harness.endpoints.meter import counted
from harness.endpoints.parameters import refused
from harness.endpoints.retries import Again

ENCODING = "encoding_format"


class OpenAIClient(EmbeddingClient):
    """`POST /embeddings` (platform.openai.com/docs/api-reference/embeddings).

    The client asks for vectors as base64, which is shorter and exact, and takes lists where the server knows no base64
    or refuses to be asked for it.
    """

    def _open(self, key: Key) -> None:
        from harness.endpoints.wire import PLACEHOLDER, client

        service = self._service
        try:
            import openai
        except ModuleNotFoundError as error:
            raise missing(service.who, "openai", error) from error
        self._errors: Any = openai
        http: Any  # of httpx, which the library takes as well as its own
        http, self._wire = client(key, service.url, service.timeout)
        self._client: Any = openai.OpenAI(
            api_key=PLACEHOLDER,
            base_url=service.url,
            timeout=service.timeout,
            max_retries=0,
            http_client=http,
        )
        self._as_lists = False

    def embed(self, texts: Sequence[str], kind: str | None) -> Embedded:
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
                told = self._client.embeddings.create(
                    input=list(texts), model=self._service.model, extra_body=more or None, **options
                )
            vectors = [(_place(item), item.embedding) for item in told.data]
            usage = getattr(told, "usage", None)
            tokens = counted(getattr(usage, "prompt_tokens", 0)) or counted(getattr(usage, "total_tokens", 0))
        except self._errors.APIStatusError as error:
            if not self._as_lists and refused(error.response.content, {ENCODING: "base64"}):
                self._as_lists = True
                return self.embed(texts, kind)
            raise self._patience.refusal(
                error.status_code, _message(error), self._service.model, error.response.headers.get("retry-after")
            ) from None
        except self._errors.APIConnectionError as error:  # a time-out is one
            raise self._patience.silence(error, self._service.timeout) from None
        except (self._errors.OpenAIError, ValueError, TypeError, AttributeError, RecursionError):
            raise Again("an answer that is not JSON of the embeddings protocol", done=True) from None
        return Embedded(vectors, tokens)


def _place(item: Any) -> int | None:
    place = getattr(item, "index", None)
    return place if isinstance(place, int) else None


def _message(error: Any) -> str:
    body = error.body
    held = body.get("message") or body.get("detail") or body.get("error") if isinstance(body, dict) else body
    return str(held or error.response.text)
