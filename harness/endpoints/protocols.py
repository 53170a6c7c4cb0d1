"""The protocols of hosted embeddings by name, and the client of each."""

from __future__ import annotations

from typing import Final

from harness.endpoints.cohere import CohereClient
from harness.endpoints.embeddings import EmbeddingClient
from harness.endpoints.keys import Key
from harness.endpoints.openai import OpenAIClient
from harness.endpoints.providers import Provider
from harness.endpoints.retries import Retrier
from harness.endpoints.service import Service

CLIENTS: Final[dict[str, type[EmbeddingClient]]] = {"openai": OpenAIClient, "cohere": CohereClient}


def open_client(
    protocol: str, service: Service, provider: Provider, dimensions: int | None, key: Key, retrier: Retrier
) -> EmbeddingClient:
    """The client of a protocol.

    Raises:
        Unavailable: its library is not installed.
    """
    return CLIENTS[protocol](service, provider, dimensions, key, retrier)
