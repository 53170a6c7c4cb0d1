"""Vectors from sentence-transformers' own `encode_query` and `encode_document`: for models whose input only the library
can prepare, and for models that are being trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.data.ranking import Floats
from harness.models.sides import encode
from harness.models.texts import readable, without_tokens
from harness.models.tokens import InputFormat


def vectors_by_library(model: Any, texts: Sequence[str], form: InputFormat, *, normalise: bool, batch: int) -> Floats:
    """(n, D) vectors of n ≥ 1 texts of a side; zero vectors for those without any token (`harness.models.texts`).

    Args:
        model: a `SentenceTransformer`.
        texts: without their prompt.
        form: prompt and side.
        normalise: whether vectors are scaled to length 1.
        batch: texts at once.
    """
    assert form.side is not None, "vectors belong to a side"
    clean = [readable(text) for text in texts]
    empty = np.array(without_tokens(model, clean, form.prompt, form.side), dtype=bool)
    full = [text for text, is_empty in zip(clean, empty, strict=True) if not is_empty]
    if not full:
        return np.zeros((len(clean), int(model.get_embedding_dimension())), np.float32)
    vectors = encode(model, form.side)(
        full,
        prompt=form.prompt,
        batch_size=max(1, batch),
        normalize_embeddings=normalise,
        convert_to_tensor=True,
        show_progress_bar=False,
    )
    whole = np.zeros((len(clean), vectors.shape[1]), np.float32)
    whole[~empty] = vectors.float().cpu().numpy()
    return whole
