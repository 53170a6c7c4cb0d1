"""How long and how fast: the numbers of a training run, one set per budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.base.errors import SettingError

Budget = Literal["smoke", "small", "full"]
BUDGETS: tuple[Budget, ...] = ("smoke", "small", "full")
"""`smoke` takes seconds and proves that a recipe runs; `small` is meant for about 15 minutes on 2 cores; `full` is the
paper's settings, or what comes nearest, and wants a GPU.
"""

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Schedule:
    """The numbers of one training run.

    Args:
        epochs: passes over the examples, where `steps` is not given.
        steps: optimiser steps; None takes `epochs`.
        batch: examples that stand in one loss together.
        accumulate: batches whose gradients are added before a step.
        learning_rate: the peak.
        warmup: share of the steps over which the learning rate rises.
        decay: what follows: `linear` to 0, `cosine`, or `constant`.
        optimiser: `adamw` or `rmsprop`.
        weight_decay: of AdamW.
        max_length: tokens kept of a text while training.
        dropout: probability, in place of the model's own; None leaves that. On a CPU dropout costs more than the matrix
            products (its random numbers are drawn by one thread, and attention loses its fast path), so `small` has
            none.
        precision: of the matrix products: `bf16` autocast, `fp32`, or `auto`: bf16 where the processor has it.
        evaluations: how often the model is measured on dev, at even distances, the last step included.
        patience: evaluations without a better one after which training stops.
        dev_queries: at most so many dev queries.
        dev_pool: at most so many documents are ranked for them.
    """

    epochs: float = 1.0
    steps: int | None = None
    batch: int = 32
    accumulate: int = 1
    learning_rate: float = 2e-5
    warmup: float = 0.1
    decay: Literal["linear", "cosine", "constant"] = "linear"
    optimiser: Literal["adamw", "rmsprop"] = "adamw"
    weight_decay: float = 0.01
    max_length: int = 256
    dropout: float | None = None
    precision: Precision = "auto"
    evaluations: int = 4
    patience: int = 3
    dev_queries: int = 500
    dev_pool: int = 2000

    def check(self, recipe: str) -> None:
        """Raises SettingError where a number is out of range; `recipe` is named in the message."""
        least = {
            "epochs": 0.0,
            "steps": 1,
            "batch": 1,
            "accumulate": 1,
            "max_length": 3,
            "evaluations": 1,
            "patience": 1,
            "learning_rate": 0.0,
            "dev_queries": 1,
            "dev_pool": 10,
        }
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and (value < bound or not math.isfinite(value) or (bound == 0.0 and value == 0)):
                raise SettingError(
                    f"{recipe}: {name} must be {'above 0' if bound == 0.0 else f'{bound} or more'}, not {value}"
                )
        for name in ("warmup", "dropout"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise SettingError(f"{recipe}: {name} must be 0 or more and below 1, not {value}")
        if self.precision not in ("auto", "fp32", "bf16"):
            raise SettingError(f"{recipe}: precision must be auto, fp32 or bf16, not {self.precision!r}")

    def total(self, examples: int) -> int:
        """Optimiser steps over so many examples, rounded up so that the evaluations divide them evenly."""
        steps = self.steps or max(1, math.ceil(self.epochs * examples / (self.batch * self.accumulate)))
        every = self.every(steps)
        return math.ceil(steps / every) * every

    def every(self, steps: int) -> int:
        """Steps between two evaluations."""
        return max(1, math.ceil(steps / self.evaluations))
