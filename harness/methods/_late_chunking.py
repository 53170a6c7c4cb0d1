"""Texts → one vector for each of their passages, from the vectors that an encoder gives to the tokens of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from harness.base.errors import SettingError
from harness.cache.code import code_of
from harness.cache.ragged import Ragged, RaggedStore, StoredRagged
from harness.cache.shards import text_keys
from harness.data.ranking import Floats, Ints
from harness.endpoints.journal import digest
from harness.engines.torch import Torch
from harness.models.batching import batch_tokens
from harness.models.encode_once import EncodeTask, encode_once
from harness.models.encoder import Encoder
from harness.models.finite import check_finite
from harness.models.limits import length_of
from harness.models.texts import fast_tokenizer, readable, without_tokens
from harness.runtime.context import Context

SIDE: Final = "document"
MODULES: Final = ("Transformer", "Pooling", "Normalize")
"""What a model of sentence-transformers may be made of: a layer after the mean would not be that of a passage."""
_WORD: Final = re.compile(r"\S+")


@dataclass(frozen=True)
class Window:
    """Tokens that are read at once.

    Args:
        inputs: name → (T,) numbers, as the model takes them.
        starts: (T,) where in the text the used tokens begin; -1 for those that are not used.
    """

    inputs: dict[str, list[int]]
    starts: Ints


class LateChunker:
    """Reads texts and cuts what was read.

    Args:
        encoder: a local one.
        words: of a passage.
        overlap: words in common with the one before.
        shared: tokens in common of two windows.
        context: its cache.

    Attributes:
        encoder: the encoder.
        key: hash of all that decides a vector, except the text.

    Raises:
        SettingError: the encoder pools otherwise, or is made of other parts, or `shared` leaves no token.
    """

    def __init__(self, encoder: Encoder, words: int, overlap: int, shared: int, context: Context) -> None:
        self.encoder = encoder
        self._words, self._overlap, self._shared, self._context = words, overlap, shared, context
        if (pooling := encoder.resolved["pooling"]) != "mean":
            raise SettingError(f"late_chunks: the encoder must pool by the mean of its tokens, not by {pooling}.")
        if encoder.settings.dimensions is not None:
            raise SettingError("late_chunks: the encoder must have all its dimensions; leave dimensions out.")
        deciding = {"encoder": encoder.fingerprint, "words": words, "overlap": overlap, "shared": shared}
        self.key = digest({**deciding, "code": code_of(__name__, without=("harness.models.encoder",))})

    def passages(self, texts: Sequence[str]) -> StoredRagged:
        """N matrices (passages, D); those that are not cached are computed and cached."""
        describe = {"model": self.encoder.folder.name, "words": self._words, "overlap": self._overlap}
        store = RaggedStore(self._context.cache, "passage-vectors", self.key, describe)
        task = EncodeTask[str, Ragged](
            label="encode passages",
            unit="texts",
            keys=text_keys,
            lengths=self._lengths,
            run=self._run,
            budget=self._budget,
        )
        return encode_once(texts, task, store, self._context)

    @cached_property
    def _model(self) -> Any:
        """The model in `torch`, at the encoder's precision if `torch` has it.

        Raises:
            SettingError: it has other modules, no fast tokenizer, or its tokens are fewer than `shared`.
        """
        own = self.encoder.settings.precision
        model = self.encoder.with_precision(own if own in Torch.precisions else "fp32").model
        names = [type(module).__name__ for module in model]
        if not set(names) <= set(MODULES) or fast_tokenizer(model, SIDE) is None:
            raise SettingError(
                f"late_chunks: {self.encoder.folder.name} is made of {', '.join(names)}; only a transformer with a "
                "fast tokenizer and the mean of its tokens can be cut late."
            )
        if self._shared >= self._length(model) - 2:
            raise SettingError(
                f"late_chunks: shared must be below the {self._length(model)} tokens that the model reads."
            )
        return model

    @staticmethod
    def _length(model: Any) -> int:
        return length_of(model, SIDE)

    def _budget(self) -> int:
        return batch_tokens(self._context, self._model.device.type)

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens, as if each text were read at once."""
        tokenizer = fast_tokenizer(self._model, SIDE)
        found = tokenizer([self._whole(text) for text in texts], truncation=False, padding=False, verbose=False)
        return [max(1, len(ids)) for ids in found["input_ids"]]

    def _whole(self, text: str) -> str:
        return self.encoder.prompts[SIDE] + readable(text)

    def _run(self, texts: Sequence[str]) -> Ragged:
        """The matrices of some texts."""
        width = int(self._model.get_embedding_dimension())
        empty = without_tokens(self._model, [readable(text) for text in texts], self.encoder.prompts[SIDE], SIDE)
        matrices = [
            np.zeros((1, width), np.float32) if is_empty else self._matrix(self._whole(text))
            for text, is_empty in zip(texts, empty, strict=True)
        ]
        check_finite(self.encoder.folder.name, SIDE, texts, matrices)
        return Ragged.of(matrices, width)

    def _matrix(self, text: str) -> Floats:
        """(passages, D) of a text with tokens."""
        windows = list(self._windows(text))
        starts = np.concatenate([window.starts for window in windows])
        vectors = np.concatenate([self._tokens(window) for window in windows])[starts >= 0]
        starts = starts[starts >= 0]
        bounds = spans(text, self._words, self._overlap)
        means = []
        for begin, end in bounds:
            inside = (starts >= begin) & (starts < end)
            if inside.any():  # characters that the tokenizer drops are no passage
                means.append(vectors[inside].astype(np.float64).mean(axis=0))
        matrix = np.array(means)
        if self.encoder.similarity == "cosine":
            matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
        return matrix.astype(np.float32)

    def _windows(self, text: str) -> Iterator[Window]:
        """What the model reads; special tokens at the ends of the text belong to its first and last passage."""
        tokenizer = fast_tokenizer(self._model, SIDE)
        found = tokenizer(
            text,
            truncation=True,
            max_length=self._length(self._model),
            stride=self._shared,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        count = len(found["input_ids"])
        for number in range(count):
            special = np.array(found["special_tokens_mask"][number], bool)
            starts = np.array([start for start, _ in found["offset_mapping"][number]], np.int64)
            real = np.flatnonzero(~special)
            if number:
                starts[real[: self._shared]] = -1
            first, last = (int(real[0]), int(real[-1])) if len(real) else (0, -1)
            starts[special] = -1
            if number == 0:
                starts[:first] = 0
            if number == count - 1:
                starts[last + 1 :] = len(text)
            names = set(tokenizer.model_input_names) & set(found)
            yield Window({name: found[name][number] for name in names}, starts)

    def _tokens(self, window: Window) -> Floats:
        """(T, D) of a window."""
        import torch

        device = self._model.device
        inputs = {name: torch.tensor([values], device=device) for name, values in window.inputs.items()}
        with torch.inference_mode():
            vectors = self._model[0](inputs)["token_embeddings"][0]
        return vectors.float().cpu().numpy()  # type: ignore[no-any-return]


def spans(text: str, words: int, overlap: int) -> list[tuple[int, int]]:
    """Where each passage begins, and where its tokens end: together they cover the text and its end.

    A passage begins with a word and has `words` of them, of which the first `overlap` are in the one before too.
    """
    begins = [match.start() for match in _WORD.finditer(text)]
    if len(begins) <= words:
        return [(0, len(text) + 1)]
    firsts = range(0, len(begins) - overlap, words - overlap)
    ends = [begins[first + words] if first + words < len(begins) else len(text) + 1 for first in firsts]
    return [(begins[first] if first else 0, end) for first, end in zip(firsts, ends, strict=True)]
