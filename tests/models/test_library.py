from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.models.library import vectors_by_library
from harness.models.tokens import InputFormat

TEXTS = ["kala bero", "a longer text of several words", "", "tofu"]


@pytest.fixture(scope="module")
def both(routed: dict[str, Path]) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(routed["both"]), device="cpu")


@pytest.mark.parametrize("side", ["query", "document"])
@pytest.mark.parametrize("prompt", ["", "ask: "])
@pytest.mark.parametrize("batch", [0, 1, 100])
def test_vectors_are_those_of_the_librarys_method_for_the_side(both: Any, side: Any, prompt: str, batch: int) -> None:
    encode = both.encode_query if side == "query" else both.encode_document
    expected = encode(TEXTS, prompt=prompt, normalize_embeddings=True)
    found = vectors_by_library(both, TEXTS, InputFormat(prompt, side), normalise=True, batch=batch)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-6


def test_lengths_are_left_where_they_are_not_normalised(tiny_encoder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    found = vectors_by_library(model, TEXTS, InputFormat("", "query"), normalise=False, batch=2)
    assert np.abs(found - model.encode(TEXTS)).max() < 1e-5
    assert not np.allclose(np.linalg.norm(found, axis=1), 1, atol=0.01)
