"""Model families that were trained with prompts, and what they are.

Leaving a prompt out is the first cause of figures that cannot be reproduced (E5 on TREC-COVID: 0.51 instead of 0.80 nDCG@10),
so a model of these families is refused when neither its own configuration nor the settings name a prompt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WEB_SEARCH = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "


@dataclass(frozen=True)
class Family:
    """Models whose names match a pattern, and the prompts of their model cards for retrieval.

    Args:
        pattern: regular expression, searched in the lower-cased name.
        query: prompt of a query.
        document: prompt of a document.
    """

    pattern: str
    query: str
    document: str


FAMILIES = (
    Family(r"e5-mistral|e5-.*-instruct|gte-qwen|qwen3-embedding|linq-embed|sfr-embedding", WEB_SEARCH, ""),
    Family(r"(^|[/-])e5-(small|base|large)", "query: ", "passage: "),
    Family(
        r"bge-(small|base|large)-en|mxbai-embed|arctic-embed-(xs|s|m|l)(-long)?$",
        "Represent this sentence for searching relevant passages: ",
        "",
    ),
    Family(r"bge-(small|base|large)-zh", "为这个句子生成表示以用于检索相关文章：", ""),
    Family(r"arctic-embed-.*-v2", "query: ", ""),
    Family(r"nomic-embed-text|modernbert-embed", "search_query: ", "search_document: "),
    Family(
        r"instructor-(base|large|xl)",
        "Represent the question for retrieving supporting documents: ",
        "Represent the document for retrieval: ",
    ),
    Family(r"embeddinggemma", "task: search result | query: ", "title: none | text: "),
)


def family(name: str) -> Family | None:
    """The family of a model by its name; None where none is known to need prompts."""
    return next((f for f in FAMILIES if re.search(f.pattern, name.lower())), None)
