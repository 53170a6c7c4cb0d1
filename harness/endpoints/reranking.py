"""Hosted re-rankers: one request with a query and documents, one score for each, validated before it is used."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from harness.base.errors import HarnessError, ModelError
from harness.endpoints.address import host
from harness.endpoints.keys import Key
from harness.endpoints.meter import reported_tokens
from harness.endpoints.retries import RateLimit, RequestRefused, Retrier, Retryable
from harness.endpoints.service import Service

RerankProtocol = Literal["cohere", "jina", "voyage", "tei"]
_AROUND: Final = 1 << 20
"""Bytes of an answer besides the documents, which some servers repeat."""


@dataclass(frozen=True)
class Form:
    """The requests and answers of one protocol.

    Args:
        path: after the address.
        documents: the request's field with the texts.
        named: whether a request names the model.
        options: further fields of a request.
        results: the answer's field with the results; empty if the answer is the list itself.
        score: the field of a result with its score.
        items: documents in one request, if nothing else is set.
    """

    path: str
    documents: str = "documents"
    named: bool = True
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    results: str = "results"
    score: str = "relevance_score"
    items: int = 100


FORMS: Final[Mapping[RerankProtocol, Form]] = MappingProxyType(
    {
        # docs.cohere.com/reference/rerank: up to 100 documents are one search unit.
        "cohere": Form("/v2/rerank"),
        # api.jina.ai/redoc, and the same of vLLM, Infinity and llama.cpp.
        "jina": Form("/rerank", options=MappingProxyType({"return_documents": False})),
        # docs.voyageai.com/reference/reranker-api
        "voyage": Form(
            "/rerank", options=MappingProxyType({"return_documents": False, "truncation": True}), results="data"
        ),
        # huggingface.github.io/text-embeddings-inference: 32 texts by default; raw scores are not squeezed towards 1.
        "tei": Form(
            "/rerank",
            "texts",
            named=False,
            options=MappingProxyType({"raw_scores": True, "return_text": False, "truncate": True}),
            results="",
            score="score",
            items=32,
        ),
    }
)
_HOSTS: Final[Mapping[str, RerankProtocol]] = MappingProxyType(
    {"api.cohere.com": "cohere", "api.jina.ai": "jina", "api.voyageai.com": "voyage"}
)


def protocol_of(url: str) -> RerankProtocol:
    """The protocol of an address; Jina's, which several servers took over, if its host is unknown."""
    return _HOSTS.get(host(url), "jina")


@dataclass(frozen=True)
class RerankAnswer:
    """An answer of the server.

    Args:
        scores: of the documents, in the order of the request.
        tokens: of the request, by the server's count; 0 if it does not report one.
    """

    scores: tuple[float, ...]
    tokens: int


class RerankEndpoint:
    """The re-ranker of a server.

    Args:
        service: the model and its address.
        protocol: of the address.
        rate_limit: shared by all requests to the address.

    Raises:
        SettingError: not an http or https address, or one that the key is not sent to.
        Unavailable: no key for a server that is not on this machine.
    """

    def __init__(self, service: Service, protocol: RerankProtocol, rate_limit: RateLimit | None = None) -> None:
        from harness.endpoints.wire import client

        self._service, self._form = service, FORMS[protocol]
        self._url = f"{service.url.rstrip('/')}{self._form.path}"
        key = Key(service.who, service.url, service.variable)
        self._retrier = Retrier(service.who, self._url, key, service.retries, rate_limit)
        self._client, self._wire = client(key, service.url, service.timeout)

    def stop(self) -> None:
        """Ends all waiting: requests in flight are finished, none is repeated."""
        self._retrier.stop()

    def ask(
        self,
        query: str,
        texts: Sequence[str],
        tokens: int = 0,
        lost: Callable[[], HarnessError | None] = lambda: None,
    ) -> RerankAnswer:
        """Sends one request; repeats it if the server is busy, slow or sends no JSON.

        Args:
            query: its text.
            texts: of the documents; an empty one is sent as one space, as is an empty query.
            tokens: of the request by our estimate, for the rate limit.
            lost: see `Retrier.call`.

        Raises:
            ModelError: the server refuses the key, the model or the request, or its scores are not valid. They are not
                requested again, since that would be charged again.
            Unavailable: there is no server.
        """
        form = self._form
        body: dict[str, Any] = {"query": query or " ", form.documents: [text or " " for text in texts], **form.options}
        if form.named:
            body["model"] = self._service.model
        try:
            answer = self._retrier.call(lambda: self._once(body), tokens, lost)
        except RequestRefused as error:
            raise self._explained(error, texts) from None
        return RerankAnswer(self._scores(answer, len(texts)), _tokens(answer))

    def _once(self, body: Mapping[str, Any]) -> Any:
        import httpx

        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "retrieval-harness"}
        content = json.dumps(body).encode()
        try:
            with self._wire.expecting(_AROUND + 8 * len(content)):
                response = self._client.post(self._url, content=content, headers=headers)
        except httpx.RequestError as error:  # time-outs are some
            raise self._retrier.no_answer(error, self._service.timeout) from None
        if not response.is_success:
            retry_after = response.headers.get("Retry-After")
            raise self._retrier.error_of(
                response.status_code, _message(response.content), self._service.model, retry_after
            )
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError):
            raise Retryable("an answer that is not JSON", done=True) from None

    def _scores(self, answer: Any, count: int) -> tuple[float, ...]:
        """The scores in the order of the request."""
        form = self._form
        try:
            results = answer[form.results] if form.results else answer
            found = {_place(each["index"]): float(each[form.score]) for each in results}
            complete = len(results) == count and sorted(found) == list(range(count))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._wrong("no list of results with index and score") from None
        if not complete:
            raise self._wrong(f"{len(results)} results for {count} documents, not one for each")
        if not all(map(math.isfinite, found.values())):
            raise self._wrong("a score that is not a number")
        return tuple(found[place] for place in range(count))

    def _wrong(self, what: str) -> ModelError:
        return ModelError(
            f"{self._service.who}: {self._url} answered with {what}. Earlier valid answers are cached. Correct url or "
            "protocol, or report it to the provider."
        )

    def _explained(self, error: RequestRefused, texts: Sequence[str]) -> Exception:
        if not error.too_long:
            return error
        longest = max(texts, key=len)
        return ModelError(
            f"{error} The request has {len(texts)} documents, the longest of {len(longest):,} characters: "
            f"{longest[:160]!r}… Set max_characters, or fewer batch_items. Earlier answers are cached."
        )


def _place(index: object) -> int:
    if isinstance(index, bool) or not isinstance(index, int):
        raise TypeError(index)
    return index


def _tokens(answer: Any) -> int:
    """The tokens that a server reports: Jina and Voyage do, Cohere counts searches."""
    usage = answer.get("usage") if isinstance(answer, dict) else None
    return reported_tokens(usage.get("total_tokens")) if isinstance(usage, dict) else 0


def _message(raw: bytes) -> str:
    """The message of an error, by the field that has it: Cohere's `message`, Jina's and Voyage's `detail`, TEI's
    `error`.
    """
    try:
        told = json.loads(raw)
        named = next(told[name] for name in ("message", "detail", "error") if told.get(name))
        return named if isinstance(named, str) else json.dumps(named)
    except (ValueError, TypeError, AttributeError, StopIteration, RecursionError):
        return raw.decode("utf-8", "replace")
