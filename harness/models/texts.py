"""Texts without any token, or that no tokenizer accepts: one of them must not fail a row.

A lone surrogate, which is no character, is read as U+FFFD, the replacement character. A text of which a tokenizer makes
no token at all, not even one that marks its start (an empty text, only spaces, only characters that the tokenizer
drops), gets the zero vector from a dense encoder, no vector from a late-interaction encoder and no term from a sparse
one. This is the mean over no tokens of sentence-transformers, but independent of the batch, the pooling and the engine.
A pair without any token is read as one padding token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from harness.models.sides import Side, input_module

T = TypeVar("T", str, tuple[str, str])


def readable(source: T) -> T:
    """A text, or both of a pair, with U+FFFD for each lone surrogate; a pair of surrogates becomes its character."""
    if isinstance(source, tuple):
        return readable(source[0]), readable(source[1])
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:
        return source.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return source


def fast_tokenizer(model: Any, side: Side | None) -> Any:
    """The fast tokenizer of a loaded model for texts of a side; None if it has none."""
    tokenizer = getattr(input_module(model, side), "tokenizer", None)
    return tokenizer if getattr(tokenizer, "is_fast", False) else None


def without_tokens(model: Any, texts: Sequence[str], prompt: str, side: Side | None) -> list[bool]:
    """For each text, whether the model's tokenizer makes no token of it and its prompt.

    False for all if special tokens, a prompt or an expansion of queries are always added, or without a fast tokenizer.
    """
    always = [False] * len(texts)
    tokenizer, first = fast_tokenizer(model, side), input_module(model, side)
    expanded = side == "query" and getattr(first, "query_expansion", None) is not None
    if (
        tokenizer is None
        or expanded
        or "message" in getattr(first, "modality_config", {})
        or tokenizer(prompt)["input_ids"]
    ):
        return always
    if not texts:
        return []
    counted = tokenizer([prompt + text for text in texts], truncation=True, max_length=8, padding=False)
    return [not ids for ids in counted["input_ids"]]
