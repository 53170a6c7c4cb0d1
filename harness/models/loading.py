"""Opening a model folder: the classes that it names are checked first, and loader errors are explained."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from harness.base.errors import HarnessError, ModelError
from harness.models.resolve import ModelFolder
from harness.models.trusted import check_classes

_SHORT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


def dtype_of(precision: str) -> Any:
    """The torch type of a precision's weights."""
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def loader_options(device: str | None, precision: str, *, trusted: bool) -> dict[str, Any]:
    """Options with which every sentence-transformers model is opened: from its folder, without the hub."""
    return {
        "device": device,
        "local_files_only": True,
        "trust_remote_code": trusted,
        "model_kwargs": {"dtype": dtype_of(precision)},
    }


@contextlib.contextmanager
def opening(folder: ModelFolder, *, trusted: bool) -> Iterator[None]:
    """Inside, the model of a folder may be loaded; no progress bars are drawn.

    Weights are read as plain tensors: safetensors files contain nothing else, and transformers and
    sentence-transformers read `.bin` files with torch's `weights_only`, so a pickle in them runs nothing.

    Args:
        folder: the model's.
        trusted: whether the code that it contains or names may run.

    Raises:
        ModelError: it names a class that is not allowed, is damaged or not a model of the kind that is opened, or
            memory is short.
    """
    check_classes(folder.name, folder.path, trusted=trusted)
    try:
        with no_weight_bars(), memory_advice(folder.name):
            yield
    except (HarnessError, MemoryError):
        raise
    except Exception as error:  # loaders raise anything on a damaged folder
        reason = next(iter(str(error).strip().splitlines()), "")[:300]
        raise ModelError(
            f"{folder.name} cannot be loaded from {folder.path} ({type(error).__name__}: {reason}). Check that the "
            "folder is complete and contains a model of this kind."
        ) from error


@contextlib.contextmanager
def no_weight_bars() -> Iterator[None]:
    """Inside, transformers draws no bars and reports no new weights, and sentence-transformers no conversions.

    The harness reports loading itself, and the scoring head that an encoder gets is new on purpose.
    """
    from transformers.utils import logging as bars

    shown, level = bars.is_progress_bar_enabled(), bars.get_verbosity()
    models = logging.getLogger("sentence_transformers")
    before = models.level
    bars.disable_progress_bar()  # type: ignore[no-untyped-call]
    bars.set_verbosity_error()  # type: ignore[no-untyped-call]
    models.setLevel(logging.ERROR)
    try:
        yield
    finally:
        bars.set_verbosity(level)
        models.setLevel(before)
        if shown:
            bars.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def memory_advice(model: str) -> Iterator[None]:
    """Turns running out of memory into an error that says what to do.

    Raises:
        ModelError: instead of torch's `OutOfMemoryError` and the RuntimeError of its CPU allocator.
    """
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one
        reason = str(error).lower()
        if any(words in reason for words in _SHORT_OF_MEMORY):
            raise ModelError(
                f'{model} ran out of memory: lower --batch-tokens, or set max_length or precision="bf16".'
            ) from error
        raise
