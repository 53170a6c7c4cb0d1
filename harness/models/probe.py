"""How an encoder treats texts: which are cut, and whether a vector depends on the rest of its batch or on the
precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats, Ints
from harness.models.encoder import Encoder, Side
from harness.models.limits import length_of
from harness.models.resolve import UNLIMITED
from harness.models.texts import fast_tokenizer, readable

TEXTS = 32
TOP = 10
BLOCK = 1000


@dataclass(frozen=True)
class Truncation:
    """How many texts of a side are longer than the model reads.

    Args:
        texts: number of texts.
        limit: tokens that the model reads.
        cut: texts with more.
        lost: share of all tokens that is not read.
        longest: tokens of the longest text.
    """

    texts: int
    limit: int
    cut: int
    lost: float
    longest: int


def truncation(encoder: Encoder, texts: Sequence[str], side: Side) -> Truncation | None:
    """Counts the tokens of texts; None if the model's tokenizer is not a fast one."""
    limit = length_of(encoder.model, side, UNLIMITED)
    counts: list[int] = []
    for start in range(0, len(texts), BLOCK):
        some = token_counts(encoder, texts[start : start + BLOCK], side)
        if not some:
            return None
        counts += some
    tokens = np.array(counts, np.int64)
    over = np.maximum(0, tokens - limit)
    lost = float(over.sum() / tokens.sum()) if len(tokens) else 0.0
    return Truncation(len(tokens), limit, int((over > 0).sum()), lost, int(tokens.max(initial=0)))


def token_counts(encoder: Encoder, texts: Sequence[str], side: Side) -> list[int]:
    """Tokens of each text with its prompt, before it is cut; empty if the model has no fast tokenizer."""
    tokenizer: Any = fast_tokenizer(encoder.model, side)
    if tokenizer is None:
        return []
    whole = [readable(encoder.prompts[side] + text) for text in texts]
    counted = tokenizer(whole, add_special_tokens=True, truncation=False, padding=False, verbose=False)
    return [len(ids) for ids in counted["input_ids"]]


@dataclass(frozen=True)
class Drift:
    """How vectors of the same texts differ between two ways of computing them.

    Args:
        way: the other way.
        texts: queries that were encoded.
        cosine: the largest 1 − cosine between a query's two vectors.
        changed: queries whose top 10 has other documents.
        order: queries whose top 10 has another order.
    """

    way: str
    texts: int
    cosine: float
    changed: int
    order: int


def drifts(
    encoder: Encoder, queries: Sequence[str], documents: Floats, precisions: Sequence[str] = ("fp32", "bf16")
) -> list[Drift]:
    """Encodes the same queries in one batch, one at a time, and at other precisions, and ranks documents with each.

    Args:
        encoder: as the row uses it.
        queries: the first 32 are taken.
        documents: (N, D) vectors to rank.
        precisions: to try besides the encoder's own.
    """
    texts = list(queries[:TEXTS])
    if not texts:
        return []
    usual = encoder.encode_uncached(texts, "query")
    ways = {"one at a time": np.concatenate([encoder.encode_uncached([text], "query") for text in texts])}
    for precision in precisions:
        if precision != encoder.resolved["precision"]:
            ways[f"in {precision}"] = encoder.with_precision(precision).encode_uncached(texts, "query")
    before = _top(usual, documents)
    results = []
    for way, vectors in ways.items():
        after = _top(vectors, documents)
        changed = sum(set(one) != set(other) for one, other in zip(before.tolist(), after.tolist(), strict=True))
        order = int((before != after).any(axis=1).sum())
        cosine = float(np.max(1 - _cosines(usual, vectors), initial=0.0))
        results.append(Drift(way, len(texts), cosine, changed, order))
    return results


def _top(vectors: Floats, documents: Floats) -> Ints:
    scores = vectors @ documents.T
    return np.argsort(-scores, axis=1, kind="stable")[:, :TOP]


def _cosines(one: Floats, other: Floats) -> npt.NDArray[np.float64]:
    first, second = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.einsum("nd,nd->n", first, second) / np.where(lengths > 0, lengths, 1)  # type: ignore[no-any-return]
