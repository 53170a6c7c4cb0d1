"""Engines compute a model's output: batches of token numbers → one vector or score for each text or pair.

To add one: a file here with one frozen dataclass that derives from `Engine`, and `tests/engines/test_<file>.py`; the
contract tests find it. `torch` is the reference: before another engine's output is scored, the engine check
(`harness.models.engine_check`) compares it with that of fp32 `torch` on the collection's own texts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from harness.base.errors import ModelError
from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.ranking import Floats

PRECISIONS = ("fp32", "bf16", "fp16", "int8")
"""Precision of the products; `int8` are weights of eight bits with products in the processor's fastest precision."""


class Unfit(ModelError):
    """An engine cannot run a model, or not on this machine; says why."""


@dataclass(frozen=True)
class Batch:
    """Some texts as numbers, padded to one length.

    Args:
        arrays: name → (n, L) integers, as `input_ids` and `attention_mask`.
        extras: other arguments of the model's modules, as `prompt_length`; the same for all texts.
    """

    arrays: Mapping[str, npt.NDArray[np.int64]]
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """A model as an engine receives it.

    Args:
        name: for messages.
        load: precision of the weights, `fp32`, `bf16` or `fp16` → the sentence-transformers model, in evaluation mode.
        output: which of its features is the output.
        normalise: whether output vectors are scaled to length 1.
        example: two texts of different lengths; None if the model does not read plain token numbers.
        keep: what an engine makes of the model, kept in the cache: all that decides it besides model and engine, and
            how to write it into a folder → that folder; None keeps nothing.
    """

    name: str
    load: Callable[[str], Any]
    output: Literal["sentence_embedding", "scores"]
    normalise: bool
    example: Batch | None
    keep: Callable[[Mapping[str, Any], Callable[[Path], None]], Path] | None = None


class Running(Protocol):
    """A started engine."""

    @property
    def tokens(self) -> int:
        """Suitable number of tokens of a batch, padding included."""
        ...

    @property
    def multiple(self) -> int:
        """Each text of a batch is padded to a multiple of this number of tokens, if the model has positions for it."""
        ...

    def __call__(self, batch: Batch) -> Floats:
        """(n, D) float32 output: vectors, or with D = 1 scores.

        Raises:
            RuntimeError: out of memory.
        """
        ...


class Engine(Value, ABC):
    """A way to compute the output of a model."""

    room: ClassVar[str] = "harness.engines"
    precisions: ClassVar[tuple[str, ...]]
    """Those that it supports."""

    @abstractmethod
    def speeds(self, device: str) -> Mapping[str, float]:
        """Precision → expected speed, of those that this machine has; fp32 `torch` on the same device is 1.

        `precision="auto"` tries the fastest first, int8 excepted; the engine check decides which of them are right.
        """

    @abstractmethod
    def start(self, network: Network, precision: str) -> Running:
        """The engine, started with the model.

        Raises:
            Unfit: it cannot run this model.
            Unavailable: a library is absent.
        """

    def versions(self, precision: str) -> dict[str, str]:
        """Library → version, of those that decide the output at a precision and that records do not name anyway.

        Raises:
            Unavailable: a library is absent.
        """
        return {}


ENGINES: Room[Engine] = Room(__name__, Engine, "engine")  # type: ignore[type-abstract]
