"""Engines: what multiplies a model's matrices. Batches of token numbers → one answer for each text, or each pair.

To add one: a file here with one frozen dataclass that derives from `Engine`, and `tests/engines/test_<file>.py`; the
contract tests find it. `torch` is the measure of all others: nothing another engine answers reaches a figure before the
engine check (`harness.models.engine_check`) has compared it with fp32 `torch` on the collection's own texts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from harness.base.errors import ModelError
from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.ranking import Floats

PRECISIONS = ("fp32", "bf16", "fp16", "int8")
"""In which products are computed; `int8` are weights of eight bits, products in what the processor does fastest."""


class Unfit(ModelError):
    """An engine cannot take a model, or not on this machine; says why."""


@dataclass(frozen=True)
class Batch:
    """Some texts as numbers, padded to one length.

    Args:
        arrays: name → (n, L) integers, as `input_ids` and `attention_mask`.
        extras: what the modules of the model are told besides, as `prompt_length`; the same for all texts.
    """

    arrays: Mapping[str, npt.NDArray[np.int64]]
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """A model as an engine is given it.

    Args:
        name: for messages.
        load: precision of the weights, `fp32`, `bf16` or `fp16` → the sentence-transformers model, in evaluation mode.
        output: what of its features is the answer.
        normalise: whether an answer gets the length 1.
        example: two texts of different lengths; None where the model does not read plain token numbers.
    """

    name: str
    load: Callable[[str], Any]
    output: Literal["sentence_embedding", "scores"]
    normalise: bool
    example: Batch | None


class Running(Protocol):
    """A started engine."""

    @property
    def tokens(self) -> int:
        """Tokens of a batch that suit it, padding included."""
        ...

    def __call__(self, batch: Batch) -> Floats:
        """(n, D) float32 answers: vectors, or with D = 1 scores.

        Raises:
            RuntimeError: out of memory.
        """
        ...


class Engine(Value, ABC):
    """A way of computing what a model answers."""

    room: ClassVar[str] = "harness.engines"
    precisions: ClassVar[tuple[str, ...]]
    """Those it knows."""

    @abstractmethod
    def speeds(self, device: str) -> Mapping[str, float]:
        """Precision → how fast it may be expected to be, of those that this machine has; fp32 `torch` on the same
        device is 1.

        `precision="auto"` tries the fastest first. Which of them is right is the probe's to say, not theirs.
        """

    @abstractmethod
    def start(self, network: Network, precision: str) -> Running:
        """The engine with the model in it.

        Raises:
            Unfit: it cannot take this model.
            Unavailable: a library is absent.
        """

    def versions(self) -> dict[str, str]:
        """Library → version, of those that decide an answer and that a record does not name in any case.

        Raises:
            Unavailable: it is absent.
        """
        return {}


ENGINES: Room[Engine] = Room(__name__, Engine, "engine")  # type: ignore[type-abstract]
