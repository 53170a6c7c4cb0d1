"""LoRA: small matrices next to a frozen transformer's layers are trained, and merged into its weights afterwards.

Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2106.09685), section 4.1. The matrices are
those of peft.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from harness.base.optional import library
from harness.training.lesson import Lesson

STORED = "adapters.pt"
"""File of a checkpoint with the weights that are trained."""


def with_lora(lesson: Lesson, rank: int, alpha: float, modules: str, seed: int) -> Lesson:
    """The lesson on a model whose transformer is frozen but for adapters; they are merged after the last step, so that
    the saved model is an ordinary one.

    Layers outside the transformer, such as a new scoring head or a projection, are trained as they are.

    Args:
        lesson: on the whole model.
        rank: of the matrices.
        alpha: alpha / rank is the factor of their product.
        modules: `all` linear layers, or those of the `attention` that peft adapts by default.
        seed: of the first matrix of each adapter; the second one starts at 0.

    Raises:
        Unavailable: peft is not installed.
    """
    import torch

    peft = library("peft", "lora")
    facts: dict[str, Any] = {"rank": rank}

    def before(model: Any) -> None:
        if lesson.before is not None:
            lesson.before(model)
        facts["weights"] = sum(weight.numel() for weight in model.parameters())
        targets = "all-linear" if modules == "all" else None
        config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, lora_dropout=0.0, bias="none")
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            for inner in _transformers(model):
                peft.inject_adapter_in_model(config, inner)
        facts["trained_weights"] = sum(weight.numel() for weight in trained(model).values())

    def after(model: Any, loss: Any, probe: Any) -> dict[str, Any]:
        own = dict(lesson.after(model, loss, probe)) if lesson.after is not None else {}
        merge(model)
        return {**own, "lora": facts}

    return dataclasses.replace(lesson, before=before, after=after)


def merge(model: Any) -> None:
    """Adds the product of each adapter's matrices to the weights of its layer and puts the layer back in its place."""
    for name, layer in list(model.named_modules()):
        if _is_adapted(layer):
            layer.merge()
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, layer.get_base_layer())
    for inner in _transformers(model):
        if "peft_config" in vars(inner):
            del inner.peft_config
    model.requires_grad_(True)


def is_adapted(model: Any) -> bool:
    """Whether a model has adapters that are not merged."""
    return any(map(_is_adapted, model.modules()))


def trained(model: Any) -> dict[str, Any]:
    """Name → weight of those that are trained."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def save(model: Any, checkpoint: Path) -> None:
    """Stores the trained weights of an adapted model in a checkpoint; the library cannot read its own checkpoint of it
    back.
    """
    import torch

    if is_adapted(model):
        torch.save({name: weight.detach() for name, weight in trained(model).items()}, checkpoint / STORED)


def load(model: Any, checkpoint: Path) -> None:
    """Sets the trained weights to those that `save` stored; the frozen ones are as they were."""
    import torch

    model.load_state_dict(torch.load(checkpoint / STORED, weights_only=True, map_location=model.device), strict=False)


def _is_adapted(layer: Any) -> bool:
    return hasattr(layer, "lora_A") and hasattr(layer, "get_base_layer")


def _transformers(model: Any) -> list[Any]:
    """The transformers in a model, without their heads."""
    from transformers import PreTrainedModel

    return [one for one in model.modules() if isinstance(one, PreTrainedModel) and one.base_model is one]
