"""A search of a user: documents by the number of words that they share with the query."""

from __future__ import annotations

import re
from typing import Any


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def index(corpus: Any) -> dict[str, list[str]]:
    return {document.id: words(f"{document.title} {document.text}") for document in corpus}


def search(query: str, k: int, held: dict[str, list[str]]) -> list[tuple[str, float]]:
    wanted = words(query)
    scores = [(name, float(sum(own.count(word) for word in wanted))) for name, own in held.items()]
    return [(name, score) for name, score in scores if score]


def search_many(queries: list[str], k: int, held: dict[str, list[str]]) -> list[list[tuple[str, float]]]:
    return [search(query, k, held) for query in queries]


class Engine:
    def index(self, corpus: Any) -> None:
        self.held = index(corpus)

    def search(self, query: str, k: int) -> dict[str, float]:
        return dict(search(query, k, self.held))
