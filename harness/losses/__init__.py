"""Losses that sentence-transformers does not have, one per file.

To add one: a file here with one frozen dataclass that derives from `Loss`, and `tests/losses/test_<file>.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from harness.choices.room import Room
from harness.choices.value import Value

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer


class Loss(Value, ABC):
    """Settings of a loss; `build` makes the torch module for one encoder."""

    room: ClassVar[str] = "harness.losses"

    @abstractmethod
    def build(self, model: SentenceTransformer) -> torch.nn.Module:
        """A loss as the trainer of sentence-transformers takes it.

        Args:
            model: the encoder to train; the module has it as `model` and encodes every column with it.

        Returns:
            A module whose `forward(sentence_features, labels)` takes one dictionary of features for each column (the
            first has the Q queries, each further one a document for every query) and the labels that the loss
            documents, and returns a scalar. It also has `compute_loss_from_embeddings(embeddings, labels)`, for columns
            already encoded.
        """


LOSSES: Room[Loss] = Room(__name__, Loss, "loss")  # type: ignore[type-abstract]
