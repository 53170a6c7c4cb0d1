"""A guide whose vectors are kept: sentence-transformers' losses ask it as they would ask a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.methods import Encodes, Method, fit
from harness.models.sides import Side, model_depends_on_side
from harness.runtime.context import Context


@dataclass(frozen=True)
class Guide:
    """Vectors of every text of the training columns.

    Args:
        columns: the texts.
        vectors: column → (N, D) vectors, in the order of the column.
        facts: JSON-safe: who the guide is.
    """

    columns: Mapping[str, Sequence[str]]
    vectors: Mapping[str, Floats]
    facts: dict[str, Any]

    def module(self, model: Any, prompts: Mapping[str, str], sides: Mapping[str, Side] | None = None) -> Any:
        """A module that answers a batch of the student's tokens with the guide's kept vectors.

        The loss hands the guide token ids, so that texts are found by theirs: the student's own tokenizer is run over
        every text once. Two texts that are the same up to the student's maximum length share a vector, that of the
        first.

        Args:
            model: the student, with the maximum length it is trained with.
            prompts: column → what stands before its texts in training.
            sides: column → side, which a student that encodes by side is told; None tells it none.
        """
        import torch

        told = sides if sides and model_depends_on_side(model) else {}
        places: dict[tuple[Any, ...], int] = {}
        rows: list[Floats] = []
        for name, texts in self.columns.items():
            for start in range(0, len(texts), 512):
                batch = list(texts[start : start + 512])
                task = {"task": told[name]} if name in told else {}
                tokens = {**model.preprocess(batch, prompt=prompts.get(name) or None, **task), **task}
                for i, key in enumerate(_keys(tokens)):
                    if key not in places:
                        places[key] = len(rows)
                        rows.append(self.vectors[name][start + i])
        table = torch.from_numpy(np.stack(rows))

        class Kept(torch.nn.Module):
            tokenizer = model.tokenizer
            max_seq_length = model.max_seq_length

            def forward(self, features: dict[str, Any]) -> dict[str, Any]:
                found = [places[key] for key in _keys(features)]
                return {"sentence_embedding": table[found].to(features["input_ids"].device)}

        return Kept()


def guide_vectors(
    guide: Method, columns: Mapping[str, Sequence[str]], sides: Mapping[str, Side], view: TrainView, context: Context
) -> Guide:
    """Encodes the columns with the guide; each text once, and kept.

    Raises:
        ModelError: the guide is not a row that encodes texts.
    """
    fitted = fit(guide, view, context)
    if not isinstance(fitted, Encodes):
        raise ModelError(f"{guide} cannot guide: it has no vectors. A guide is a dense row, as guide=dense.")
    encoder = fitted.encoder
    vectors = {}
    for name, texts in columns.items():
        held = encoder.vectors(list(texts), sides[name])
        vectors[name] = held.block(0, len(held))
    return Guide(columns, vectors, {"guide": str(guide), "guide_sha": encoder.folder.sha})


def _keys(tokens: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Per text, its side if the model is told it, since each may have a tokenizer of its own, and its token ids."""
    masks, task = tokens["attention_mask"].tolist(), tokens.get("task")
    return [
        (task, *(i for i, kept in zip(ids, mask, strict=True) if kept))
        for ids, mask in zip(tokens["input_ids"].tolist(), masks, strict=True)
    ]
