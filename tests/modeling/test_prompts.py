import re

import pytest

from harness.modeling.prompts import FAMILIES, WEB_SEARCH, family


@pytest.mark.parametrize(
    ("name", "query", "document"),
    [
        ("intfloat/e5-small-v2", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("/models/e5-base", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large-instruct", WEB_SEARCH, ""),
        ("intfloat/e5-mistral-7b-instruct", WEB_SEARCH, ""),
        ("Qwen/Qwen3-Embedding-0.6B", WEB_SEARCH, ""),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("Snowflake/snowflake-arctic-embed-m", "Represent this sentence for searching relevant passages: ", ""),
        ("Snowflake/snowflake-arctic-embed-m-v2.0", "query: ", ""),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("google/embeddinggemma-300m", "task: search result | query: ", "title: none | text: "),
    ],
)
def test_a_model_that_needs_prompts_is_known_by_its_name(name: str, query: str, document: str) -> None:
    found = family(name)
    assert found is not None
    assert (found.query, found.document) == (query, document)


@pytest.mark.parametrize(
    "name",
    [
        "sentence-transformers/all-MiniLM-L6-v2",
        "sentence-transformers/all-mpnet-base-v2",
        "sentence-transformers/msmarco-bert-base-dot-v5",
        "BAAI/bge-m3",
        "thenlper/gte-base",
        "somebody/made5-small",
    ],
)
def test_a_model_without_prompts_is_of_no_family(name: str) -> None:
    assert family(name) is None


def test_every_family_has_a_pattern_that_compiles_and_a_query_prompt() -> None:
    for known in FAMILIES:
        re.compile(known.pattern)
        assert known.query
