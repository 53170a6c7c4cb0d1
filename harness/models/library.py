"""Vectors as sentence-transformers' own `encode_query` and `encode_document` make them: for models that only it can
feed, and for models that are being trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.data.ranking import Floats
from harness.models.sides import encode
from harness.models.texts import readable, without_tokens
from harness.models.tokens import Reading


def vectors_by_library(model: Any, texts: Sequence[str], reading: Reading, *, normalise: bool, batch: int) -> Floats:
    """(n, D) vectors of n ≥ 1 texts of a side; zero vectors of those without any token (`harness.models.texts`).

    Args:
        model: a `SentenceTransformer`.
        texts: with the reading's prompt put before each.
        reading: prompt and side.
        normalise: whether each gets the length 1.
        batch: texts at once.
    """
    assert reading.side is not None, "vectors are of a side"
    told = [readable(text) for text in texts]
    none = np.array(without_tokens(model, told, reading.prompt, reading.side), dtype=bool)
    full = [text for text, empty in zip(told, none, strict=True) if not empty]
    if not full:
        return np.zeros((len(told), int(model.get_embedding_dimension())), np.float32)
    found = encode(model, reading.side)(
        full,
        prompt=reading.prompt,
        batch_size=max(1, batch),
        normalize_embeddings=normalise,
        convert_to_tensor=True,
        show_progress_bar=False,
    )
    whole = np.zeros((len(told), found.shape[1]), np.float32)
    whole[~none] = found.float().cpu().numpy()
    return whole
