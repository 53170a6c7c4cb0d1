"""A sentence-transformers bi-encoder: queries and documents as vectors, nearest first. Re-ranks too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from harness.context import Context
from harness.corpus import Corpus
from harness.indexes import Index, inner, recall
from harness.indexes.exact import Exact
from harness.judged import Queries, TrainView
from harness.methods import METHODS, CandidateScorer, Encodes, Fitted, Method, Reranks, Searcher, Size, strongest
from harness.modeling.encoder import Encoder, EncoderSettings, open_encoder
from harness.ranking import Floats, Ints, TopK
from harness.recipes import Recipe, Trained, told, trained
from harness.training.base import EncoderBase

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
SAMPLE = 100
"""Queries on which an approximate index is held against exact search."""
DEPTHS = (10, 100)


@dataclass(frozen=True)
class Dense(Method):
    """Ranks by the similarity of one vector per query and one per document.

    Any sentence-transformers model, by hub name or folder. Every text is encoded once per encoder and kept, whatever the number
    of rows that need it.

    Args:
        model: hub name or folder.
        revision: the hub's commit, tag or branch; None takes the newest the machine has.
        query_prompt: put before each query; None takes the model's own, `""` says none.
        document_prompt: put before each document; the same.
        pooling: token vectors → text vector; None takes the model's own.
        max_length: tokens kept of a text; None takes the model's own.
        precision: of the weights in memory; vectors are kept as float32.
        similarity: `cosine` or `dot`; None takes the model's own.
        trust_remote_code: run the code that the model's folder brings.
        index: how the vectors are searched.
        dimensions: the first so many of a vector are kept, of length 1 again where cosines are compared: for models trained so
            that these suffice (Matryoshka). None keeps all. Training sees them all.
        recipes: how the model is trained first, one after the other; `dense+supervised` says the same.
    """

    model: str = DEFAULT_MODEL
    revision: str | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    pooling: str | None = None
    max_length: int | None = None
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    similarity: Literal["cosine", "dot"] | None = None
    trust_remote_code: bool = False
    index: Index = field(default_factory=Exact)
    dimensions: int | None = None
    recipes: tuple[Recipe, ...] = ()

    def __post_init__(self) -> None:
        self._encoder_settings().check()

    def _encoder_settings(self) -> EncoderSettings:
        return EncoderSettings(
            self.model,
            self.revision,
            self.query_prompt,
            self.document_prompt,
            self.pooling,
            self.max_length,
            self.precision,
            self.similarity,
            self.trust_remote_code,
            self.dimensions,
        )

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        folder = open_encoder(self._encoder_settings(), context).folder
        learnt = {k: v for recipe in self.recipes for k, v in recipe.inputs(context).items()}
        return {folder.name: folder.sha, **learnt, **self.index.versions()}

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Finds the model, and trains it where recipes are named.

        Raises:
            Unavailable: the collection lacks what a recipe needs.
        """
        encoder = open_encoder(replace(self._encoder_settings(), dimensions=None), context)
        first_stages = (METHODS.get("bm25")(), replace(self, recipes=()))
        lessons = []
        for done, recipe in enumerate(self.recipes):
            untrained = replace(self, recipes=self.recipes[:done])
            lesson = trained(recipe, EncoderBase(encoder, first_stages, untrained), view, context)
            encoder = encoder.retrained(lesson.folder)
            lessons.append(lesson)
        return _Fitted(self, encoder.of(self.dimensions), lessons)


class _Fitted(Fitted, Reranks, Encodes):
    def __init__(self, method: Dense, encoder: Encoder, lessons: Sequence[Trained]) -> None:
        self._method = method
        self.encoder = encoder
        self.key = f"dense-{encoder.fingerprint}-{method.index.fingerprint()}"
        index = {**method.settings()["index"], **({"versions": versions} if (versions := method.index.versions()) else {})}
        self.resolved = {**encoder.resolved, "index": index, **told(method.recipes, lessons)}
        self.supervision = strongest(lesson.supervision for lesson in lessons)
        self.notes = tuple(note for lesson in lessons for note in lesson.report.notes)
        self.models = (encoder.folder.path,)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(self._method, self.encoder, corpus, context)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _CandidateScorer(self.encoder, corpus, context)


class _Searcher(Searcher):
    def __init__(self, method: Dense, encoder: Encoder, corpus: Corpus, context: Context) -> None:
        vectors = encoder.vectors(corpus.texts, "document")
        self._encoder, self._context = encoder, context
        self._vectors, self._index, self._corpus = vectors, method.index, corpus
        self._nearest = method.index.build(vectors, corpus.id_order, context)
        self.key = f"dense-{encoder.fingerprint}-{method.index.fingerprint()}-{corpus.revision}"
        self.size = _size(encoder, self._nearest.nbytes, vectors.dimension)

    def search(self, queries: Queries, k: int) -> TopK:
        return self._nearest.search(_encode_queries(self._encoder, queries.texts, self._context), k)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """Of an index that may miss a true neighbour: how many it finds, for a sample of these queries."""
        if self._index.exact or not len(queries):
            return ()
        every = max(1, len(queries) // SAMPLE)
        asked = _encode_queries(self._encoder, queries.texts[::every][:SAMPLE], self._context)
        true = Exact().build(self._vectors, self._corpus.id_order).search(asked, max(DEPTHS))
        found = [f"{recall(self._nearest.search(asked, k), true, k):.2%} of the true {k} nearest" for k in DEPTHS]
        told = f"{self._index} is approximate: asked for as many, it finds {' and '.join(found)} ({len(asked)} of the queries)"
        return (told if self._index.repeatable else f"{told}; built anew it finds others",)


class _CandidateScorer(CandidateScorer):
    """Encodes the documents that are asked for and no others: the budget option for paid or slow encoders.

    Source: Kamalloo et al., "Evaluating Embedding APIs for Information Retrieval" (ACL 2023), section 4.
    """

    def __init__(self, encoder: Encoder, corpus: Corpus, context: Context) -> None:
        self._encoder, self._corpus, self._context = encoder, corpus, context
        self._rows: Ints = np.zeros(0, np.int64)
        self._vectors: Floats = np.zeros((0, 0), np.float32)
        self.size = _size(encoder, 0, 0)

    def scores(self, texts: Sequence[str], candidates: Sequence[Ints]) -> list[Floats]:
        wanted = np.unique(np.concatenate([*candidates, np.zeros(0, np.int64)]))
        if not np.isin(wanted, self._rows).all():
            self._rows = np.union1d(self._rows, wanted)
            vectors = self._encoder.vectors(self._corpus.texts_of(self._rows), "document")
            self._vectors = vectors.block(0, len(vectors))
            self.size = _size(self._encoder, self._vectors.nbytes, vectors.dimension)
        queries = _encode_queries(self._encoder, texts, self._context)
        places = [np.searchsorted(self._rows, rows) for rows in candidates]
        return [inner(self._vectors[p], q) if len(p) else np.zeros(0, np.float32) for q, p in zip(queries, places, strict=True)]


def _encode_queries(encoder: Encoder, texts: Sequence[str], context: Context) -> Floats:
    if context.live:
        return encoder.afresh(texts, "query")
    vectors = encoder.vectors(texts, "query")
    return vectors.block(0, len(vectors))


def _size(encoder: Encoder, index_bytes: int, dimensions: int) -> Size:
    return Size(index_bytes, encoder.folder.model_bytes, encoder.folder.parameters, dimensions)
