"""Texts, or pairs of texts, as token numbers: tokenised once, batched by length, padded in the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from harness.engines import Batch
from harness.models.limits import length_of, positions
from harness.models.resolve import UNLIMITED
from harness.models.sides import Side, input_module
from harness.models.texts import fast_tokenizer, without_tokens

T = TypeVar("T")

BLOCK = 512
"""Texts that are tokenised at once: the tokenizer returns Python integers, which take much memory."""
MASK = "attention_mask"
UNPADDED: Mapping[str, Any] = {"common": {"return_tensors": None}, "text": {"padding": False}}


@dataclass(frozen=True)
class InputFormat:
    """How texts or pairs are given to a model.

    Args:
        prompt: put before each text, or before the first of each pair.
        side: of a search, which is passed to the model; None for pairs, which have none.
    """

    prompt: str = ""
    side: Side | None = None


@dataclass(frozen=True)
class Item(Generic[T]):
    """A text or a pair, prepared for a model.

    Args:
        source: the text or pair itself.
        length: tokens, or a guess if the model does not read plain token numbers; 0 for a text without any token.
        arrays: name → (length,) numbers; empty if the model does not read plain token numbers.
        extras: further arguments of the model; the same for all texts of a prompt.
    """

    source: T
    length: int
    arrays: Mapping[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)


class Tokens(Generic[T]):
    """A model's own preprocessing, without the padding.

    If a model reads anything but token numbers of a fast tokenizer (chat messages, images, a table of words, its own
    code), `plain` is False and items contain only the texts, for the library to encode.

    Args:
        model: of sentence-transformers.
        form: how texts are given to it.
        lengths: texts or pairs → tokens of each, counted or guessed, if the model is not plain.
    """

    def __init__(self, model: Any, form: InputFormat, lengths: Callable[[Sequence[T]], list[int]]) -> None:
        self._model, self._form, self._lengths = model, form, lengths
        self.plain = _plain(model, form.side)

    def items(self, sources: Sequence[T]) -> list[Item[T]]:
        """The items of texts or pairs, in their order. Need not be called from the thread that runs the model."""
        if not self.plain:
            return [Item(source, length) for source, length in zip(sources, self._lengths(sources), strict=True)]
        items: list[Item[T]] = []
        for start in range(0, len(sources), BLOCK):
            items += self._block(sources[start : start + BLOCK])
        return items

    def _block(self, sources: Sequence[T]) -> list[Item[T]]:
        side = {} if self._form.side is None else {"task": self._form.side}
        features = dict(
            self._model.preprocess(list(sources), prompt=self._form.prompt, processing_kwargs=UNPADDED, **side)
        )
        columns = {name: features.pop(name) for name in list(features) if isinstance(features[name], list)}
        ids = columns["input_ids"]
        items = []
        for i, source in enumerate(sources):
            if isinstance(source, tuple) and not ids[i]:  # a pair without any token: see `harness.models.texts`
                for name, values in columns.items():
                    values[i] = [1 if name == MASK else self._fill.get(name, 0)]
            arrays = {name: np.array(values[i], np.int32) for name, values in columns.items()}
            items.append(Item(source, len(ids[i]), arrays, features))
        return items

    def batch(self, items: Sequence[Item[T]], multiple: int = 1) -> Batch:
        """Items padded to the longest of them, on the side and with the numbers that the tokenizer pads with.

        Args:
            items: at least one.
            multiple: the width is a multiple of it, where the model has positions for that.
        """
        fill = self._fill
        longest = max(item.length for item in items)
        width = max(longest, min(-(-longest // multiple) * multiple, self._positions))
        left = self._tokenizer.padding_side == "left"
        arrays = {}
        for name in items[0].arrays:
            padded = np.full((len(items), width), fill.get(name, 0), np.int64)
            for row, item in zip(padded, items, strict=True):
                row[width - item.length if left else 0 : width if left else item.length] = item.arrays[name]
            arrays[name] = padded
        return Batch(arrays, items[0].extras)

    @cached_property
    def _positions(self) -> int:
        return positions(self._model)

    @property
    def _tokenizer(self) -> Any:
        return input_module(self._model, self._form.side).tokenizer

    @property
    def _fill(self) -> dict[str, int]:
        """What each array is padded with; 0 if it is not named."""
        return {"input_ids": self._tokenizer.pad_token_id or 0, "token_type_ids": self._tokenizer.pad_token_type_id}


def _plain(model: Any, side: Side | None) -> bool:
    """Whether texts of a side are read by the library's transformer, fed by a fast tokenizer, one row for each text."""
    from sentence_transformers.base.modules import Transformer

    first = input_module(model, side)
    return (
        type(first) is Transformer
        and not _uses_task(model)
        and "text" in first.modality_config
        and "message" not in first.modality_config
        and first.query_expansion is None
        and not getattr(first, "can_flatten_inputs", False)
        and bool(getattr(first.tokenizer, "is_fast", False))
        and set(first.tokenizer.model_input_names) <= {"input_ids", "token_type_ids", MASK}
    )


def _uses_task(model: Any) -> bool:
    """Whether a module takes the task when it is called, other than a router that reads the texts itself: a batch of
    token numbers has none.
    """
    from sentence_transformers.base.modules import Router

    if any(isinstance(module, Router) for module in list(model.children())[1:]):
        return True
    inner = [module for module in model.modules() if module is not model and not isinstance(module, Router)]
    arguments = [getattr(module, "forward_kwargs", ()) for module in inner]
    arguments += (model.module_kwargs or {}).values()
    return any("task" in names for names in arguments)


def token_lengths(model: Any, texts: Sequence[str], form: InputFormat) -> list[int]:
    """Tokens of each text with its prompt, cut at the model's limit; guessed from characters without a fast tokenizer.

    Only a text without any token has length 0 (`harness.models.texts`).
    """
    tokenizer: Any = fast_tokenizer(model, form.side)
    limit = length_of(model, form.side, UNLIMITED)
    if tokenizer is None:
        return [min(len(t) // 4 + 1, limit) for t in texts]
    whole = [form.prompt + t for t in texts]
    tokens = tokenizer(whole, add_special_tokens=True, truncation=True, max_length=limit, padding=False)
    empty = without_tokens(model, texts, form.prompt, form.side)
    return [0 if is_empty else max(1, len(ids)) for ids, is_empty in zip(tokens["input_ids"], empty, strict=True)]
