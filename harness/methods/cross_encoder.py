"""A cross-encoder: reads query and document together. Meant for re-ranking: bm25>>cross_encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np

from harness.choices.value import LATER
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.documents import joined
from harness.data.ranking import Floats, Ints
from harness.engines import Engine
from harness.methods import CandidateScorer, Fitted, Reranks, Searcher, Size
from harness.methods._engine import EngineMethod, Tolerance
from harness.methods._exhaustive import Exhaustive
from harness.models.cross_encoder import Pair, PairModel, PairScorer, PairSettings, open_pair_scorer
from harness.models.engine_check import EngineChoice, choose_engine
from harness.models.settings import Precision
from harness.runtime.context import Context

EXHAUSTIVE_PAIRS = 200_000
"""More pairs than this are refused without a first stage: a cross-encoder reads every document for every query."""


@dataclass(frozen=True)
class CrossEncoder(PairModel, EngineMethod):
    """Scores every pair of query and document with a model that sees both.

    Source: Nogueira and Cho, "Passage Re-ranking with BERT" (2019). As a row of its own it reads the whole corpus for
    each query, which only a tiny collection allows; as `rerank(first=bm25, scorer=cross_encoder)` it reads the
    candidates.

    Args: those of `PairModel` (`harness.models.cross_encoder`) and
        model: hub name or folder of a sentence-transformers cross-encoder with one output; with a recipe it may be an
            encoder, which then gets a scoring head.
        precision, engine: see `harness.methods._engine.EngineMethod`.
        tolerance: how far another engine may move a score, in standard deviations of the sample's scores. None takes
            1e-4 in fp32 and 0.1 below.
        prompt: put before each query; None takes the model's own default, `""` is no prompt.
    """

    model: str = "cross-encoder/ms-marco-MiniLM-L6-v2"
    precision: Precision = "auto"
    engine: Engine | None = field(default=None, metadata=LATER)
    tolerance: Tolerance | None = field(default=None, metadata=LATER)
    prompt: str | None = field(default=None, metadata=LATER)

    kind = "cross_encoder"
    recipes_after = "trust_remote_code"
    pair_scores = True

    def _pair_settings(self) -> PairSettings:
        """As the model is opened: `fitted` chooses the engine."""
        return PairSettings.of(self, precision=self.engine_settings().opened, engine=None)

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        folder = open_pair_scorer(self._pair_settings(), context).folder
        return {folder.name: folder.sha, **self.engine_inputs(context)}

    def open_model(self, context: Context) -> PairScorer:
        """See `TrainableMethod.open_model`."""
        return open_pair_scorer(self._pair_settings(), context)

    def fitted(self, model: PairScorer, view: TrainView, context: Context) -> Fitted:
        """See `TrainableMethod.fitted`."""
        scorer = model.with_precision(self.engine_settings().opened)
        choice = choose_engine(self.engine_settings(), scorer.key, view, scorer.sample_outputs, context)
        return _Fitted(self, scorer.with_engine(choice.config), choice)


class _Fitted(Fitted, Reranks):
    def __init__(self, method: CrossEncoder, scorer: PairScorer, choice: EngineChoice) -> None:
        self._scorer = scorer
        self.key = f"cross_encoder-{scorer.key}"
        self.resolved = {**scorer.resolved, **choice.record()}
        self.notes = tuple(choice.notes(method.engine_settings()))
        self.models = (scorer.folder.path,)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        scorer = _CandidateScorer(self._scorer, corpus)
        return Exhaustive("cross_encoder", self.key, scorer, corpus, EXHAUSTIVE_PAIRS)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _CandidateScorer(self._scorer, corpus)


class _CandidateScorer(CandidateScorer):
    def __init__(self, scorer: PairScorer, corpus: Corpus) -> None:
        self._scorer, self._corpus = scorer, corpus
        self.size = Size(0, scorer.folder.model_bytes, scorer.folder.parameters)

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        pairs = _Pairs(texts, candidates, self._corpus)
        if cached:
            flat = self._scorer.scores(pairs)
        else:
            flat = self._scorer.compute(pairs[:])[:, 0] if len(pairs) else np.zeros(0, np.float32)
        return np.split(flat, np.cumsum([len(c) for c in candidates])[:-1])


class _Pairs(Sequence[Pair]):
    """The pairs of all queries with their candidates, end to end; texts are read when a slice is requested."""

    def __init__(self, texts: Sequence[str], candidates: Sequence[Ints], corpus: Corpus) -> None:
        self._texts, self._corpus = texts, corpus
        self._rows = np.concatenate([*candidates, np.zeros(0, np.int64)])
        self._query = np.repeat(np.arange(len(texts)), [len(c) for c in candidates])

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        if isinstance(index, int):
            document = self._corpus[int(self._rows[index])]
            return self._texts[int(self._query[index])], joined(document.title, document.text)
        documents = self._corpus.texts_of(self._rows[index])[:]
        return [(self._texts[int(q)], d) for q, d in zip(self._query[index], documents, strict=True)]
