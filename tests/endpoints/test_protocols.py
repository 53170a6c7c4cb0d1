from typing import get_args

from harness.endpoints.embeddings import EmbeddingClient
from harness.endpoints.protocols import CLIENTS
from harness.endpoints.providers import Protocol


def test_every_protocol_that_can_be_written_has_its_client() -> None:
    assert set(CLIENTS) == set(get_args(Protocol))
    assert all(issubclass(client, EmbeddingClient) for client in CLIENTS.values())
    assert len(set(CLIENTS.values())) == len(CLIENTS)
