import pytest

from harness.endpoints.providers import OTHER, provider


@pytest.mark.parametrize(
    ("url", "variable", "types"),
    [
        ("https://api.openai.com/v1", "OPENAI_API_KEY", (None, None)),
        ("https://me.openai.azure.com/openai/v1/", "AZURE_OPENAI_API_KEY", (None, None)),
        ("https://api.voyageai.com/v1", "VOYAGE_API_KEY", ("query", "document")),
        ("https://api.jina.ai/v1", "JINA_API_KEY", (None, None)),
        ("https://api.mistral.ai/v1", "MISTRAL_API_KEY", (None, None)),
        ("https://api.cohere.com", "CO_API_KEY", ("search_query", "search_document")),
    ],
)
def test_known_hosts(url: str, variable: str, types: tuple[str | None, str | None]) -> None:
    found = provider(url)
    assert (found.key_variable, (found.query_type, found.document_type)) == (variable, types)
    assert found.protocol == ("cohere" if "cohere" in url else "openai")


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/v1", "https://openai.azure.com.example/v1", "https://api.openai.com.example"]
)
def test_no_other_host_is_sent_a_providers_key(url: str) -> None:
    assert provider(url) is OTHER
    assert OTHER.key_variable == "ENDPOINT_API_KEY"
