"""A learnt sparse encoder (SPLADE and similar models) with an inverted index: texts as weighted terms. Re-ranks too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.cache.ragged import Ragged, StoredRagged
from harness.choices.bounds import Count
from harness.choices.value import LATER
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.engines import Engine
from harness.lexical.impacts import ImpactIndex, product, pruned, unit
from harness.methods import CandidateScorer, Fitted, Method, Reranks, Searcher, SearchReport, Size
from harness.methods._engine import EngineMethod, Tolerance
from harness.methods._ragged import FittedRagged, size
from harness.methods._searching import distinct
from harness.models.encoder import Side
from harness.models.engine_check import EngineChoice, choose_engine
from harness.models.ragged import RaggedSettings, open_ragged
from harness.models.settings import Precision, PromptedModel
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context

BLOCK = 4096


@dataclass(frozen=True)
class Sparse(PromptedModel, EngineMethod):
    """Ranks by the inner product of a query's and a document's weights over the terms of a language model's vocabulary.

    Source: Formal et al., SPLADE v2 (2109.10086) and SPLADE++ (2205.04733): log(1 + ReLU(logit)) of a masked language
    model, its maximum over the text's tokens. Any sentence-transformers sparse encoder, by hub name or folder; one
    whose queries need no inference (a router with a table of weights: Geng et al., 2411.04403) too. Every text is
    encoded once per encoder and cached in full; the cached vectors are pruned when they are read. A document that
    shares no term with the query is not ranked, as with BM25.

    Args: those of `PromptedModel` (`harness.models.settings`) and
        model: hub name or folder. With a recipe, any BERT-like encoder or masked language model.
        max_length: tokens at which texts are cut; None takes the model's own.
        precision, engine, tolerance: as for `dense`; vectors are cached as float32.
        query_terms: number of a query's terms, of the largest weights, that count; None takes all.
        document_terms: the same of a document.
        trust_remote_code: run the code that comes with the model's folder.
    """

    model: str = "naver/splade-cocondenser-ensembledistil"
    max_length: Count | None = None
    precision: Precision = "auto"
    query_terms: Count | None = None
    document_terms: Count | None = None
    trust_remote_code: bool = False
    engine: Engine | None = field(default=None, metadata=LATER)
    tolerance: Tolerance | None = field(default=None, metadata=LATER)

    kind = "sparse"
    recipes_after = "trust_remote_code"

    def _settings(self) -> RaggedSettings:
        """As the model is opened: `fitted` chooses the engine."""
        opened = {"precision": self.engine_settings().opened, "engine": None}
        return RaggedSettings.of(self, query_length=self.max_length, document_length=self.max_length, **opened)

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        folder = self.open_model(context).folder
        return {folder.name: folder.sha, **self.engine_inputs(context)}

    def encoding(self) -> Method:
        """See `Method.encoding`; pruning changes only what is compared."""
        return replace(self, query_terms=None, document_terms=None)

    def open_model(self, context: Context) -> SparseEncoder:
        """See `TrainableMethod.open_model`."""
        return open_ragged(SparseEncoder, self._settings(), context)

    def fitted(self, model: SparseEncoder, view: TrainView, context: Context) -> Fitted:
        """See `TrainableMethod.fitted`.

        Raises:
            ModelError: the model is not a sparse encoder.
        """
        model.check()
        choice = choose_engine(self.engine_settings(), model.fingerprint, view, model.sample_outputs, context)
        return _Fitted(self, model.with_engine(choice.config), choice)


class _Vectors:
    """An encoder's sparse vectors, pruned, and normalised if the model compares by the cosine.

    Attributes:
        encoder: texts → whole vectors.
    """

    def __init__(self, method: Sparse, encoder: SparseEncoder) -> None:
        self.encoder = encoder
        self._terms: dict[Side, int | None] = {"query": method.query_terms, "document": method.document_terms}

    def shaped(self, block: Ragged, side: Side) -> Ragged:
        """A block of cached vectors, as they are compared."""
        terms, cosine = self._terms[side], self.encoder.similarity == "cosine"
        if terms is None and not cosine:
            return block
        cut = [pruned(block[i], terms) for i in range(len(block))]
        return Ragged.of([unit(v) for v in cut] if cosine else cut, 2)

    def documents(self, stored: StoredRagged) -> Iterator[Ragged]:
        """Blocks of documents."""
        for start in range(0, len(stored), BLOCK):
            yield self.shaped(stored.block(start, min(start + BLOCK, len(stored))), "document")

    def queries(self, texts: Sequence[str], *, cached: bool) -> Ragged:
        """Those of queries; `cached` as `Queries.cached`."""
        if not cached:
            return self.shaped(self.encoder.encode(texts, "query"), "query")
        stored = self.encoder.matrices(texts, "query")
        return self.shaped(stored.block(0, len(stored)), "query")

    def size(self, index_bytes: int) -> Size:
        """What index and model take."""
        return size(self.encoder, index_bytes)


class _Fitted(FittedRagged, Reranks):
    def __init__(self, method: Sparse, encoder: SparseEncoder, choice: EngineChoice) -> None:
        self._method, self._encoder = method, encoder
        pruning = {"query_terms": method.query_terms, "document_terms": method.document_terms}
        key = f"sparse-{encoder.fingerprint}-{method.query_terms}-{method.document_terms}"
        super().__init__(key, {**pruning, **choice.record()}, encoder)
        self.notes = choice.notes(method.engine_settings())

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(self.key, _Vectors(self._method, self._encoder), corpus)

    def encode(self, texts: Sequence[str], side: Side = "document") -> None:
        self._encoder.matrices(texts, side)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _CandidateScorer(_Vectors(self._method, self._encoder), corpus)


class _Searcher(Searcher):
    def __init__(self, key: str, vectors: _Vectors, corpus: Corpus) -> None:
        self._vectors, self._corpus = vectors, corpus
        active: list[Ints] = []

        def blocks() -> Iterator[Ragged]:
            for block in vectors.documents(vectors.encoder.matrices(corpus.texts, "document")):
                active.append(block.lengths)
                yield block

        self._index = ImpactIndex(blocks())
        self.key = f"{key}-{corpus.revision}"
        self.size = vectors.size(self._index.nbytes)
        self._mean_terms = _mean(active)

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`; a query that shares no term with a document has an empty ranking."""
        vectors = self._vectors.queries(queries.texts, cached=queries.cached)
        rankings = []
        for i in range(len(vectors)):
            rows, scores = self._index.scores(vectors[i])
            rankings.append(select(rows, scores, self._corpus.id_order, k))
        return stack(rankings, k)

    def report(self, queries: Queries) -> SearchReport:
        """See `Searcher.report`; the mean number of terms that are not 0."""
        of_queries = _mean([self._vectors.queries(queries.texts, cached=True).lengths])
        return SearchReport(self.size, {"active_terms": {"document": self._mean_terms, "query": of_queries}})


