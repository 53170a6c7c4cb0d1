"""How long a training takes: from the tokens that it reads, and how long trainings of its kind took on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypedDict

from harness.base.doing import doing
from harness.base.files import write_text
from harness.base.json_files import read_json
from harness.cache.folders import Cache
from harness.runtime.context import Context
from harness.runtime.progress import Advance
from harness.training.schedule import Schedule

FOLDER: Final = "paces"
"""Of the cache: a file for each kind of training, with the seconds of a token."""
FIRST: Final = 5
"""Steps after which the time of a training is estimated that is the first of its kind; its first step does not count,
in which memory is allocated.
"""


class _Form(TypedDict):
    kind: dict[str, Any]
    seconds_a_token: float


@dataclass(frozen=True)
class TrainingKind:
    """Trainings that take about the same time for each token, evaluations on dev included.

    Args:
        recipe: its name.
        parameters: of the model.
        device: cpu, cuda or mps.
        bf16: whether it uses bf16 autocast.
        threads: that torch computes with.
        batch: examples of one loss.
        max_length: tokens kept of a text.
        evaluations: on dev.
    """

    recipe: str
    parameters: int
    device: str
    bf16: bool
    threads: int
    batch: int
    max_length: int
    evaluations: int

    @classmethod
    def of(cls, recipe: str, model: Any, schedule: Schedule, *, bf16: bool) -> TrainingKind:
        """The kind of a training.

        Args:
            recipe: its name.
            model: of sentence-transformers.
            schedule: of the training.
            bf16: whether it uses bf16 autocast.
        """
        import torch

        parameters = sum(weight.numel() for weight in model.parameters())
        sizes = (schedule.batch, schedule.max_length, schedule.evaluations)
        return cls(recipe, parameters, model.device.type, bf16, torch.get_num_threads(), *sizes)

    def file(self, cache: Cache) -> Path:
        """Where its time is stored."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return cache.root / FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


@dataclass(frozen=True)
class Pace:
    """The pace of one training.

    Args:
        kind: what it is like.
        tokens: that a step reads.
        context: its cache stores the times.
    """

    kind: TrainingKind
    tokens: float
    context: Context

    def seconds(self, steps: int) -> float | None:
        """Of so many steps; None if no training of the kind was measured here."""
        for _, rate in _stored(self.kind.file(self.context.cache)):
            return rate * self.tokens * steps
        return None

    def label(self, steps: int) -> str:
        """What the progress line calls the training, with the time that it will take, if known."""
        seconds = self.seconds(steps)
        return f"train {self.kind.recipe}" + ("" if seconds is None else f" (about {duration(seconds)})")

    def timed(self, advance: Advance, steps: int) -> Advance:
        """The same progress, which reports how long the training takes once its first steps are done, if unknown."""
        if self.seconds(steps) is not None:
            return advance
        times: list[float] = []

        def timed(n: int = 1, note: str | None = None) -> None:
            if n == 1 and len(times) <= FIRST:
                times.append(time.perf_counter())
                if len(times) == FIRST + 1:
                    each = (times[-1] - times[0]) / FIRST
                    doing(f"train {self.kind.recipe} (about {duration(each * steps)}, without dev)")
            advance(n, note)

        return timed

    def remember(self, steps: int, seconds: float) -> None:
        """Stores how long the steps of a finished training took."""
        if steps > FIRST and self.tokens and seconds > 0:
            kind = dataclasses.asdict(self.kind)
            text = json.dumps({"kind": kind, "seconds_a_token": seconds / (steps * self.tokens)}, sort_keys=True)
            with contextlib.suppress(OSError):  # a full disk costs an estimate
                write_text(self.kind.file(self.context.cache), text, durable=False)


def expected(recipe: str, schedule: Schedule, cache: Cache) -> float | None:
    """Seconds of a training whose tokens are bounded by its schedule: at most so many, by the median of what trainings
    of the recipe with such a schedule took here; None if the schedule has no bound, or no training was measured.

    Args:
        recipe: its name.
        schedule: of the training.
        cache: stores the times.
    """
    if schedule.tokens is None or schedule.steps is not None:
        return None
    alike = {"recipe": recipe, "batch": schedule.batch, "max_length": schedule.max_length}
    rates = [
        rate
        for file in sorted((cache.root / FOLDER).glob("*.json"))
        for kind, rate in _stored(file)
        if alike.items() <= kind.items()
    ]
    return statistics.median(rates) * schedule.tokens if rates else None


def duration(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _stored(file: Path) -> Iterator[tuple[dict[str, Any], float]]:
    """The kind and the seconds of a token in a file, if it can be read."""
    with contextlib.suppress(OSError, ValueError):
        stored = read_json(file, _Form)
        if stored["seconds_a_token"] > 0:
            yield stored["kind"], stored["seconds_a_token"]
