"""Settings of models that run on this machine; methods inherit them, so that each is declared only here.

A method adds its own settings and gives `model` a default.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.engines import Engine
from harness.engines.torch import Torch

POOLINGS = ("mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens")
PRECISIONS = Torch.precisions


Precision = Literal["fp32", "bf16", "fp16", "int8", "auto"]


@dataclass(frozen=True)
class ModelSource:
    """Which model.

    Args:
        model: hub name or folder.
        revision: the hub's commit, tag or branch; None takes the newest on this machine.
    """

    model: str
    revision: str | None = None

    @classmethod
    def of(cls, method: object, **changed: Any) -> Self:
        """These settings of a method that has them and others; `changed` takes the place of the method's own."""
        values = {field.name: getattr(method, field.name) for field in fields(cls) if field.name not in changed}
        return cls(**values, **changed)


@dataclass(frozen=True)
class PromptedModel(ModelSource):
    """A model that encodes queries and documents apart.

    Args:
        query_prompt: put before each query; None takes the model's own, `""` is no prompt.
        document_prompt: put before each document; the same.
    """

    query_prompt: str | None = None
    document_prompt: str | None = None


@dataclass(frozen=True)
class EncoderModel(PromptedModel):
    """An encoder of one vector per text. None takes the model's own.

    Args: those of `PromptedModel` and
        pooling: token vectors → text vector.
        max_length: tokens at which texts are cut.
        precision: of the weights and products. Vectors are cached as float32.
        similarity: `cosine` (vectors are normalised) or `dot`.
        trust_remote_code: run the code that comes with the model's folder.
    """

    pooling: str | None = None
    max_length: Count | None = None
    precision: Precision = "fp32"
    similarity: Literal["cosine", "dot"] | None = None
    trust_remote_code: bool = False


@dataclass(frozen=True)
class EncoderSettings(EncoderModel):
    """Everything that decides a vector, as requested.

    Args: those of `EncoderModel` (the precision is one that the engine supports) and
        dimensions: vectors are cut to their first so many dimensions; None uses all.
        engine: what computes the model; None is `torch`.
    """

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
