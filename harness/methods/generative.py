"""A causal language model on this machine as a re-ranker, in the form of Qwen3-Reranker: bm25>>generative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.methods import CandidateScorer, Fitted, Method, Reranks, Searcher, Size
from harness.methods._exhaustive import Exhaustive
from harness.models.generative import GenerativeScorer, GenerativeSettings, open_generative
from harness.runtime.context import Context

EXHAUSTIVE_PAIRS: Final = 20_000
"""More pairs are refused without a first stage."""
BLOCK: Final = 64
"""Queries whose candidates' texts are in memory at once."""


@dataclass(frozen=True)
class Generative(GenerativeSettings, Method):
    """Scores each candidate by how much a language model prefers the answer yes to no; nothing is generated.

    Source: Zhang et al., "Qwen3 Embedding" (2506.05176), section 2, with the prompt of the model cards of
    Qwen3-Reranker. The score is the difference of the two logits, whose sigmoid is the probability in the paper; it
    orders documents in the same way, and does not round to 1. Each pair is scored once and cached.

    Args: those of `GenerativeSettings` (`harness.models.generative`) and
        model: hub name or folder.
    """

    model: str = "Qwen/Qwen3-Reranker-0.6B"

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        folder = self._open(context).folder
        return {folder.name: folder.sha}

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn.

        Raises:
            Unavailable: the model is not to be had.
        """
        return _Fitted(self._open(context))

    def _open(self, context: Context) -> GenerativeScorer:
        settings = {field.name: getattr(self, field.name) for field in fields(GenerativeSettings)}
        return open_generative(GenerativeSettings(**settings), context)


class _Fitted(Fitted, Reranks):
    def __init__(self, scorer: GenerativeScorer) -> None:
        self._scorer = scorer
        self.key = f"generative-{scorer.key}"
        self.resolved = scorer.resolved
        self.models = (scorer.folder.path,)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        scorer = self.candidate_scorer(corpus, context)
        return Exhaustive("generative", self.key, scorer, corpus, EXHAUSTIVE_PAIRS)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _Scorer(self._scorer, corpus)


class _Scorer(CandidateScorer):
    def __init__(self, scorer: GenerativeScorer, corpus: Corpus) -> None:
        self._scorer, self._corpus = scorer, corpus
        self.size = Size(0, scorer.folder.model_bytes, scorer.folder.parameters)

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        found: list[Floats] = []
        for start in range(0, len(texts), BLOCK):
            rows = candidates[start : start + BLOCK]
            pairs = [
                (query, document)
                for query, of_query in zip(texts[start : start + BLOCK], rows, strict=True)
                for document in self._corpus.texts_of(of_query)[:]
            ]
            flat = self._scorer.scores(pairs) if cached else self._scorer.compute(pairs)
            found += np.split(flat, np.cumsum([len(of_query) for of_query in rows])[:-1])
        return found
