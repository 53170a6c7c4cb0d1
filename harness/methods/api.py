"""A hosted embedding model, paid by the token: OpenAI, Azure, Voyage, Mistral, Cohere, vLLM, TEI, Ollama. Re-ranks
too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.endpoints.embedding_settings import EmbeddingSettings
from harness.endpoints.encoder import HostedEncoder, open_hosted
from harness.indexes import Index
from harness.indexes.exact import Exact
from harness.methods import CandidateScorer, Fitted, HostedEncoding, Method, Reranks, Searcher, Size
from harness.methods._vectors import VectorScorer, VectorSearcher
from harness.runtime.context import Context


@dataclass(frozen=True)
class API(EmbeddingSettings, Method):
    """Ranks by the similarity of hosted embeddings, among all documents or, as `bm25>>api(…)`, among candidates.

    Every text is sent once and its vector cached as received, by address, model, dimensions, input type, prompt
    and text: a second run sends nothing and needs no key. The key is read from the environment; no setting, record or
    cache contains it. `docs/hosted.md` has the rules of cost.

    Source: Kamalloo et al., "Evaluating Embedding APIs for Information Retrieval" (ACL 2023).

    Args: those of `EmbeddingSettings` (`harness.endpoints.embedding_settings`) and
        index: how the vectors are searched.
    """

    paid: ClassVar[bool] = True

    index: Index = field(default_factory=Exact)

    def __post_init__(self) -> None:
        super().__post_init__()
        EmbeddingSettings.of(self).check()

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn, and no request is sent."""
        return _Fitted(self, self.encoder(context))

    def hosted_encodings(self, context: Context) -> Iterator[HostedEncoding]:
        """See `Method.hosted_encodings`."""
        yield HostedEncoding(self.encoder(context))

    def encoder(self, context: Context) -> HostedEncoder:
        """The hosted encoder, one per run; opening it sends nothing."""
        return open_hosted(EmbeddingSettings.of(self), context)


class _Fitted(Fitted, Reranks):
    def __init__(self, method: API, encoder: HostedEncoder) -> None:
        self._method = method
        self.encoder = encoder
        self.key = f"api-{encoder.fingerprint}-{method.index.fingerprint()}"
        self.resolved = {**encoder.resolved, "index": method.settings()["index"]}

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return VectorSearcher("api", self.encoder, self._method.index, Size(), corpus, context, live=False)

    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return VectorScorer(self.encoder, Size(), corpus, context, live=False)
