"""A guide with cached vectors: sentence-transformers' losses call it like a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.methods import Encodes, Method, fit
from harness.models.sides import Side, model_depends_on_side
from harness.runtime.context import Context
from harness.training.examples import NEGATIVE, POSITIVE, QUERY
from harness.training.loop import own_randomness


@dataclass(frozen=True)
class Guide:
    """Vectors of every text of the training columns.

    Args:
        columns: the texts.
        vectors: column → (N, D) vectors, in the order of the column.
        facts: JSON-safe: the guide and the hash of its folder.
    """

    columns: Mapping[str, Sequence[str]]
    vectors: Mapping[str, Floats]
    facts: dict[str, Any]

    def masked_negatives(self, margin: float = 0.0, *, relative: bool = False) -> float | None:
        """Share of the mined negatives that the guide masks: those it scores above the positive, less the margin.

        They give no gradient, so that a high share means that mining them was in vain. None without mined negatives.

        Args:
            margin: as `margin` of sentence-transformers' GISTEmbedLoss.
            relative: whether it is a share of the positive's similarity.
        """
        queries, positives = unit(self.vectors[QUERY]), unit(self.vectors[POSITIVE])
        own = (queries * positives).sum(axis=1)
        threshold = own - (np.abs(own) * margin if relative else margin)
        negatives = [vectors for name, vectors in self.vectors.items() if name.startswith(NEGATIVE)]
        if not negatives:
            return None
        masked = [float(((queries * unit(each)).sum(axis=1) > threshold).mean()) for each in negatives]
        return round(float(np.mean(masked)), 4)

    def module(self, model: Any, prompts: Mapping[str, str], sides: Mapping[str, Side] | None = None) -> Any:
        """A module that returns the guide's cached vectors for a batch of the student's tokens.

        The loss passes token ids to the guide, so that texts are looked up by their ids: the student's tokenizer is run
        over every text once. Two texts that are the same up to the student's maximum length share the vector of the
        first.

        Args:
            model: the student, with the maximum length it is trained with.
            prompts: column → what is put before its texts in training.
            sides: column → side, passed to a student that encodes by side; None passes none.
        """
        import torch

        tasks = sides if sides and model_depends_on_side(model) else {}
        places: dict[tuple[Any, ...], int] = {}
        rows: list[Floats] = []
        for name, texts in self.columns.items():
            for start in range(0, len(texts), 512):
                batch = list(texts[start : start + 512])
                task = {"task": tasks[name]} if name in tasks else {}
                tokens = {**model.preprocess(batch, prompt=prompts.get(name) or None, **task), **task}
                for i, key in enumerate(_keys(tokens)):
                    if key not in places:
                        places[key] = len(rows)
                        rows.append(self.vectors[name][start + i])
        table = torch.from_numpy(np.stack(rows))

        class CachedGuide(torch.nn.Module):
            tokenizer = model.tokenizer
            max_seq_length = model.max_seq_length

            def forward(self, features: dict[str, Any]) -> dict[str, Any]:
                known = [places[key] for key in _keys(features)]
                return {"sentence_embedding": table[known].to(features["input_ids"].device)}

        return CachedGuide()


def guide_vectors(
    guide: Method, columns: Mapping[str, Sequence[str]], sides: Mapping[str, Side], view: TrainView, context: Context
) -> Guide:
    """Encodes the columns with the guide; each text once, cached.

    Raises:
        ModelError: the guide is not a row that encodes texts.
    """
    vectors = {}
    with own_randomness():  # a head is loaded over random weights
        fitted = fit(guide, view, context)
        if not isinstance(fitted, Encodes):
            raise ModelError(f"{guide} cannot guide: it has no vectors. A guide is a dense row, as guide=dense.")
        encoder = fitted.encoder
        for name, texts in columns.items():
            own = encoder.vectors(list(texts), sides[name])
            vectors[name] = own.block(0, len(own))
    return Guide(columns, vectors, {"guide": str(guide), "guide_sha": encoder.folder.sha})


def unit(vectors: Floats) -> Floats:
    """(N, D) vectors scaled to length 1; a vector of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled


def _keys(tokens: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Per text, its token ids, and its side if the model encodes by side: each side may have its own tokenizer."""
    keys = []
    for ids, mask in zip(tokens["input_ids"].tolist(), tokens["attention_mask"].tolist(), strict=True):
        keys.append((tokens.get("task"), *compress(ids, mask)))
    return keys
