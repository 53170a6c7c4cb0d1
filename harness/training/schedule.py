"""The numbers of a training run: steps, batch, learning rate, evaluations; one set for each budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from harness.base.errors import SettingError

Budget = Literal["smoke", "small", "full"]
BUDGETS: tuple[Budget, ...] = ("smoke", "small", "full")
"""`smoke` takes seconds and shows that a recipe runs; `small` reads a bounded number of tokens, about 5 minutes on 2
cores, whatever the size of the collection; `full` is the paper's settings, or the closest to them, and needs a GPU.
"""

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Schedule:
    """The numbers of one training run.

    Args:
        epochs: passes over the examples, if `steps` is None.
        steps: optimiser steps; None computes them from `epochs`.
        tokens: the most tokens that are read in training, whatever `epochs` is; None for no bound. Tokens decide the
            time of a step, so that collections of any size take about the same time.
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
        dev_characters: the most characters of these documents that a model reads, by their mean length, so that a
            measurement takes about the same time on any collection; None for no bound.
    """

    epochs: float = 1.0
    steps: int | None = None
    tokens: int | None = None
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
    dev_characters: int | None = None

    def check(self, recipe: str) -> None:
        """Raises SettingError if a number is out of range; `recipe` is named in the message."""
        least = {
            "epochs": 0.0,
            "steps": 1,
            "tokens": 1,
            "batch": 1,
            "accumulate": 1,
            "max_length": 3,
            "evaluations": 1,
            "patience": 1,
            "learning_rate": 0.0,
            "dev_queries": 1,
            "dev_pool": 10,
            "dev_characters": 1,
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

    def total(self, examples: int, tokens: float = 0.0) -> int:
        """Optimiser steps over a number of examples, rounded up so that the evaluations divide them evenly.

        Args:
            examples: how many there are.
            tokens: of an example, on average; 0 if they are not to bound the steps.
        """
        each = self.batch * self.accumulate
        steps = self.steps or max(1, math.ceil(self.epochs * examples / each))
        if self.tokens is not None and tokens and self.steps is None:
            steps = min(steps, max(1, math.ceil(self.tokens / (each * tokens))))
        every = self.every(steps)
        return math.ceil(steps / every) * every

    def every(self, steps: int) -> int:
        """Steps between two evaluations."""
        return max(1, math.ceil(steps / self.evaluations))


def small(**numbers: Any) -> Schedule:
    """The schedule of `small`: bounds that all recipes share, with the recipe's own numbers.

    Args:
        numbers: of `Schedule`; they replace those that are shared.
    """
    shared = {
        "tokens": 1_200_000,
        "max_length": 256,
        "dropout": 0.0,
        "evaluations": 4,
        "patience": 2,
        "dev_queries": 300,
        "dev_pool": 10_000,
        "dev_characters": 800_000,
    }
    return Schedule(**{**shared, **numbers})
