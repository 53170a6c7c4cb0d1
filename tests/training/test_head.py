"""The head that an encoder gets: each token's own term first, few others, whatever the model's kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.models.ragged import RaggedSettings, open_ragged
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context
from harness.training import head
from harness.training.head import fit_head, sampled


@pytest.fixture
def model(tiny_encoder: Path, context: Context) -> Any:
    settings = RaggedSettings(str(tiny_encoder), None, None, None, None, None, "fp32", False)
    torch.manual_seed(0)
    return open_ragged(SparseEncoder, settings, context).fresh()


def own_terms(model: Any, texts: list[str]) -> tuple[float, float]:
    """Share of a text's own terms that are active in its vector, and the number of active terms."""
    vectors = model.encode_document(texts, convert_to_sparse_tensor=False)
    found, active = [], []
    for text, vector in zip(texts, vectors, strict=True):
        ids = set(model.tokenizer(text, add_special_tokens=False)["input_ids"])
        found += [bool(vector[i] > 0) for i in ids]
        active.append(int((vector > 0).sum()))
    return float(np.mean(found)), float(np.mean(active))


def test_a_new_head_says_the_texts_own_terms_and_few_others(model: Any, view: TrainView) -> None:
    """The random transformer mixes tokens so thoroughly that not all can be told from its states."""
    texts = view.corpus.texts[:]
    embeddings = model.transformers_model.get_input_embeddings().weight.detach().clone()
    _, before = own_terms(model, texts)
    told = fit_head(model, texts)
    share, active = own_terms(model, texts)
    assert active < before / 2
    assert share > 3 * active / len(embeddings), "the own terms are active far more often than others"
    assert told["active"] == pytest.approx(head.ACTIVE, rel=0.5)
    assert set(told) == {"tokens", "own", "active"}
    assert torch.equal(model.transformers_model.get_input_embeddings().weight, embeddings)


def test_where_the_states_tell_the_tokens_each_has_the_highest_logit_for_its_own(model: Any, view: TrainView) -> None:
    with torch.no_grad():
        for layer in model.transformers_model.base_model.encoder.layer:  # nothing of other tokens comes in
            for output in (layer.attention.output.dense, layer.output.dense):
                output.weight.zero_()
    texts = view.corpus.texts[:]
    assert fit_head(model, texts)["own"] > 0.95
    share, active = own_terms(model, texts)
    assert share > 0.95
    assert active < len(model.tokenizer) / 3


def test_the_regression_is_ridge_regression_in_which_each_term_counts_once() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 12, size=80)
    inputs, targets = rng.standard_normal((80, 5)), rng.standard_normal((80, 5))
    weight, shift = head._regressed(torch.tensor(inputs), torch.tensor(targets), torch.tensor(ids))
    share = np.array([1 / (ids == i).sum() for i in ids])
    share /= share.sum()
    middle, aim = share @ inputs, share @ targets
    moment, mixed = np.zeros((5, 5)), np.zeros((5, 5))
    for s, x, y in zip(share, inputs, targets, strict=True):
        moment += s * np.outer(x - middle, x - middle)
        mixed += s * np.outer(x - middle, y - aim)
    expected = np.linalg.inv(moment + head.RIDGE * np.trace(moment) / 5 * np.eye(5)) @ mixed
    assert weight.numpy() == pytest.approx(expected.T, abs=1e-9)
    assert shift.numpy() == pytest.approx(aim - expected.T @ middle, abs=1e-9)


def test_a_whitened_embedding_has_the_highest_product_with_its_own() -> None:
    torch.manual_seed(0)
    embeddings = torch.randn(60, 16, dtype=torch.float64) + 3 * torch.randn(
        16, dtype=torch.float64
    )  # a large part in common
    products = head._whitened(embeddings) @ embeddings.T
    assert products.argmax(1).tolist() == list(range(60))
    assert products.diagonal().mean() == pytest.approx(16, rel=1e-4)  # the mean leverage: H


@pytest.mark.parametrize("kind", ["roberta", "distilbert", "mpnet"])
def test_heads_of_other_kinds_are_found(kind: str) -> None:
    from transformers import AutoConfig, AutoModelForMaskedLM

    small = {"vocab_size": 20, "max_position_embeddings": 16}
    sizes = (
        {"dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 8}
        if kind == "distilbert"
        else {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    )
    language = AutoModelForMaskedLM.from_config(AutoConfig.for_model(kind, **small, **sizes))
    dense, norm = head._parts(language)
    assert (dense.in_features, dense.out_features) == (8, 8)
    assert isinstance(norm, torch.nn.LayerNorm)
    assert language.get_output_embeddings().bias is not None


def test_a_head_of_another_form_is_refused() -> None:
    with pytest.raises(ModelError, match="Linear has no layer of logits that could be made for it"):
        head._parts(torch.nn.Linear(2, 2))


def test_a_sample_is_of_distinct_texts_in_their_order() -> None:
    texts = [f"t{i:02}" for i in range(30)]
    found = sampled(texts, 7, np.random.default_rng(0))
    assert len(set(found)) == 7
    assert found == sorted(found)
    assert sampled(texts, 99, np.random.default_rng(0)) == texts
