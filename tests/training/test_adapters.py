"""LoRA: only a low-rank change of linear layers is learnt, and the saved model is an ordinary one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

from harness.base.errors import SettingError, Unavailable
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.methods import Method, fit
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.recipes import RECIPES
from harness.runtime.context import Context
from harness.training.adapters import is_adapted, load, merge, save, trained, with_lora
from harness.training.base import PairBase
from harness.training.dev import EncoderProbe
from harness.training.lesson import Lesson
from harness.training.schedule import Schedule
from harness.training.trained import with_recipes
from harness.training.unpadded import unpadded

TEXTS = ["one two three", "four", "five six seven eight nine ten"]


def row_of(model: Path, recipe: str = "supervised", **settings: Any) -> Method:
    kind = CrossEncoder if recipe == "cross_encoder" else Dense
    made = RECIPES.get(recipe)(budget="smoke", choose="last", precision="fp32", **settings)
    return with_recipes(kind(model=str(model)), (made,))


def adapted(folder: Path, modules: str = "all") -> SentenceTransformer:
    """A model whose adapters change its vectors."""
    model = SentenceTransformer(str(folder), device="cpu")
    lesson = with_lora(Lesson({"text": TEXTS}, lambda _: torch.nn.Identity(), Schedule()), 2, 4.0, modules, 0)
    assert lesson.before is not None
    lesson.before(model)
    torch.manual_seed(0)
    for weight in trained(model).values():
        torch.nn.init.normal_(weight, std=0.3)
    return model


def test_training_changes_linear_layers_by_matrices_of_the_rank_and_nothing_else(
    small: Dataset, context: Context, tiny_encoder: Path
) -> None:
    fitted: Any = fit(row_of(tiny_encoder, lora=2, learning_rate=1e-2), small.train, context)
    folder = Path(fitted.encoder.folder.path)
    before, after = (SentenceTransformer(str(f), device="cpu").state_dict() for f in (tiny_encoder, folder))
    assert before.keys() == after.keys()
    ranks = {name: int(torch.linalg.matrix_rank(after[name] - before[name], tol=1e-4)) for name in before
             if before[name].dim() == 2}
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name, rank in ranks.items() if rank}
    assert max(ranks.values()) == 2
    assert all("encoder.layer" in name for name in changed)
    assert len(changed) == 12  # of two layers, each with six
    facts = fitted.resolved["training"][0]["facts"]["lora"]
    assert facts["rank"] == 2
    assert 0 < facts["trained_weights"] < facts["weights"] == sum(weight.numel() for weight in before.values())


def test_the_rate_of_the_budget_is_ten_times_as_high() -> None:
    supervised = RECIPES.get("supervised")
    plain = supervised().schedule().learning_rate
    assert supervised(lora=8).schedule().learning_rate == pytest.approx(10 * plain)
    assert supervised(lora=8, learning_rate=1e-5).schedule().learning_rate == 1e-5


@pytest.mark.parametrize(("modules", "layers"), [("all", 13), ("attention", 4)])  # the pooler is a linear layer too
def test_merged_adapters_compute_the_same_vectors(tiny_encoder: Path, modules: str, layers: int) -> None:
    model = adapted(tiny_encoder, modules)
    assert len(trained(model)) == 2 * layers
    vectors = model.encode(TEXTS)
    names = SentenceTransformer(str(tiny_encoder), device="cpu").state_dict().keys()
    merge(model)
    assert not is_adapted(model)
    assert model.state_dict().keys() == names
    assert all(weight.requires_grad for weight in model.parameters())
    assert model.encode(TEXTS) == pytest.approx(vectors, abs=1e-5)


def test_adapted_layers_compute_without_padding(tiny_encoder: Path) -> None:
    model = adapted(tiny_encoder)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # with dropout, batches are padded
    usual = model(model.preprocess(TEXTS))["sentence_embedding"]
    with unpadded(model, torch.nn.Identity(), bf16=False) as inside:
        assert len(inside) == 1
        own = model(model.preprocess(TEXTS))["sentence_embedding"]
    assert torch.allclose(own, usual, atol=1e-5)


def test_a_checkpoint_has_what_was_trained(tiny_encoder: Path, tmp_path: Path) -> None:
    model = adapted(tiny_encoder)
    vectors = model.encode(TEXTS)
    save(model, tmp_path)
    with torch.no_grad():
        for weight in trained(model).values():
            weight.zero_()
    load(model, tmp_path)
    assert model.encode(TEXTS) == pytest.approx(vectors, abs=1e-6)


def opened(model: Path, context: Context) -> tuple[Any, Method]:
    row = CrossEncoder(model=str(model))
    return row.open_model(context), row.while_training()


class Killed(BaseException):
    """In place of a signal."""


def test_a_killed_training_goes_on_to_the_same_model(
    small: Dataset, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES.get("supervised")
    schedule = Schedule(steps=6, batch=4, learning_rate=1e-3, max_length=32, evaluations=3, dev_pool=100)
    monkeypatch.setattr(recipe, "schedules", {"smoke": schedule, "small": schedule, "full": schedule})
    method = with_recipes(Dense(str(tiny_encoder)), (recipe(budget="smoke", lora=2, precision="fp32"),))
    whole: Any = fit(method, small.train, Context(cache=Cache(tmp_path / "whole")))
    measure, calls = EncoderProbe.__call__, []

    def dying(self: EncoderProbe, model: Any) -> float:
        calls.append(1)
        if len(calls) == 3:  # before the first step, after the second, after the fourth
            raise Killed
        return measure(self, model)

    monkeypatch.setattr(EncoderProbe, "__call__", dying)
    with pytest.raises(Killed):
        fit(method, small.train, Context(cache=Cache(tmp_path / "killed")))
    monkeypatch.setattr(EncoderProbe, "__call__", measure)
    assert list((tmp_path / "killed" / "checkpoints").glob("*/checkpoint-2/adapters.pt"))
    again: Any = fit(method, small.train, Context(cache=Cache(tmp_path / "killed")))
    assert again.resolved["sha"] == whole.resolved["sha"]


def test_a_new_scoring_head_is_trained_whole(small: Dataset, context: Context, tiny_encoder: Path) -> None:
    fitted: Any = fit(row_of(tiny_encoder, "cross_encoder", lora=2), small.train, context)
    (folder,) = (context.cache.root / "models").glob("*/model")
    pooler, head = (
        load_file(folder / "model.safetensors")[name] for name in ("bert.pooler.dense.weight", "classifier.weight")
    )
    before = PairBase.of(*opened(tiny_encoder, context)).fresh(context)[0].model
    assert torch.linalg.matrix_rank(head - before.classifier.weight) == 1
    assert not torch.equal(head, before.classifier.weight)
    assert torch.linalg.matrix_rank(pooler - before.bert.pooler.dense.weight, tol=1e-4) <= 2
    assert fitted.resolved["training"][0]["steps"] == 3


def test_without_peft_the_error_says_what_to_install(
    small: Dataset, context: Context, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(Unavailable, match="peft is not installed") as missing:
        fit(row_of(tiny_encoder, lora=2), small.train, context)
    assert "retrieval-harness[lora]" in str(missing.value.remedy)


def test_a_tied_decoder_is_refused() -> None:
    with pytest.raises(SettingError, match="a tied decoder has to learn"):
        RECIPES.get("tsdae")(lora=2)
