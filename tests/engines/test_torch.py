from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.engines import Batch, Network
from harness.engines.torch import ACCELERATOR_TOKENS, CPU_TOKENS, Torch
from harness.models.encoder import Encoder
from tests.engines.conftest import TEXTS


def test_fp32_is_what_sentence_transformers_answers_bit_for_bit_to_the_same_batch(
    variants: dict[str, Path], encoder_of: Callable[[Path], Encoder]
) -> None:
    for folder in variants.values():
        encoder = encoder_of(folder)
        usual = encoder.model.encode(
            TEXTS,
            prompt=encoder.prompts["query"],
            batch_size=len(TEXTS),
            normalize_embeddings=encoder.similarity == "cosine",
        )
        longest_first = sorted(TEXTS, key=len, reverse=True)
        found = dict(zip(longest_first, encoder.encode(longest_first, "query"), strict=True))
        assert np.abs(np.stack([found[t] for t in TEXTS]) - usual).max() < 1e-6


def test_on_a_cpu_bf16_is_offered_only_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engines.torch.multiplies_bf16", lambda: False)
    assert dict(Torch().speeds("cpu")) == {"fp32": 1.0}
    monkeypatch.setattr("harness.engines.torch.multiplies_bf16", lambda: True)
    assert Torch().speeds("cpu")["bf16"] > 1


def test_batches_are_small_on_a_cpu_and_large_elsewhere() -> None:
    class Model:
        class device:
            type = "cpu"

    started = Torch().start(Network("m", lambda precision: Model, "scores", False, None), "fp32")
    assert started.tokens == CPU_TOKENS
    Model.device.type = "cuda"
    assert started.tokens == ACCELERATOR_TOKENS


def test_what_modules_are_told_besides_reaches_them_and_scores_of_one_dimension_become_a_column() -> None:
    import torch

    class Model(torch.nn.Module):
        device = torch.device("cpu")

        def forward(self, features: dict) -> dict:
            assert features["prompt_length"] == 3
            return {"scores": features["input_ids"].sum(dim=1).to(torch.bfloat16)}

    started = Torch().start(Network("m", lambda precision: Model(), "scores", False, None), "fp32")
    found = started(Batch({"input_ids": np.array([[1, 2], [3, 4]])}, {"prompt_length": 3}))
    assert found.tolist() == [[3.0], [7.0]]
    assert found.dtype == np.float32