def _mean(lengths: Sequence[Ints]) -> float:
    """Mean number of terms that are not 0."""
    flat = np.concatenate([np.zeros(0, np.int64), *lengths])
    return round(float(flat.mean()), 2) if len(flat) else 0.0


class _CandidateScorer(CandidateScorer):
    """Encodes only the candidates."""

    def __init__(self, vectors: _Vectors, corpus: Corpus) -> None:
        self._vectors, self._corpus = vectors, corpus
        self.size = vectors.size(0)

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints], *, cached: bool = True) -> list[Floats]:
        distinct_rows = distinct(candidates)
        documents = self._documents(distinct_rows)
        queries = self._vectors.queries(texts, cached=cached)
        scores = []
        for number, rows in enumerate(candidates):
            places = np.searchsorted(distinct_rows, rows).tolist()
            products = [product(documents[place], queries[number]) for place in places]
            scores.append(np.array(products, dtype=np.float32))
        return scores

    def _documents(self, rows: Ints) -> Ragged:
        stored = self._vectors.encoder.matrices(self._corpus.texts_of(rows), "document")
        return self._vectors.shaped(stored.block(0, len(stored)), "document")

    def size_for(self, candidates: Sequence[Ints]) -> Size:
        """See `CandidateScorer.size_for`."""
        return self._vectors.size(self._documents(distinct(candidates)).nbytes)
