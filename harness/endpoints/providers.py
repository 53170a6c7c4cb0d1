"""Providers: defaults for the addresses of known hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from harness.endpoints.address import host

Protocol = Literal["openai", "cohere"]


@dataclass(frozen=True)
class Provider:
    """Defaults for an address.

    Args:
        key_variable: the environment variable with its API key.
        protocol: of its embeddings.
        query_type: its name for queries, sent as `input_type`; None sends none.
        document_type: its name for documents.
        dimensions: the name of the request field for fewer dimensions.
        items: most texts in one request.
        tokens: most tokens in one request, by our estimate; well below the provider's limit, which counts real tokens.
    """

    key_variable: str
    protocol: Protocol = "openai"
    query_type: str | None = None
    document_type: str | None = None
    dimensions: str = "dimensions"
    items: int = 32
    tokens: int = 8_000


OTHER: Final = Provider("ENDPOINT_API_KEY")
"""32 texts is the default limit of text-embeddings-inference. No provider's key is sent to an unknown address."""
_AZURE: Final = Provider("AZURE_OPENAI_API_KEY", items=512, tokens=100_000)
_PROVIDERS: Final = {
    # 2,048 texts and 300,000 tokens (the reference of POST /embeddings).
    "api.openai.com": Provider("OPENAI_API_KEY", items=512, tokens=100_000),
    # 1,000 texts and 120,000 tokens for the largest models (docs.voyageai.com/reference/embeddings-api).
    "api.voyageai.com": Provider(
        "VOYAGE_API_KEY", "openai", "query", "document", dimensions="output_dimension", items=256, tokens=40_000
    ),
    # 2,048 texts; tokens per minute are what limits (jina.ai/embeddings).
    "api.jina.ai": Provider("JINA_API_KEY", items=64, tokens=8_000),
    "api.mistral.ai": Provider("MISTRAL_API_KEY", dimensions="output_dimension", items=64, tokens=6_000),
    # 96 texts (the reference of POST /v2/embed).
    "api.cohere.com": Provider("CO_API_KEY", "cohere", "search_query", "search_document", items=96, tokens=40_000),
}


def provider(url: str) -> Provider:
    """The defaults for an address; `OTHER` if its host is unknown."""
    named = host(url)
    return _AZURE if named.endswith(".openai.azure.com") else _PROVIDERS.get(named, OTHER)
