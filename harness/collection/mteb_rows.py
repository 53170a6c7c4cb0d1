"""What MTEB's retrieval tasks hold, as documents and queries: the texts that MTEB itself would hand to a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from harness.base.errors import DatasetError
from harness.data.documents import Document


def documents(rows: Iterable[Mapping[str, Any]], name: Callable[[str], str] = str) -> Iterator[Document]:
    """The documents of a task's `corpus`; MTEB joins title and text as `harness.data.corpus.joined` does.

    Args:
        rows: MTEB's.
        name: the rule for ids; none where MTEB itself joins what is found with its judgements.
    """
    for row in rows:
        yield Document(name(str(row["id"])), row.get("title") or "", row["text"] or "")


def queries(rows: Iterable[Mapping[str, Any]], name: Callable[[str], str] = str) -> dict[str, str]:
    """Id → text of a task's `queries`; an instruction is put behind the text, as MTEB does.

    Args:
        rows: MTEB's.
        name: the rule for ids, as of `documents`.

    Raises:
        DatasetError: the queries are conversations, which have no one text.
    """
    found = {}
    for row in rows:
        text, instruction = row["text"], row.get("instruction")
        if not isinstance(text, str):
            raise DatasetError(
                f"query {row['id']!r} is a conversation, not a text; only tasks with text queries can be searched here."
            )
        found[name(str(row["id"]))] = f"{text} {instruction}" if instruction is not None else text
    return found
