"""What the methods on sparse and late-interaction encoders share."""

from __future__ import annotations

from typing import Any

from harness.methods import Fitted, Size
from harness.models.ragged import RaggedEncoder


class FittedRagged(Fitted):
    """Reports what is known of an encoder.

    Args:
        key: as `Fitted.key`.
        settings: the method's own, for the record.
        encoder: the model.
    """

    def __init__(self, key: str, settings: dict[str, Any], encoder: RaggedEncoder) -> None:
        self.key = key
        self.resolved = {**encoder.resolved, **settings}
        self.models = (encoder.folder.path,)


def size(encoder: RaggedEncoder, index_bytes: int, dimensions: int = 0) -> Size:
    """Size of an index and the model."""
    return Size(index_bytes, encoder.folder.model_bytes, encoder.folder.parameters, dimensions)
