from __future__ import annotations

from typing import Any

import pytest

from harness.base.errors import SettingError
from harness.endpoints.embedding_settings import EmbeddingSettings
from harness.endpoints.providers import provider


def settings(**changed: Any) -> EmbeddingSettings:
    return EmbeddingSettings("tiny", "http://localhost/v1", key_variable="NO_SUCH_KEY", **changed)


def test_what_is_not_set_is_the_providers() -> None:
    cohere = settings().resolved(provider("https://api.cohere.com"))
    assert (cohere.protocol, cohere.query_type, cohere.document_type) == ("cohere", "search_query", "search_document")
    assert (cohere.batch_items, cohere.batch_tokens) == (96, 40_000)
    other = settings(batch_items=3, query_type="").resolved(provider("https://api.voyageai.com/v1"))
    assert (other.protocol, other.query_type, other.document_type, other.batch_items) == ("openai", None, "document", 3)


@pytest.mark.parametrize(
    "setting", [{"price": -1.0}, {"protocol": "x"}, {"similarity": "x"}, {"max_characters": 0}, {"batch_tokens": 0}]
)
def test_settings_out_of_range_are_named(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"api: {next(iter(setting))}"):
        settings(**setting).check()
