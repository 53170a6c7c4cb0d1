"""Rows of MTEB's retrieval tasks as documents and queries: the texts that MTEB itself gives to a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from harness.base.errors import DatasetError
from harness.data.documents import Document


def documents(rows: Iterable[Mapping[str, Any]], name: Callable[[str], str] = str) -> Iterator[Document]:
    """The documents of a task's `corpus`; MTEB joins title and text as `harness.data.corpus.joined` does.

    Args:
        rows: MTEB's.
        name: applied to each id; unchanged if MTEB itself joins the results with its judgements.
    """
    for row in rows:
        yield Document(name(str(row["id"])), row.get("title") or "", row["text"] or "")


def queries(rows: Iterable[Mapping[str, Any]], name: Callable[[str], str] = str) -> dict[str, str]:
    """Id → text of a task's `queries`; an instruction follows the text, as in MTEB.

    Args:
        rows: MTEB's.
        name: applied to each id, as for `documents`.

    Raises:
        DatasetError: a query is a conversation, not one text.
    """
    texts = {}
    for row in rows:
        text, instruction = row["text"], row.get("instruction")
        if not isinstance(text, str):
            raise DatasetError(
                f"query {row['id']!r} is a conversation, not a text; only tasks with text queries can be searched here."
            )
        texts[name(str(row["id"]))] = f"{text} {instruction}" if instruction is not None else text
    return texts
