"""A sentence-transformers bi-encoder: queries and documents as vectors, nearest first. Re-ranks too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from harness.choices.bounds import Count
from harness.choices.value import LATER
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.engines import Engine
from harness.indexes import Index
from harness.indexes.exact import Exact
from harness.methods import CandidateScorer, Encodes, Fitted, Method, Reranks, Searcher, Size
from harness.methods._engine import EngineMethod, Tolerance
from harness.methods._vectors import VectorScorer, VectorSearcher
from harness.models.encoder import Encoder, EncoderSettings, Side, open_encoder
from harness.models.engine_check import EngineChoice, choose_engine
from harness.models.settings import EncoderModel, Precision
from harness.runtime.context import Context

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Dense(EncoderModel, EngineMethod):
    """Ranks by the similarity of one vector per query and one per document.

    Any sentence-transformers model, by hub name or folder. Every text is encoded once per encoder and cached, for all
    rows that need it.

    Args: those of `EncoderModel` (`harness.models.settings`) and
        precision, engine: see `harness.methods._engine.EngineMethod`.
        index: how the vectors are searched.
        dimensions: vectors are cut to their first so many dimensions, and normalised again if cosines are compared: for
            models trained so that these suffice (Matryoshka). None uses all. Training uses all.
        tolerance: the largest change of a cosine from 1 that another engine may make. None takes 1e-5 in fp32 and 1e-2
            below.
    """

    model: str = DEFAULT_MODEL
    precision: Precision = "auto"
    index: Index = field(default_factory=Exact)
    dimensions: Count | None = field(default=None, metadata=LATER)
    engine: Engine | None = field(default=None, metadata=LATER)
    tolerance: Tolerance | None = field(default=None, metadata=LATER)

    kind = "encoder"
    recipes_after = "dimensions"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._encoder_settings().check()

    def _encoder_settings(self) -> EncoderSettings:
        """As the model is opened: `fitted` chooses the engine."""
        return EncoderSettings.of(self, precision=self.engine_settings().opened, engine=None)

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        folder = open_encoder(self._encoder_settings(), context).folder
        return {folder.name: folder.sha, **self.index.versions(), **self.engine_inputs(context)}

    def encoding(self) -> Method:
        """See `Method.encoding`; how vectors are searched and cut changes none."""
        return replace(self, index=Exact(), dimensions=None)

    def open_model(self, context: Context) -> Encoder:
        """See `TrainableMethod.open_model`."""
        return open_encoder(replace(self._encoder_settings(), dimensions=None), context)

    def fitted(self, model: Encoder, view: TrainView, context: Context) -> Fitted:
        """See `TrainableMethod.fitted`."""
        choice = choose_engine(self.engine_settings(), model.fingerprint, view, model.sample_outputs, context)
        return _Fitted(self, model.with_engine(choice.config).with_dimensions(self.dimensions), choice)


class _Fitted(Fitted, Reranks, Encodes):
    def __init__(self, method: Dense, encoder: Encoder, choice: EngineChoice) -> None:
        self._method = method
        self.encoder, self.vector_index = encoder, method.index
        self.key = f"dense-{encoder.fingerprint}-{method.index.fingerprint()}"
        index = {
            **method.settings()["index"],
            **({"versions": versions} if (versions := method.index.versions()) else {}),
        }
        self.resolved = {**encoder.resolved, "index": index, **choice.record()}
        self.notes = tuple(choice.notes(method.engine_settings()))
        self.models = (encoder.folder.path,)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return VectorSearcher("dense", self.encoder, self._method.index, self._weights(), corpus, context)

    def encode(self, texts: Sequence[str], side: Side = "document") -> None:
        self.encoder.vectors(texts, side)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return VectorScorer(self.encoder, self._weights(), corpus, context)

    def _weights(self) -> Size:
        return Size(0, self.encoder.folder.model_bytes, self.encoder.folder.parameters)
