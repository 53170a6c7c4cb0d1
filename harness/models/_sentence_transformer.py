"""Loading an encoder of one vector per text with the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.models._pooling import repool
from harness.models.limits import limit_length
from harness.models.loading import loader_options, opening
from harness.models.resolve import ModelFolder
from harness.models.settings import EncoderSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def load_encoder(
    folder: ModelFolder, settings: EncoderSettings, device: str | None, precision: str, own_length: int | None
) -> SentenceTransformer:
    """The model of a folder, ready to encode.

    Args:
        folder: the model's.
        settings: length, pooling, trust.
        device: None takes the best one.
        precision: of the weights.
        own_length: the length that the user set, which must not exceed the model's positions; None if none was set.
    """
    # Imported here: torch takes seconds to import, and a run whose vectors are all cached does not need it.
    from sentence_transformers import SentenceTransformer

    options = loader_options(device, precision, trusted=settings.trust_remote_code)
    with opening(folder, trusted=settings.trust_remote_code):
        model = SentenceTransformer(str(folder.path), **options)
    model.eval()
    if settings.max_length is not None:
        model.max_seq_length = settings.max_length
    limit_length(model, folder.name, own_length)
    if settings.pooling is not None:
        repool(model, settings.pooling)
    return model
