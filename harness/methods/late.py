"""Late interaction (ColBERT and similar models): one vector per token, compared by MaxSim. Searches small corpora,
re-ranks any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.cache.ragged import Ragged, StoredRagged
from harness.choices.value import LATER
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK
from harness.methods import CandidateScorer, Fitted, Method, Reranks, Searcher, SearchReport, Size
from harness.methods._engine import EngineMethod, Tolerance
from harness.methods._maxsim import MaxSimIndex, maxsim
from harness.methods._ragged import FittedRagged, size
from harness.methods._searching import distinct
from harness.models.encoder import Side
from harness.models.engine_check import EngineChoice, choose_engine
from harness.models.late import LateEncoder
from harness.models.ragged import RaggedSettings, open_ragged
from harness.models.settings import Precision
from harness.runtime.context import Context

BLOCK = 512
NONE = -1e9
"""The score of a candidate without vectors, as sentence-transformers gives it: below every other."""


@dataclass(frozen=True)
class Late(RaggedSettings, EngineMethod):
    """Ranks by MaxSim: the sum over a query's token vectors of the greatest inner product with one of the document's.

    Source: Khattab and Zaharia, ColBERT (2004.12832); Santhanam et al., ColBERTv2 (2112.01488). Any
    sentence-transformers multi-vector encoder, by hub name or folder, also one that PyLate or Stanford's ColBERT has
    written. Which document tokens are left out and how a query is expanded by masks is the model's own setting. Every
    text is encoded once per encoder and all its vectors are cached: about 4 · D bytes a token. As a row of its own it
    compares every document, exactly; `bm25>>late` compares the candidates.

    Args: those of `RaggedSettings` (`harness.models.ragged_model`) and
        model: hub name or folder. With a recipe, any encoder, which then gets a projection to 128 dimensions.
    """

    model: str = "answerdotai/answerai-colbert-small-v1"
    precision: Precision = "auto"
    tolerance: Tolerance | None = field(default=None, metadata=LATER)

    kind = "late"
    recipes_after = "trust_remote_code"

    def _settings(self) -> RaggedSettings:
        """As the model is opened: `fitted` chooses the engine."""
        return RaggedSettings.of(self, precision=self.engine_settings().opened, engine=None)

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        folder = self.open_model(context).folder
        return {folder.name: folder.sha, **self.engine_inputs(context)}

    def encoding(self) -> Method:
        """See `Method.encoding`."""
        return self

    def open_model(self, context: Context) -> LateEncoder:
        """See `TrainableMethod.open_model`."""
        return open_ragged(LateEncoder, self._settings(), context)

    def fitted(self, model: LateEncoder, view: TrainView, context: Context) -> Fitted:
        """See `TrainableMethod.fitted`.

        Raises:
            ModelError: the model is no late-interaction encoder.
        """
        model.check()
        choice = choose_engine(self.engine_settings(), model.fingerprint, view, model.sample_outputs, context)
        return _Fitted(self, model.with_engine(choice.config), choice)


class _Fitted(FittedRagged, Reranks):
    def __init__(self, method: Late, encoder: LateEncoder, choice: EngineChoice) -> None:
        self._encoder = encoder
        super().__init__(f"late-{encoder.fingerprint}", choice.record(), encoder)
        self.notes = choice.notes(method.engine_settings())

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(self.key, self._encoder, corpus)

    def encode(self, texts: Sequence[str], side: Side = "document") -> None:
        self._encoder.matrices(texts, side)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _CandidateScorer(self._encoder, corpus)


def _queries(encoder: LateEncoder, texts: Sequence[str], *, cached: bool) -> Ragged:
    """Token vectors of queries, divided by their number if the model compares by the mean."""
    if cached:
        stored = encoder.matrices(texts, "query")
        vectors = stored.block(0, len(stored))
    else:
        vectors = encoder.encode(texts, "query")
    if encoder.similarity == "maxsim":
        return vectors
    shares = np.repeat(1 / np.maximum(1, vectors.lengths), vectors.lengths).astype(np.float32)
    return Ragged(vectors.values * shares[:, None], vectors.starts)


class _Searcher(Searcher):
    def __init__(self, key: str, encoder: LateEncoder, corpus: Corpus) -> None:
        vectors = encoder.matrices(corpus.texts, "document")
        self._encoder = encoder
        self._index = MaxSimIndex(vectors, corpus.id_order)
        self.key = f"{key}-{corpus.revision}"
        self.size = size(encoder, self._index.nbytes, vectors.width)
        self._mean_vectors = _mean(vectors.lengths)

    def search(self, queries: Queries, k: int) -> TopK:
        return self._index.search(_queries(self._encoder, queries.texts, cached=queries.cached), k)

    def report(self, queries: Queries) -> SearchReport:
        """See `Searcher.report`; the mean number of vectors."""
        of_queries = _mean(_queries(self._encoder, queries.texts, cached=True).lengths)
        return SearchReport(self.size, {"vectors": {"document": self._mean_vectors, "query": of_queries}})


def _mean(lengths: Ints) -> float:
    """Mean number of vectors."""
    return round(float(lengths.mean()), 2) if len(lengths) else 0.0


class _CandidateScorer(CandidateScorer):
    """Encodes only the candidates."""

    def __init__(self, encoder: LateEncoder, corpus: Corpus) -> None:
        self._encoder, self._corpus = encoder, corpus
        self.size = size(encoder, 0, 0)

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        documents = distinct(candidates)
        stored = self._documents(documents)
        queries = _queries(self._encoder, texts, cached=cached)
        all_scores = []
        for number, rows in enumerate(candidates):
            scores = np.zeros(len(rows), dtype=np.float32)
            for start in range(0, len(rows), BLOCK):  # a query's candidates may be the whole corpus
                block = stored.take(np.searchsorted(documents, rows[start : start + BLOCK]))
                for i in range(len(block)):
                    scores[start + i] = maxsim(block[i], queries[number]) if len(block[i]) else NONE
            all_scores.append(scores)
        return all_scores

    def _documents(self, rows: Ints) -> StoredRagged:
        return self._encoder.matrices(self._corpus.texts_of(rows), "document")

    def size_for(self, candidates: Sequence[Ints]) -> Size:
        """See `CandidateScorer.size_for`."""
        stored = self._documents(distinct(candidates))
        return size(self._encoder, int(stored.lengths.sum()) * stored.width * 4, stored.width)
