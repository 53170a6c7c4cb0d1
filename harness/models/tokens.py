"""Texts, or pairs of texts, as token numbers: each tokenised once, its length known before it is batched, padded by the
batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from harness.engines import Batch
from harness.models.limits import length_of
from harness.models.resolve import UNLIMITED
from harness.models.sides import Side, input_module
from harness.models.texts import fast_tokenizer, without_tokens

T = TypeVar("T")

BLOCK = 512
"""Texts that are tokenised at once: the numbers come as Python's own, which take much memory."""
MASK = "attention_mask"
UNPADDED: Mapping[str, Any] = {"common": {"return_tensors": None}, "text": {"padding": False}}


@dataclass(frozen=True)
class Reading:
    """How texts or pairs are given to a model.

    Args:
        prompt: put before each text, or before the first of each pair.
        side: of a search, which the model is told; None for pairs, which have none.
    """

    prompt: str = ""
    side: Side | None = None


@dataclass(frozen=True)
class Item(Generic[T]):
    """A text or a pair on its way to a model.

    Args:
        source: the text or pair itself.
        length: tokens, or a guess where the model does not read plain token numbers; 0 of a text without any token.
        arrays: name → (length,) numbers; empty where it does not.
        extras: what the model is told besides; the same for all texts of a prompt.
    """

    source: T
    length: int
    arrays: Mapping[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)


class Tokens(Generic[T]):
    """A model's own preprocessing, without the padding.

    Where a model reads anything but token numbers of a fast tokenizer (chat messages, images, a table of words, code of
    its own), `plain` is False and items hold the texts alone, for the library to encode.

    Args:
        model: of sentence-transformers.
        reading: how texts are given to it.
        lengths: texts or pairs → tokens of each, counted or guessed, where the model is not plain.
    """

    def __init__(self, model: Any, reading: Reading, lengths: Callable[[Sequence[T]], list[int]]) -> None:
        self._model, self._reading, self._lengths = model, reading, lengths
        self.plain = _plain(model, reading.side)

    def items(self, sources: Sequence[T]) -> list[Item[T]]:
        """The items of texts or pairs, in their order. May be called from another thread than the model is in."""
        if not self.plain:
            return [Item(source, length) for source, length in zip(sources, self._lengths(sources), strict=True)]
        found: list[Item[T]] = []
        for start in range(0, len(sources), BLOCK):
            found += self._block(sources[start : start + BLOCK])
        return found

    def _block(self, sources: Sequence[T]) -> list[Item[T]]:
        side = {} if self._reading.side is None else {"task": self._reading.side}
        told = dict(
            self._model.preprocess(list(sources), prompt=self._reading.prompt, processing_kwargs=UNPADDED, **side)
        )
        columns = {name: told.pop(name) for name in list(told) if isinstance(told[name], list)}
        ids = columns["input_ids"]
        for i in [i for i, source in enumerate(sources) if isinstance(source, tuple) and not ids[i]]:
            for name, values in columns.items():
                values[i] = [1 if name == MASK else self._fill.get(name, 0)]  # see `harness.models.texts`
        return [
            Item(source, len(ids[i]), {n: np.array(c[i], np.int32) for n, c in columns.items()}, told)
            for i, source in enumerate(sources)
        ]

    def batch(self, items: Sequence[Item[T]]) -> Batch:
        """Items padded to the longest of them, on the side and with the numbers that the tokenizer pads with."""
        fill = self._fill
        width = max(item.length for item in items)
        left = self._tokenizer.padding_side == "left"
        arrays = {}
        for name in items[0].arrays:
            padded = np.full((len(items), width), fill.get(name, 0), np.int64)
            for row, item in zip(padded, items, strict=True):
                row[width - item.length if left else 0 : width if left else item.length] = item.arrays[name]
            arrays[name] = padded
        return Batch(arrays, items[0].extras)

    @property
    def _tokenizer(self) -> Any:
        return input_module(self._model, self._reading.side).tokenizer

    @property
    def _fill(self) -> dict[str, int]:
        """What each array is padded with; 0 where it is not named."""
        return {"input_ids": self._tokenizer.pad_token_id or 0, "token_type_ids": self._tokenizer.pad_token_type_id}


def _plain(model: Any, side: Side | None) -> bool:
    """Whether texts of a side are read by the library's transformer, fed by a fast tokenizer, one row for each text."""
    from sentence_transformers.base.modules import Transformer

    first = input_module(model, side)
    return (
        type(first) is Transformer
        and not _asks_for_the_task(model)
        and "text" in first.modality_config
        and "message" not in first.modality_config
        and first.query_expansion is None
        and not getattr(first, "can_flatten_inputs", False)
        and bool(getattr(first.tokenizer, "is_fast", False))
        and set(first.tokenizer.model_input_names) <= {"input_ids", "token_type_ids", MASK}
    )


def _asks_for_the_task(model: Any) -> bool:
    """Whether a module other than a router is told the task when it is called, which a batch of token numbers does not
    say.
    """
    from sentence_transformers.base.modules import Router

    inner = [module for module in model.modules() if module is not model and not isinstance(module, Router)]
    named = (names for names in (model.module_kwargs or {}).values())
    return any("task" in getattr(module, "forward_kwargs", ()) for module in inner) or any(
        "task" in names for names in named
    )


def token_lengths(model: Any, texts: Sequence[str], reading: Reading) -> list[int]:
    """Tokens of each text with its prompt, cut at the model's limit; guessed from characters where no fast tokenizer
    counts.

    0 is only told of a text without any token (`harness.models.texts`).
    """
    tokenizer: Any = fast_tokenizer(model, reading.side)
    limit = length_of(model, reading.side, UNLIMITED)
    if tokenizer is None:
        return [min(len(t) // 4 + 1, limit) for t in texts]
    whole = [reading.prompt + t for t in texts]
    tokens = tokenizer(whole, add_special_tokens=True, truncation=True, max_length=limit, padding=False)
    none = without_tokens(model, texts, reading.prompt, reading.side)
    return [0 if empty else max(1, len(ids)) for ids, empty in zip(tokens["input_ids"], none, strict=True)]
