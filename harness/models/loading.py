"""Opening a model folder: what it names is looked at first, and what a loader raises is told in words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from harness.base.errors import HarnessError, ModelError
from harness.models.encode_once import memory_advice, no_weight_bars
from harness.models.resolve import ModelFolder
from harness.models.trusted import check_classes


def dtype_of(precision: str) -> Any:
    """The torch type of a precision's weights."""
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def options_of(device: str | None, precision: str, *, trusted: bool) -> dict[str, Any]:
    """What every model of sentence-transformers is opened with: from its folder, without the hub."""
    return {
        "device": device,
        "local_files_only": True,
        "trust_remote_code": trusted,
        "model_kwargs": {"dtype": dtype_of(precision)},
    }


@contextlib.contextmanager
def opening(folder: ModelFolder, *, trusted: bool) -> Iterator[None]:
    """Inside, the model of a folder may be loaded; no bars are drawn.

    Weights are read as tensors alone: safetensors files hold nothing else, and `.bin` files are read by torch with
    `weights_only`, by transformers and sentence-transformers alike, so that a pickle in them runs nothing.

    Args:
        folder: the model's.
        trusted: whether the code that it brings or names may run.

    Raises:
        ModelError: it names a class that is not allowed, is damaged or no model of the kind that is opened, or memory
            is short.
    """
    check_classes(folder.name, folder.path, trusted=trusted)
    try:
        with no_weight_bars(), memory_advice(folder.name):
            yield
    except (HarnessError, MemoryError):
        raise
    except Exception as error:  # whatever a loader raises at a damaged folder
        told = next(iter(str(error).strip().splitlines()), "")[:300]
        raise ModelError(
            f"{folder.name} cannot be loaded from {folder.path} ({type(error).__name__}: {told}). See whether the "
            f"folder is "
            "whole and holds a model of this kind."
        ) from error
