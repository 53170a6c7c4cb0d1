"""Loading a cross-encoder with the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.models.limits import limit_length
from harness.models.loading import loader_options, opening
from harness.models.resolve import ModelFolder

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


def load_pair_model(
    folder: ModelFolder,
    device: str | None,
    precision: str,
    max_length: int | None,
    own_length: int | None,
    *,
    trusted: bool,
    **options: Any,
) -> CrossEncoder:
    """The model of a folder, ready to score.

    Args:
        folder: the model's.
        device: None takes the best one.
        precision: of the weights.
        max_length: tokens of query and document together; None takes the model's own.
        own_length: the length that the user set, which must not exceed the model's positions; None if none was set.
        trusted: whether code that comes with the folder may run.
        options: for the library.
    """
    # Imported here: a run whose pairs are all cached does not need torch.
    from sentence_transformers import CrossEncoder

    shared = loader_options(device, precision, trusted=trusted)
    with opening(folder, trusted=trusted):
        model: CrossEncoder = CrossEncoder(str(folder.path), **shared, **options)
    if max_length is not None:
        model.max_seq_length = max_length
    limit_length(model, folder.name, own_length, pairs=True)
    _keep_head_in_fp32(model)
    return model


def _keep_head_in_fp32(model: CrossEncoder) -> None:
    """Computes the last layer in fp32: bf16 has so few digits that many of a query's documents would tie."""
    import torch

    if model.keep_in_fp32_modules:
        return
    heads = [
        name for name, module in model.named_modules() if type(module) is torch.nn.Linear and module.out_features == 1
    ]
    if heads:
        model.set_keep_in_fp32_modules(heads[-1:])
