"""Settings of an encoder of one vector per text."""

from __future__ import annotations

from dataclasses import dataclass

from harness.base.errors import SettingError
from harness.engines import Engine
from harness.engines.torch import Torch

POOLINGS = ("mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens")
PRECISIONS = Torch.precisions


@dataclass(frozen=True)
class EncoderSettings:
    """Everything that decides a vector, as requested; None takes the model's own.

    Args:
        model: hub name or folder.
        revision: the hub's commit, tag or branch.
        query_prompt: put before each query.
        document_prompt: put before each document.
        pooling: token vectors → text vector.
        max_length: texts are cut to so many tokens.
        precision: of the weights and products; one that the engine supports. Vectors are cached as float32.
        similarity: `cosine` (vectors are normalised) or `dot`.
        trust_remote_code: run the code that comes with the model's folder.
        dimensions: vectors are cut to their first so many dimensions; None uses all.
        engine: what computes the model; None is `torch`.
    """

    model: str
    revision: str | None
    query_prompt: str | None
    document_prompt: str | None
    pooling: str | None
    max_length: int | None
    precision: str
    similarity: str | None
    trust_remote_code: bool
    dimensions: int | None = None
    engine: Engine | None = None

    def check(self) -> None:
        """Raises SettingError if a setting is out of range."""
        for name, value, known in (
            ("pooling", self.pooling, (None, *POOLINGS)),
            ("precision", self.precision, self.engine.precisions if self.engine else PRECISIONS),
            ("similarity", self.similarity, (None, "cosine", "dot")),
        ):
            if value not in known:
                raise SettingError(
                    f"dense: {name} must be one of {', '.join(str(k) for k in known if k)}, not {value!r}"
                )
        if self.max_length is not None and self.max_length < 1:
            raise SettingError(f"dense: max_length must be 1 or more, not {self.max_length}")
        if self.dimensions is not None and self.dimensions < 1:
            raise SettingError(f"dense: dimensions must be 1 or more, not {self.dimensions}")
