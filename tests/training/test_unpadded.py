"""Without padding, loss and gradient are what they are with it; a model where they would not be is left alone."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from harness.training import attention
from harness.training.unpadded import unpadded
from tests.models.conftest import roberta as roberta

TEXTS = ["one", "one two three four five", "six seven eight", "nine ten eleven twelve one two three four"]


def without_dropout(model: Any) -> Any:
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.train()


def encoder(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    return without_dropout(SentenceTransformer(str(folder), device="cpu"))


def ranking_loss(model: Any) -> Any:
    """The loss of a batch of two pairs."""
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    loss = MultipleNegativesRankingLoss(model)
    return loss([model.preprocess(TEXTS[:2]), model.preprocess(TEXTS[2:])], None)


def ranking_loss_module(model: Any) -> Any:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    return MultipleNegativesRankingLoss(model)


def pair_loss(model: Any) -> Any:
    """The loss of four pairs."""
    import torch

    given = model.preprocess(list(zip(TEXTS, reversed(TEXTS), strict=True)))
    given["token_type_ids"] = (given["attention_mask"].cumsum(1) > 6) * given["attention_mask"]
    assert given["token_type_ids"].any()
    logits = model(given)["scores"].view(-1)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor([1.0, 0.0, 0.0, 1.0]))


def gradients(model: Any, loss: Any) -> dict[str, Any]:
    """Loss and gradient of every weight."""
    model.zero_grad()
    value = loss(model)
    value.backward()
    return {"loss": value.detach(), **{n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}}


def assert_same(usual: dict[str, Any], own: dict[str, Any]) -> None:
    assert usual.keys() == own.keys()
    for name, expected in usual.items():
        assert (own[name] - expected).abs().max() <= 1e-5 * max(1e-2, float(expected.abs().max())), name


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The ends of texts of each call of the attention."""
    seen: list[list[int]] = []
    usual = attention.per_text()

    class Spy:
        @staticmethod
        def apply(q: Any, k: Any, v: Any, ends: list[int], scale: float) -> Any:
            seen.append(ends)
            return usual.apply(q, k, v, ends, scale)

    monkeypatch.setattr(attention, "per_text", lambda: Spy)
    return seen


def test_the_gradient_of_an_encoder_is_the_same(tiny_models: tuple[Path, Path], calls: list[list[int]]) -> None:
    model = encoder(tiny_models[0])
    usual = gradients(model, ranking_loss)
    assert not calls
    with unpadded(model, ranking_loss_module(model), bf16=False) as changed:
        assert changed == [model[0].auto_model]
        calls.clear()
        own = gradients(model, ranking_loss)
    assert calls, "it padded"
    assert_same(usual, own)
    calls.clear()
    assert_same(usual, gradients(model, ranking_loss))
    assert not calls, "it went on without padding"
    assert "forward" not in vars(model[0].auto_model)


def test_positions_start_after_the_padding_of_a_roberta(roberta: Path, calls: list[list[int]]) -> None:
    model = encoder(roberta)
    model.max_seq_length = 16  # of 20 positions, padding takes two
    usual = gradients(model, ranking_loss)
    with unpadded(model, ranking_loss_module(model), bf16=False) as changed:
        assert len(changed) == 1
        calls.clear()
        assert_same(usual, gradients(model, ranking_loss))
    assert calls


def test_a_cross_encoder_with_token_types_and_a_pooler(tiny_models: tuple[Path, Path], calls: list[list[int]]) -> None:
    from sentence_transformers import CrossEncoder

    model = without_dropout(CrossEncoder(str(tiny_models[1]), device="cpu"))
    usual = gradients(model, pair_loss)
    with unpadded(model, model, bf16=False) as changed:
        assert len(changed) == 1
        calls.clear()
        assert_same(usual, gradients(model, pair_loss))
    assert calls


def test_a_second_tower_is_unpadded_too(tiny_models: tuple[Path, Path]) -> None:
    from sentence_transformers.sentence_transformer.losses import ContrastiveTensionLoss

    model = encoder(tiny_models[0])
    loss = ContrastiveTensionLoss(model)
    with unpadded(model, loss, bf16=False) as changed:
        assert len(changed) == 2
        copied = copy.deepcopy(loss.model1[0].auto_model.state_dict())
    assert copied.keys() == model[0].auto_model.state_dict().keys()


def test_bf16_keeps_its_weights_in_fp32_and_points_where_fp32_does(tiny_models: tuple[Path, Path]) -> None:
    import torch

    model = encoder(tiny_models[0])
    usual = gradients(model, ranking_loss)
    with unpadded(model, ranking_loss_module(model), bf16=True), torch.autocast("cpu", torch.bfloat16):
        own = gradients(model, ranking_loss)
    assert {value.dtype for name, value in own.items() if name != "loss"} == {torch.float32}
    assert float(own["loss"]) == pytest.approx(float(usual["loss"]), rel=0.1)  # the cosines are bf16 too, times 20
    flat = [torch.cat([v.flatten() for n, v in g.items() if n != "loss"]) for g in (usual, own)]
    assert torch.cosine_similarity(*flat, dim=0) > 0.99


def test_dropout_keeps_the_padding(tiny_models: tuple[Path, Path]) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_models[0]), device="cpu").train()
    model[0].auto_model.embeddings.dropout.p = 0.1
    with unpadded(model, ranking_loss_module(model), bf16=False) as changed:
        assert changed == []


@pytest.mark.parametrize("kind", ["causal", "with a bias"])
def test_another_attention_keeps_the_padding(kind: str) -> None:
    import torch
    from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

    size: dict[str, Any] = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    size |= {"intermediate_size": 16, "max_position_embeddings": 40}
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    torch.manual_seed(3)
    inner = (
        BertModel(BertConfig(is_decoder=True, **size, **none))
        if kind == "causal"
        else MPNetModel(MPNetConfig(**size, **none))
    )
    with unpadded(torch.nn.Sequential(inner), torch.nn.Identity(), bf16=False) as changed:
        assert changed == []


def test_queries_expanded_by_tokens_that_nobody_sees_keep_their_padding(tiny_models: tuple[Path, Path]) -> None:
    model = encoder(tiny_models[0])
    for attends, count in ((True, 1), (False, 0)):
        model[0].query_expansion = {"strategy": "fixed", "length": 8, "token": None, "attend": attends}
        with unpadded(model, ranking_loss_module(model), bf16=False) as changed:
            assert len(changed) == count
