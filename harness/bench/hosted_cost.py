"""The bill of hosted embeddings: the whole corpus against candidates alone, told and capped before a text is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.choices.value import Value
from harness.data.dataset import Dataset
from harness.endpoints.encoder import HostedEncoder
from harness.endpoints.meter import Estimate, dollars, tokens
from harness.methods import Method, fit, index, search
from harness.methods.api import API
from harness.methods.bm25 import BM25
from harness.methods.doc2query import Doc2Query
from harness.methods.hybrid import Hybrid
from harness.methods.rerank import Rerank
from harness.rows import row_name
from harness.runtime.context import Context

CANDIDATES = 100
"""Of BM25, for each query, where a row that embeds the whole corpus is compared with re-ranking."""
log = logging.getLogger("harness.bench")


@dataclass(frozen=True)
class Bill:
    """What a hosted encoder takes on one dataset, every distinct text once; kept texts are counted too.

    Source: Kamalloo et al., "Evaluating Embedding APIs for Information Retrieval" (ACL 2023): what re-ranking costs
    grows with the queries, what the corpus costs does not, so that re-ranking is not always the cheaper one.

    Args:
        model: as the server calls it.
        whole: the row embeds the whole corpus; else candidates alone.
        first: what finds the candidates.
        depth: how many for each query.
        full: the corpus and the queries.
        candidates: the distinct candidates and the queries.
        unkept: tokens of the candidates of each query, as they come, and the queries: where no vector is kept.
        unkept_dollars: what those cost; None where no price is known.
        price: where the price is from.
    """

    model: str
    whole: bool
    first: str
    depth: int
    full: Estimate
    candidates: Estimate
    unkept: int
    unkept_dollars: float | None
    price: str | None

    @property
    def cheaper(self) -> str:
        """`whole corpus`, `candidates` or `neither`, with every text embedded once and kept."""
        return _less(self.full.tokens_in, self.candidates.tokens_in)

    @property
    def cheaper_unkept(self) -> str:
        """The same, where the candidates of each query are embedded anew."""
        return _less(self.full.tokens_in, self.unkept)

    def told(self) -> dict[str, Any]:
        """JSON-safe, for the record."""
        return {
            "model": self.model,
            "embeds": "whole corpus" if self.whole else "candidates",
            "first": self.first,
            "depth": self.depth,
            "whole_corpus": _figures(self.full),
            "candidates": _figures(self.candidates),
            "candidates_unkept": {"tokens": self.unkept, "dollars": self.unkept_dollars},
            "cheaper": self.cheaper,
            "cheaper_unkept": self.cheaper_unkept,
            "price_source": self.price,
        }

    def note(self) -> str:
        """One paragraph for who reads the figures."""
        anew = f"{self.unkept:,} tokens{_money(self.unkept_dollars)}"
        return (
            f"{self.model}: the whole corpus and the queries are {_words(self.full)}; the {self.depth} candidates of "
            f"{self.first} and the queries are {_words(self.candidates)} with each text once, {anew} with the "
            f"candidates of "
            f"each query anew. Cheaper here: {self.cheaper} when vectors are kept, {self.cheaper_unkept} when they are "
            f"not "
            "(tokens by our estimate)"
        )


def bills(method: Method, dataset: Dataset, context: Context) -> list[Bill]:
    """What each hosted encoder of a row takes, told in the log; the first stage is searched for it, and nothing is
    sent.

    Raises:
        SettingError: what the row needs and is not kept is over a cap.
    """
    found = []
    for part, stage in dict.fromkeys(_hosted(method)):
        if stage is not None and costly(stage.first):
            continue  # its candidates are not to be had for nothing; the cap is held when they are sent
        encoder = part.encoder(context)
        one, missing = _bill(encoder, stage, dataset, _tuned(method), context)
        log.warning("%s, %s: %s. Not kept yet: %s", dataset.name, row_name(method), one.note(), missing)
        encoder.meter.check(missing)
        found.append(one)
    return found


def _bill(
    encoder: HostedEncoder, stage: Rerank | None, dataset: Dataset, tuned: bool, context: Context
) -> tuple[Bill, Estimate]:
    corpus, queries = dataset.corpus, dataset.test.queries
    first: Method = BM25() if stage is None else stage.first
    depth = CANDIDATES if stage is None else stage.depth
    searcher = index(first, fit(first, dataset.train, context), corpus, context)
    rows, repeats = _candidates(search(first, searcher, queries, depth, context).indices)
    candidates = corpus.texts_of(rows)
    sizes = np.array([tokens(encoder.sent(text, "document")) for text in candidates], dtype=np.int64)
    every_query, missing_queries = encoder.needed(queries.texts, "query")
    every_document, missing_documents = encoder.needed(corpus.texts, "document")
    every_candidate, missing_candidates = encoder.needed(candidates, "document")
    missing = missing_queries + (missing_documents if stage is None else missing_candidates)
    dev = dataset.train.dev
    if tuned and dev is not None:
        missing += encoder.needed(dev.queries.texts, "query")[1]
    unkept = int(sizes @ repeats) + every_query.tokens_in
    price = encoder.meter.price
    bill = Bill(
        encoder.service.model,
        stage is None,
        str(first),
        depth,
        every_document + every_query,
        every_candidate + every_query,
        unkept,
        encoder.meter.dollars(unkept),
        None if price is None else price.source,
    )
    return bill, missing


def _candidates(indices: Any) -> tuple[Any, Any]:
    """The distinct rows of all rankings, and how often each stands in one."""
    rows, repeats = np.unique(indices[indices >= 0], return_counts=True)
    return rows.astype(np.int64), repeats.astype(np.int64)


def _hosted(method: Method) -> Iterator[tuple[API, Rerank | None]]:
    """The hosted encoders inside a method; with each, the re-ranking whose candidates it scores, None where it has the
    corpus.
    """
    if isinstance(method, API):
        yield method, None
    elif isinstance(method, Rerank):
        yield from _hosted(method.first)
        if isinstance(method.scorer, API):
            yield method.scorer, method
    elif not isinstance(method, Doc2Query):  # what it embeds is not written yet: it is estimated when it is sent
        for part in method.nested():
            yield from _hosted(part)


def costly(value: Value) -> bool:
    """Whether it, or anything inside, may cost money by the text."""
    return value.paid or any(map(costly, value.parts()))


def _tuned(value: Value) -> bool:
    """Whether anything inside is chosen on the dev queries, which are then embedded too."""
    here = isinstance(value, Hybrid) and bool(value.fusion.candidates_for_dev(len(value.methods)))
    return here or any(_tuned(part) for part in value.parts())


def _less(full: int, candidates: int) -> str:
    return "neither" if full == candidates else "whole corpus" if full < candidates else "candidates"


def _figures(estimate: Estimate) -> dict[str, Any]:
    return {"texts": estimate.texts, "tokens": estimate.tokens_in, "dollars": estimate.dollars}


def _words(estimate: Estimate) -> str:
    return f"{estimate.texts:,} texts, {estimate.tokens_in:,} tokens{_money(estimate.dollars)}"


def _money(amount: float | None) -> str:
    return "" if amount is None else f" ({dollars(amount)})"
