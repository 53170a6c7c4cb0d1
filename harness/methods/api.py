"""A hosted embedding model, paid by the token: OpenAI, Azure, Voyage, Mistral, Cohere, vLLM, TEI, Ollama. Re-ranks
too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from harness.choices.bounds import Count, NonNegative, Positive, WholeNumber
from harness.data.corpus import Corpus
from harness.data.queries import TrainView
from harness.endpoints.encoder import HostedEncoder, open_hosted
from harness.endpoints.providers import provider
from harness.endpoints.service import Service
from harness.endpoints.settings import HostedSettings
from harness.indexes import Index
from harness.indexes.exact import Exact
from harness.methods import CandidateScorer, Fitted, Method, Reranks, Searcher, Size
from harness.methods._vectors import VectorScorer, VectorSearcher
from harness.runtime.context import Context


@dataclass(frozen=True)
class API(Method):
    """Ranks by the similarity of hosted embeddings, among all documents or, as `bm25>>api(…)`, among candidates.

    Every text is asked for once and its vector kept as it was answered, by address, model, dimensions, input type,
    prompt and
    text: a second run asks nothing and needs no key. The key is read from the environment; no setting, record or cache
    holds it. `docs/hosted.md` has the rules of cost.

    Source: Kamalloo et al., "Evaluating Embedding APIs for Information Retrieval" (ACL 2023).

    Args:
        model: as the server calls it.
        url: base of the address; `/embeddings` (Cohere: `/v2/embed`) follows it.
        protocol: `openai` or `cohere`; None takes the provider's.
        dimensions: asked of the server; None takes the model's own.
        query_type: sent as `input_type` with queries; None takes the provider's, `""` sends none.
        document_type: the same with documents.
        query_prompt: put before each query.
        document_prompt: put before each document.
        max_characters: kept of a text; None sends it whole.
        similarity: `cosine` (vectors are normalised here) or `dot` (taken as they come).
        price: dollars for a million tokens; None takes what is listed for the host.
        cap: dollars that one run may cost.
        cap_tokens: tokens that one run may take.
        key_variable: the environment variable that holds the key; None takes the provider's.
        batch_items: texts in one request, at most; None takes the provider's.
        batch_tokens: tokens in one request, at most, by our estimate; the same.
        requests_per_minute: None for no limit of ours.
        tokens_per_minute: the same, by our estimate.
        concurrency: requests under way at once.
        timeout: seconds for one whole answer.
        retries: repetitions of a request while the server is busy.
        index: how the vectors are searched.
    """

    paid: ClassVar[bool] = True

    model: str = "text-embedding-3-small"
    url: str = "https://api.openai.com/v1"
    protocol: Literal["openai", "cohere"] | None = None
    dimensions: Count | None = None
    query_type: str | None = None
    document_type: str | None = None
    query_prompt: str = ""
    document_prompt: str = ""
    max_characters: Count | None = None
    similarity: Literal["cosine", "dot"] = "cosine"
    price: NonNegative | None = None
    cap: NonNegative | None = None
    cap_tokens: WholeNumber | None = None
    key_variable: str | None = None
    batch_items: Count | None = None
    batch_tokens: Count | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Count = 4
    timeout: Positive = 60.0
    retries: WholeNumber = 6
    index: Index = field(default_factory=Exact)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._hosted().check()

    def _hosted(self) -> HostedSettings:
        service = Service(
            "api",
            self.model,
            self.url,
            provider(self.url).key_variable if self.key_variable is None else self.key_variable,
            self.price,
            0.0,
            self.cap,
            self.cap_tokens,
            self.concurrency,
            self.timeout,
            self.retries,
            self.requests_per_minute,
            self.tokens_per_minute,
        )
        return HostedSettings(
            service,
            self.protocol,
            self.dimensions,
            self.query_type,
            self.document_type,
            self.query_prompt,
            self.document_prompt,
            self.max_characters,
            self.similarity,
            self.batch_items,
            self.batch_tokens,
        )

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Nothing to learn, and nothing is asked."""
        return _Fitted(self, self.encoder(context))

    def encoder(self, context: Context) -> HostedEncoder:
        """The hosted encoder, one per run; opening it asks nothing."""
        return open_hosted(self._hosted(), context)


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
