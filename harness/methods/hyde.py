"""HyDE: a dense encoder searches with the mean of its query and of passages that a chat model makes up for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Count, NonNegative
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, TopK
from harness.indexes import Vectors
from harness.methods import Fitted, Method, Searcher, index
from harness.methods._vectors import VectorSearcher
from harness.methods._written import Written, WrittenFitted, WrittenSearcher
from harness.methods.dense import Dense
from harness.runtime.context import Context

PROMPT: Final = "Please write a passage to answer the question.\nQuestion: {query}\nPassage:"
BLOCK: Final = 256
"""Queries whose passages' vectors are in memory at once."""


@dataclass(frozen=True)
class HyDE(Written):
    """Hypothetical document embeddings: passages that could answer the query, encoded as documents are.

    Source: Gao et al., "Precise Zero-Shot Dense Retrieval without Relevance Labels" (2212.10496), with its temperature
    and its eight passages; the prompt is that of its web search. Its prompts for other tasks say what a document there
    is, as "Please write a scientific paper passage to support/refute the claim." for SciFact. The mean (equation 8) is
    not normalised, which moves no rank.

    An empty passage is left out of the mean; a query without passages is searched as it is. Every passage is cached by
    model and prompt, and its vector as that of any text, so that nothing is paid for twice.

    Args: those of `Written` (`harness.methods._written`) and
        first: encodes and searches: `dense`, trained or not, `api`, or `doc2query` of one.
        temperature: above 0 if several passages are requested; None leaves it to the server.
        passages: for each query.
    """

    first: Method = field(default_factory=Dense)
    prompt: str = PROMPT
    temperature: NonNegative | None = 0.7
    passages: Count = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.passages > 1 and self.temperature == 0:
            raise SettingError(
                "hyde: at temperature 0 all passages of a query are the same; set passages=1 or a temperature"
            )

    def number(self) -> int:
        """See `Written.number`."""
        return self.passages

    def fit(self, view: TrainView, context: Context) -> WrittenFitted:
        """Fits the first stage; no request is sent."""
        return _Fitted(self, view, context, {"passages": self.passages})


class _Fitted(WrittenFitted):
    def __init__(self, method: HyDE, view: TrainView, context: Context, settings: dict[str, int]) -> None:
        super().__init__(method, view, context, settings)
        self._method = method

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """The first stage's index.

        Raises:
            SettingError: it has not one vector for each text.
        """
        method = self._method
        inner = index(method.first, self.first, corpus, context)
        if not isinstance(inner, VectorSearcher):
            raise SettingError(
                f"hyde: {method.first} does not search with one vector a query, so there is no mean to take; name a "
                "first stage that does, as hyde(dense), and query2doc for others. In a hybrid it is a "
                "method: hybrid(methods=(bm25, hyde(dense)))."
            )
        return _Searcher(method, self, inner, corpus, context)


class _Searcher(WrittenSearcher):
    def __init__(self, method: HyDE, fitted: Fitted, inner: VectorSearcher, corpus: Corpus, context: Context) -> None:
        super().__init__(method, fitted, inner, corpus, context)
        self._vectors = inner

    def rank(self, queries: Queries, passages: Sequence[Sequence[str]], k: int) -> TopK:
        """See `WrittenSearcher.rank`."""
        return self._vectors.nearest(self._means(queries.texts, passages), k)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`; an approximate index is judged by the means."""
        return self._vectors.missed(
            queries.texts, lambda texts: self._means(texts, self._writer.write(texts, self._context))
        )

    def _means(self, texts: Sequence[str], passages: Sequence[Sequence[str]]) -> Floats:
        """(Q, D) vectors to search with."""
        embed = self._vectors.embedder.vectors
        queries = embed(texts, "query")
        flat = [passage for own in passages for passage in own]
        written: Vectors | None = embed(flat, "document") if flat else None
        if written is None:
            return queries.block(0, len(queries))
        means = queries.block(0, len(queries)).copy()
        ends = np.cumsum([len(own) for own in passages])
        for start in range(0, len(texts), BLOCK):
            stop = min(start + BLOCK, len(texts))
            first = int(ends[start]) - len(passages[start])
            block = written.block(first, int(ends[stop - 1]))
            for row in range(start, stop):
                own = block[int(ends[row]) - len(passages[row]) - first : int(ends[row]) - first]
                if len(own):
                    means[row] = mean(means[row], own)
        return means


def mean(query: Floats, passages: Floats) -> Floats:
    """(D,) the mean of a query's (D,) vector and of the (N, D) vectors of its passages, in double precision.

    Source: Gao et al. (2212.10496), equation 8.
    """
    together: Floats = np.vstack([passages, query]).astype(np.float64).mean(axis=0).astype(np.float32)
    return together
