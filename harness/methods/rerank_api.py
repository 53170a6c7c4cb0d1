"""A hosted re-ranker, of Cohere, Jina, Voyage or a server of one's own: bm25>>rerank_api."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.endpoints.journal import Journal, digest
from harness.endpoints.meter import Bound, Meter, estimated_tokens, most_tokens
from harness.endpoints.pool import run_requests
from harness.endpoints.reranking import FORMS, RerankEndpoint, RerankProtocol, protocol_of
from harness.endpoints.service import Service
from harness.endpoints.settings import PaidRequests
from harness.methods import CandidateScorer, Fitted, Method, Reranks, Searcher, Size
from harness.methods._exhaustive import Exhaustive
from harness.runtime.context import Context

EXHAUSTIVE_PAIRS: Final = 2_000
"""More pairs are refused without a first stage: each is paid for."""


@dataclass(frozen=True)
class RerankModel:
    """The settings that come before those of `PaidRequests`.

    Args:
        model: as the server calls it; TEI serves one and is sent no name.
        url: base of the address: `/v2/rerank` follows it for Cohere, `/rerank` for others.
        protocol: `cohere`, `jina`, `voyage` or `tei`; None takes that of the host, Jina's for an unknown one.
        max_characters: of a document that are sent; None sends all of it.
        batch_items: documents in one request; None takes the protocol's 100, or 32 for TEI.
    """

    model: str = "rerank-v3.5"
    url: str = "https://api.cohere.com"
    protocol: RerankProtocol | None = None
    max_characters: Count | None = None
    batch_items: Count | None = None


@dataclass(frozen=True)
class RerankAPI(PaidRequests, RerankModel, Method):
    """Scores candidates by a hosted re-ranker; every score is cached, so that nothing is paid for twice.

    Prices are in dollars per million tokens, as Jina and Voyage charge; Cohere charges by searches, so its price is
    unknown here: use `cap_tokens`.

    Args: those of `RerankModel` and of `harness.endpoints.settings`.
    """

    paid: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.service().check()

    def service(self) -> Service:
        """The model; answers cost nothing."""
        service = Service.of(self.name(), self)
        return dataclasses.replace(service, price_out=0.0) if service.price_out is None else service

    def deciding(self) -> dict[str, Any]:
        """All that decides a score besides query and document."""
        protocol = self.protocol or protocol_of(self.url)
        return {"url": self.url.rstrip("/"), "model": self.model, "protocol": protocol, "of": "rerank"}

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn, and no request is sent."""
        return _Fitted(self)


class _Fitted(Fitted, Reranks):
    def __init__(self, method: RerankAPI) -> None:
        self._method = method
        price = method.service().meter().price
        self.resolved = {
            **method.deciding(),
            "max_characters": method.max_characters,
            "price_source": None if price is None else price.source,
        }
        self.key = f"rerank_api-{digest(self.resolved)}"

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        scorer = self.candidate_scorer(corpus, context)
        return Exhaustive("rerank_api", self.key, scorer, corpus, EXHAUSTIVE_PAIRS)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _Scorer(self._method, corpus, context)


@dataclass(frozen=True)
class _Request:
    query: str
    texts: tuple[str, ...]

    @property
    def bound(self) -> Bound:
        """The most tokens that it can have: the query is read with each document."""
        return Bound(sum(map(most_tokens, self.texts)) + len(self.texts) * most_tokens(self.query))

    @property
    def tokens(self) -> int:
        """Its tokens, estimated."""
        return sum(map(estimated_tokens, self.texts)) + len(self.texts) * estimated_tokens(self.query)

    def halves(self) -> list[_Request]:
        """The same documents in two requests; none if there is one."""
        middle = len(self.texts) // 2
        parts = (self.texts[:middle], self.texts[middle:]) if middle else ()
        return [_Request(self.query, part) for part in parts]


class _Scorer(CandidateScorer):
    """Paid by the query, so it is not timed."""

    def __init__(self, method: RerankAPI, corpus: Corpus, context: Context) -> None:
        self._method, self._corpus, self._context = method, corpus, context
        self.size, self.live = Size(), False

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        """See `CandidateScorer.scores`.

        Raises:
            SettingError: the texts that are not cached could exceed a cap; nothing was sent.
            HarnessError: the server's; scores that came before are cached.
        """
        method, deciding = self._method, self._method.deciding()
        journal = Journal(self._context.cache, "answers", digest(deciding), deciding)
        place = f"meter {method.fingerprint()}"
        meter: Meter = self._context.ledger.once("model", f"open {method.model}", place, method.service().meter)
        with journal.lock, self._context.progress("re-rank", len(texts), "queries") as advance:
            known = _stored(journal)
            due = list(self._due(texts, candidates, known))
            if due:
                meter.admit(meter.estimate(len(due), 0, sum(request.tokens for request in due)))
                self._send(due, journal, meter)
                known = _stored(journal)
            advance(len(texts))
        self._context.ledger.count("pairs", sum(map(len, candidates)))
        return list(self._assembled(texts, candidates, known))

    def _sent(self, rows: Ints) -> list[str]:
        """The documents' texts as they are sent."""
        return [text[: self._method.max_characters] for text in self._corpus.texts_of(rows)[:]]

    def _due(
        self, texts: Sequence[str], candidates: Sequence[Ints], known: dict[str, dict[str, float]]
    ) -> Iterator[_Request]:
        """Requests for all pairs without a score, each pair once."""
        form = FORMS[self._method.protocol or protocol_of(self._method.url)]
        size = self._method.batch_items or form.items
        planned: dict[str, set[str]] = {}
        for query, rows in zip(texts, candidates, strict=True):
            stored, seen = known.get(digest(query), {}), planned.setdefault(query, set())
            missing = [t for t in dict.fromkeys(self._sent(rows)) if t not in seen and digest(t) not in stored]
            seen.update(missing)
            for start in range(0, len(missing), size):
                yield _Request(query, tuple(missing[start : start + size]))

    def _send(self, due: Iterable[_Request], journal: Journal, meter: Meter) -> None:
        service, method = self._method.service(), self._method
        endpoint = RerankEndpoint(service, method.protocol or protocol_of(method.url), service.rate_limit())

        def one(request: _Request) -> tuple[int, int]:
            answer = endpoint.ask(
                request.query, request.texts, request.tokens, lambda: meter.count_lost(request.bound)
            )
            scores = dict(zip(map(digest, request.texts), answer.scores, strict=True))
            name = digest(request.query, request.texts)
            journal.add(name, {"query": digest(request.query), "scores": scores})
            return answer.tokens or request.tokens, 0

        error = run_requests(
            due,
            one,
            bound=lambda request: request.bound,
            meter=meter,
            concurrency=service.concurrency,
            stop=endpoint.stop,
            split=_Request.halves,
        )
        if error is not None:
            raise error

    def _assembled(
        self, texts: Sequence[str], candidates: Sequence[Ints], known: dict[str, dict[str, float]]
    ) -> Iterator[Floats]:
        for query, rows in zip(texts, candidates, strict=True):
            stored = known.get(digest(query), {})
            yield np.array([stored[digest(text)] for text in self._sent(rows)], dtype=np.float32)


def _stored(journal: Journal) -> dict[str, dict[str, float]]:
    """Query → document → score, by digests."""
    known: dict[str, dict[str, float]] = {}
    for entry in journal.read().values():
        known.setdefault(entry["query"], {}).update(entry["scores"])
    return known
