"""Texts, or pairs of texts, as token numbers: each tokenised once, its length known before it is batched, padded by the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from harness.engines import Batch
from harness.modeling.resolve import UNLIMITED

T = TypeVar("T")

BLOCK = 512
"""Texts that are tokenised at once: the numbers come as Python's own, which take much memory."""
MASK = "attention_mask"
UNPADDED: Mapping[str, Any] = {"common": {"return_tensors": None}, "text": {"padding": False}}


@dataclass(frozen=True)
class Item(Generic[T]):
    """A text or a pair on its way to a model.

    Args:
        source: the text or pair itself.
        length: tokens, or a guess where the model does not read plain token numbers.
        arrays: name → (length,) numbers; empty where it does not.
        extras: what the model is told besides; the same for all texts of a prompt.
    """

    source: T
    length: int
    arrays: Mapping[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)


class Tokens(Generic[T]):
    """A model's own preprocessing, without the padding.

    Where a model reads anything but token numbers of a fast tokenizer (chat messages, images, a table of words, code of its
    own), `plain` is False and items hold the texts alone, for the library to encode.

    Args:
        model: of sentence-transformers.
        prompt: put before each text.
        lengths: texts or pairs → tokens of each, counted or guessed, where the model is not plain.
    """

    def __init__(self, model: Any, prompt: str, lengths: Callable[[Sequence[T]], list[int]]) -> None:
        self._model, self._prompt, self._lengths = model, prompt, lengths
        self.plain = _plain(model)

    def items(self, sources: Sequence[T]) -> list[Item[T]]:
        """The items of texts or pairs, in their order. May be called from another thread than the model is in."""
        if not self.plain:
            return [Item(source, length) for source, length in zip(sources, self._lengths(sources), strict=True)]
        found: list[Item[T]] = []
        for start in range(0, len(sources), BLOCK):
            found += self._block(sources[start : start + BLOCK])
        return found

    def _block(self, sources: Sequence[T]) -> list[Item[T]]:
        told = dict(self._model.preprocess(list(sources), prompt=self._prompt, processing_kwargs=UNPADDED))
        columns = {name: told.pop(name) for name in list(told) if isinstance(told[name], list)}
        ids = columns["input_ids"]
        return [
            Item(source, len(ids[i]), {n: np.array(c[i], np.int32) for n, c in columns.items()}, told)
            for i, source in enumerate(sources)
        ]

    def batch(self, items: Sequence[Item[T]]) -> Batch:
        """Items padded to the longest of them, on the side and with the numbers that the tokenizer pads with."""
        tokenizer = self._model.tokenizer
        fill = {"input_ids": tokenizer.pad_token_id or 0, "token_type_ids": tokenizer.pad_token_type_id}
        width = max(item.length for item in items)
        left = tokenizer.padding_side == "left"
        arrays = {}
        for name in items[0].arrays:
            padded = np.full((len(items), width), fill.get(name, 0), np.int64)
            for row, item in zip(padded, items, strict=True):
                row[width - item.length if left else 0 : width if left else item.length] = item.arrays[name]
            arrays[name] = padded
        return Batch(arrays, items[0].extras)


def _plain(model: Any) -> bool:
    """Whether the model's first module is the library's transformer, fed by a fast tokenizer, one row for each text."""
    from sentence_transformers.base.modules import Transformer

    first = model[0]
    return (
        type(first) is Transformer
        and "text" in first.modality_config
        and "message" not in first.modality_config
        and first.query_expansion is None
        and not getattr(first, "can_flatten_inputs", False)
        and bool(getattr(first.tokenizer, "is_fast", False))
        and set(first.tokenizer.model_input_names) <= {"input_ids", "token_type_ids", MASK}
    )


def token_lengths(model: Any, texts: Sequence[str], prompt: str) -> list[int]:
    """Tokens of each text with its prompt, cut at the model's limit; guessed from characters where no fast tokenizer counts."""
    tokenizer: Any = getattr(model, "tokenizer", None)
    limit = min(model.max_seq_length or 512, UNLIMITED)
    if not getattr(tokenizer, "is_fast", False):
        return [min(len(t) // 4 + 1, limit) for t in texts]
    tokens = tokenizer([prompt + t for t in texts], add_special_tokens=True, truncation=True, max_length=limit, padding=False)
    return [len(ids) for ids in tokens["input_ids"]]
