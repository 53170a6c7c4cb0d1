"""Cohere's protocol of embeddings, with its own client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.endpoints.embeddings import EmbeddingClient, EmbeddingResponse, missing_library, most_bytes
from harness.endpoints.keys import Key
from harness.endpoints.meter import reported_tokens
from harness.endpoints.retries import Retryable

OK = range(200, 300)


class CohereClient(EmbeddingClient):
    """`POST /v2/embed` (docs.cohere.com/reference/embed). `input_type` is required."""

    def _open(self, key: Key) -> None:
        from harness.endpoints.wire import PLACEHOLDER, client

        service = self._service
        try:
            import cohere
            import httpx
            from cohere.core.api_error import ApiError
        except ModuleNotFoundError as error:
            raise missing_library(service.who, "cohere", error) from error
        self._status_error: Any = ApiError
        self._connection_error: Any = httpx.HTTPError
        http, self._wire = client(key, service.url, service.timeout)
        self._client: Any = cohere.ClientV2(
            api_key=PLACEHOLDER,
            base_url=service.url.rstrip("/"),
            timeout=service.timeout,
            max_retries=0,
            httpx_client=http,
            log_warning_experimental_features=False,
        )

    def embed(self, texts: Sequence[str], kind: str | None) -> EmbeddingResponse:
        """See `EmbeddingClient.embed`; the protocol answers in the order of the texts."""
        options = {} if self._dimensions is None else {"output_dimension": self._dimensions}
        try:
            with self._wire.expecting(most_bytes(texts)):
                answer = self._client.embed(
                    model=self._service.model,
                    input_type=kind or "search_document",
                    texts=list(texts),
                    embedding_types=["float"],
                    **options,
                )
            vectors = [(None, vector) for vector in answer.embeddings.float_]
            billed = getattr(getattr(answer, "meta", None), "billed_units", None)
            tokens = reported_tokens(getattr(billed, "input_tokens", 0))
        except self._status_error as error:
            code = int(error.status_code or 0)
            if code in OK:  # the client reports a body that is not JSON in this way
                raise Retryable("an answer that is not JSON of the embed protocol", done=True) from None
            headers = {str(k).lower(): v for k, v in (error.headers or {}).items()}
            raise self._retrier.error_of(
                code, _message(error.body), self._service.model, headers.get("retry-after")
            ) from None
        except self._connection_error as error:
            raise self._retrier.no_answer(error, self._service.timeout) from None
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise Retryable("an answer that is not JSON of the embed protocol", done=True) from None
        return EmbeddingResponse(vectors, tokens)


def _message(body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else getattr(body, "message", None)
    return str(message or body or "")
