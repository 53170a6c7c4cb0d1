"""A sentence-transformers bi-encoder: queries and documents as vectors, nearest first. Re-ranks too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from annotated_types import Interval

from harness.choices.bounds import Count
from harness.choices.value import LATER
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.engines import Engine
from harness.indexes import Index
from harness.indexes.exact import Exact
from harness.methods import CandidateScorer, Encodes, Fitted, Method, Reranks, Searcher, Size, TrainableMethod
from harness.methods._vectors import VectorScorer, VectorSearcher
from harness.models.encoder import Encoder, EncoderSettings, Side, open_encoder
from harness.models.engine_check import EngineChoice, choose_engine
from harness.models.engine_settings import EngineSettings
from harness.runtime.context import Context

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Dense(TrainableMethod):
    """Ranks by the similarity of one vector per query and one per document.

    Any sentence-transformers model, by hub name or folder. Every text is encoded once per encoder and kept, whatever
    the number of rows that need it.

    Args:
        model: hub name or folder.
        revision: the hub's commit, tag or branch; None takes the newest the machine has.
        query_prompt: put before each query; None takes the model's own, `""` says none.
        document_prompt: put before each document; the same.
        pooling: token vectors → text vector; None takes the model's own.
        max_length: tokens kept of a text; None takes the model's own.
        precision: of the weights and products; vectors are kept as float32. `auto` takes the fastest way that this
            machine has and that the golden probe (`harness.models.engine_check`) lets pass, `int8` the fastest engine
            that has it.
        similarity: `cosine` or `dot`; None takes the model's own.
        trust_remote_code: run the code that the model's folder brings.
        index: how the vectors are searched.
        dimensions: the first so many of a vector are kept, of length 1 again where cosines are compared: for models
            trained so that these suffice (Matryoshka). None keeps all. Training sees them all.
        engine: what computes the vectors; None takes `torch` where it has the precision. Any other is probed first, and
            where it fails `torch` takes its place.
        tolerance: how far a probed engine may turn a vector: the largest change of a cosine from 1. None takes 1e-5 in
            fp32 and 1e-2 below.
    """

    model: str = DEFAULT_MODEL
    revision: str | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    pooling: str | None = None
    max_length: Count | None = None
    precision: Literal["fp32", "bf16", "fp16", "int8", "auto"] = "fp32"
    similarity: Literal["cosine", "dot"] | None = None
    trust_remote_code: bool = False
    index: Index = field(default_factory=Exact)
    dimensions: Count | None = field(default=None, metadata=LATER)
    engine: Engine | None = field(default=None, metadata=LATER)
    tolerance: Annotated[float, Interval(gt=0, le=1)] | None = field(default=None, metadata=LATER)

    kind = "encoder"
    recipes_after = "dimensions"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._asked().check("dense")
        self._encoder_settings().check()

    def _asked(self) -> EngineSettings:
        return EngineSettings(self.precision, self.engine, self.tolerance)

    def _encoder_settings(self) -> EncoderSettings:
        return EncoderSettings(
            self.model,
            self.revision,
            self.query_prompt,
            self.document_prompt,
            self.pooling,
            self.max_length,
            self._asked().for_training().precision,
            self.similarity,
            self.trust_remote_code,
            self.dimensions,
        )

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        folder = open_encoder(self._encoder_settings(), context).folder
        return {folder.name: folder.sha, **self.index.versions(), **self._asked().versions()}

    def encoding(self) -> Method:
        """See `Method.encoding`; how vectors are searched and cut changes none."""
        return replace(self, index=Exact(), dimensions=None)

    def open_model(self, context: Context) -> Encoder:
        """See `TrainableMethod.open_model`."""
        return open_encoder(replace(self._encoder_settings(), dimensions=None), context)

    def while_training(self) -> Method:
        """See `TrainableMethod.while_training`."""
        return replace(self, **self._asked().for_training().settings())

    def fitted(self, model: Encoder, view: TrainView, context: Context) -> Fitted:
        """See `TrainableMethod.fitted`."""
        choice = choose_engine(self._asked(), model.fingerprint, view, model.sample_outputs, context)
        return _Fitted(self, model.with_engine(choice.config).with_dimensions(self.dimensions), choice)


class _Fitted(Fitted, Reranks, Encodes):
    def __init__(self, method: Dense, encoder: Encoder, choice: EngineChoice) -> None:
        self._method = method
        self.encoder = encoder
        self.key = f"dense-{encoder.fingerprint}-{method.index.fingerprint()}"
        index = {
            **method.settings()["index"],
            **({"versions": versions} if (versions := method.index.versions()) else {}),
        }
        self.resolved = {**encoder.resolved, "index": index, **choice.record()}
        self.notes = tuple(choice.notes(method._asked()))
        self.models = (encoder.folder.path,)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return VectorSearcher("dense", self.encoder, self._method.index, self._weights(), corpus, context)

    def encode(self, texts: Sequence[str], side: Side = "document") -> None:
        self.encoder.vectors(texts, side)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return VectorScorer(self.encoder, self._weights(), corpus, context)

    def _weights(self) -> Size:
        return Size(0, self.encoder.folder.model_bytes, self.encoder.folder.parameters)
