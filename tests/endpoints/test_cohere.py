"""The protocol as the client speaks it; faults of every kind are tested through the row, in
tests/methods/test_api.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.endpoints.cohere import CohereClient
from harness.endpoints.keys import Key
from harness.endpoints.providers import Provider
from harness.endpoints.retries import Retrier, Retryable
from harness.endpoints.service import Service

pytest.importorskip("cohere", reason="the client cohere is not installed")


@pytest.fixture
def client(hosted: Any) -> CohereClient:
    url = hosted.url.removesuffix("/v1") if "cohere" == "cohere" else hosted.url
    service = Service("api", "tiny", url, key_variable="NO_SUCH_KEY", timeout=5.0)
    key = Key("api", url, "NO_SUCH_KEY")
    return CohereClient(service, Provider("NO_SUCH_KEY"), None, key, Retrier("api", url, key, 0))


def test_vectors_and_tokens_come_as_the_server_says(client: CohereClient, hosted: Any, tiny_vectors: Any) -> None:
    found = client.embed(["two words", "three more words"], "search_query")
    assert found.tokens == 5
    assert np.asarray([v for _, v in found.vectors]) == pytest.approx(
        np.asarray(tiny_vectors(["two words", "three more words"])), abs=1e-7
    )
    assert hosted.bodies[0]["input_type"] == "search_query"


@pytest.mark.parametrize(
    ("code", "raw", "kind"),
    [
        (429, b"{}", Retryable),
        (503, b"", Retryable),
        (200, b"nonsense", Retryable),
        (200, b'"text"', Retryable),
        (400, b"plain", ModelError),
    ],
)
def test_it_asks_once_and_says_what_a_fault_means(
    client: CohereClient, hosted: Any, code: int, raw: bytes, kind: type
) -> None:
    hosted.reply = lambda n, body: (code, {"Content-Type": "application/json"}, raw)
    with pytest.raises(kind):
        client.embed(["x"], None)
    assert len(hosted.bodies) == 1


def test_the_client_shows_no_key(monkeypatch: pytest.MonkeyPatch, hosted: Any) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-1234567890")
    key = Key("api", hosted.url, "MY_KEY")
    service = Service("api", "tiny", hosted.url, key_variable="MY_KEY")
    made = CohereClient(service, Provider("MY_KEY"), None, key, Retrier("api", hosted.url, key, 0))
    assert "sk-secret" not in f"{made} {made!r} {vars(made)}"
