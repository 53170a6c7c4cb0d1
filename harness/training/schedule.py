"""The numbers of a training run: steps, batch, learning rate, evaluations; one set for each budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.base.errors import SettingError

Budget = Literal["smoke", "small", "full"]
BUDGETS: tuple[Budget, ...] = ("smoke", "small", "full")
"""`smoke` takes seconds and shows that a recipe runs; `small` is meant for at most 15 minutes on 2 cores; `full` is the
paper's settings, or the closest to them, and needs a GPU.
"""

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Schedule:
    """The numbers of one training run.

    Args:
        epochs: passes over the examples, if `steps` is None.
        steps: optimiser steps; None computes them from `epochs`.
        batch: examples in one loss.
        accumulate: batches whose gradients are added before a step.
        learning_rate: its maximum.
        warmup: share of the steps over which the learning rate rises.
        decay: after the warm-up: `linear` to 0, `cosine`, or `constant`.
        optimiser: `adamw` or `rmsprop`.
        weight_decay: of AdamW.
        max_length: tokens; texts are cut to it during training.
        dropout: probability; None takes the model's own. On a CPU dropout costs more than the matrix products (one
            thread draws its random numbers, and batches are padded), so `small` has none.
        precision: of the matrix products: `bf16` autocast, `fp32`, or `auto`: bf16 if the processor has it.
        evaluations: measurements on dev, at even distances, one of them after the last step.
        patience: evaluations without an improvement after which training stops.
        dev_queries: the most dev queries that are used.
        dev_pool: the most documents that are ranked for them.
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
        """Raises SettingError if a number is out of range; `recipe` is named in the message."""
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
        """Optimiser steps over a number of examples, rounded up so that the evaluations divide them evenly."""
        steps = self.steps or max(1, math.ceil(self.epochs * examples / (self.batch * self.accumulate)))
        every = self.every(steps)
        return math.ceil(steps / every) * every

    def every(self, steps: int) -> int:
        """Steps between two evaluations."""
        return max(1, math.ceil(steps / self.evaluations))
