"""Estimated cost of hosted embeddings: the whole corpus compared with candidates only; reported, and checked against
the cap, before a text is sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.choices.value import Value
from harness.data.dataset import Dataset
from harness.data.ranking import TopK
from harness.endpoints.meter import Estimate, dollars, estimated_tokens
from harness.methods import HostedEncoding, Method, fit, index, search
from harness.methods.bm25 import BM25
from harness.rows import row_name
from harness.runtime.context import Context

CANDIDATES = 100
"""BM25's documents for each query, with which a row that encodes the whole corpus is compared."""
log = logging.getLogger("harness.bench")


@dataclass(frozen=True)
class HostedCost:
    """What a hosted encoder needs on one dataset, every distinct text once; cached texts are counted too.

    Source: Kamalloo et al., "Evaluating Embedding APIs for Information Retrieval" (ACL 2023): what re-ranking costs
    grows with the queries, what the corpus costs does not, so that re-ranking is not always the cheaper one.

    Args:
        model: the server's name of it.
        whole: the row encodes the whole corpus; else only candidates.
        first: the method that finds the candidates.
        depth: number of candidates for each query.
        full: the corpus and the queries.
        candidates: the distinct candidates and the queries.
        uncached: tokens of the queries and of each query's candidates, if no vector is cached.
        uncached_dollars: their cost; None if no price is known.
        price: source of the price.
    """

    model: str
    whole: bool
    first: str
    depth: int
    full: Estimate
    candidates: Estimate
    uncached: int
    uncached_dollars: float | None
    price: str | None

    @property
    def cheaper(self) -> str:
        """`whole corpus`, `candidates` or `neither`, with every text encoded once and cached."""
        return _cheaper(self.full.tokens_in, self.candidates.tokens_in)

    @property
    def cheaper_uncached(self) -> str:
        """The same, if the candidates of each query are encoded again."""
        return _cheaper(self.full.tokens_in, self.uncached)

    def details(self) -> dict[str, Any]:
        """JSON-safe, for the record."""
        return {
            "model": self.model,
            "embeds": "whole corpus" if self.whole else "candidates",
            "first": self.first,
            "depth": self.depth,
            "whole_corpus": _numbers(self.full),
            "candidates": _numbers(self.candidates),
            "candidates_unkept": {"tokens": self.uncached, "dollars": self.uncached_dollars},
            "cheaper": self.cheaper,
            "cheaper_unkept": self.cheaper_uncached,
            "price_source": self.price,
        }

    def note(self) -> str:
        """One paragraph for readers of the record."""
        return (
            f"{self.model}: the whole corpus and the queries are {_words(self.full)}; the {self.depth} candidates of "
            f"{self.first} and the queries are {_words(self.candidates)} with each text once, {self.uncached:,} tokens"
            f"{_money(self.uncached_dollars)} with the candidates of each query encoded again. Cheaper here: "
            f"{self.cheaper} if vectors are cached, {self.cheaper_uncached} if not (estimated tokens)"
        )


def hosted_costs(method: Method, dataset: Dataset, context: Context) -> list[HostedCost]:
    """The estimated cost of each hosted encoder of a row, reported in the log. The first stage is searched for it;
    nothing is sent.

    Raises:
        SettingError: the texts that are not cached are over a cap.
    """
    costs = []
    for encoding in dict.fromkeys(method.hosted_encodings(context)):
        if encoding.first is not None and costly(encoding.first):
            continue  # finding the candidates would cost money; the cap is checked when they are sent
        cost, missing = _estimate(encoding, dataset, context)
        log.warning("%s, %s: %s. Not cached yet: %s", dataset.name, row_name(method), cost.note(), missing)
        encoding.encoder.meter.check(missing)
        costs.append(cost)
    return costs


def _estimate(encoding: HostedEncoding, dataset: Dataset, context: Context) -> tuple[HostedCost, Estimate]:
    """The cost of an encoder, and what of its texts is not cached."""
    encoder, whole = encoding.encoder, encoding.first is None
    first, depth = (BM25(), CANDIDATES) if encoding.first is None else (encoding.first, encoding.depth)
    corpus, queries = dataset.corpus, dataset.test.queries
    searcher = index(first, fit(first, dataset.train, context), corpus, context)
    rows, repeats = _candidates(search(first, searcher, queries, depth, context))
    candidates = corpus.texts_of(rows)
    sizes = np.array([estimated_tokens(encoder.sent(text, "document")) for text in candidates], dtype=np.int64)
    every_query, missing_queries = encoder.needed(queries.texts, "query")
    every_document, missing_documents = encoder.needed(corpus.texts, "document")
    every_candidate, missing_candidates = encoder.needed(candidates, "document")
    missing = missing_queries + (missing_documents if whole else missing_candidates)
    if encoding.dev and dataset.train.dev is not None:
        missing += encoder.needed(dataset.train.dev.queries.texts, "query")[1]
    uncached = int(sizes @ repeats) + every_query.tokens_in
    price = encoder.meter.price
    cost = HostedCost(
        encoder.service.model,
        whole,
        str(first),
        depth,
        every_document + every_query,
        every_candidate + every_query,
        uncached,
        encoder.meter.dollars(uncached),
        None if price is None else price.source,
    )
    return cost, missing


def _candidates(top: TopK) -> tuple[Any, Any]:
    """The distinct rows of all rankings, and the number of rankings that each is in."""
    rows, repeats = np.unique(top.indices[top.indices >= 0], return_counts=True)
    return rows.astype(np.int64), repeats.astype(np.int64)


def costly(value: Value) -> bool:
    """Whether it, or anything inside, may cost money for each text."""
    return value.paid or any(map(costly, value.parts()))


def _cheaper(full: int, candidates: int) -> str:
    if full == candidates:
        return "neither"
    return "whole corpus" if full < candidates else "candidates"


def _numbers(estimate: Estimate) -> dict[str, Any]:
    return {"texts": estimate.texts, "tokens": estimate.tokens_in, "dollars": estimate.dollars}


def _words(estimate: Estimate) -> str:
    return f"{estimate.texts:,} texts, {estimate.tokens_in:,} tokens{_money(estimate.dollars)}"


def _money(amount: float | None) -> str:
    return "" if amount is None else f" ({dollars(amount)})"
