"""A lesson: what a recipe hands to the loop, and the report that comes back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.base.errors import ModelError
from harness.base.json_files import read_json
from harness.leaks.history import Taught
from harness.models.encoder import Side
from harness.training.examples import QUERY
from harness.training.schedule import Schedule

if TYPE_CHECKING:
    import torch

REPORT = "training.json"


@dataclass(frozen=True)
class Lesson:
    """Examples, a loss and a schedule.

    Args:
        columns: name → one text (or a list of texts) per example, N of each, in the order the loss takes them.
        loss: model → a sentence-transformers loss.
        schedule: how long and how fast.
        labels: one number, or list of numbers, per example; None where the loss takes none.
        sides: column → the prompt it gets, for encoders.
        order: how batches are drawn: `distinct` at random without the same text twice in one (the same document twice
            would be its own false negative), `random`, or as `given`.
        prompts: in place of the model's own; kept with the trained model.
        before: changes the model before the first step.
        after: changes it after the last, for example picks one of two towers; is given the loss and the probe of dev,
            and answers what is to stand among the facts.
        facts: what was measured while the examples were made; JSON-safe, for the record.
        notes: what a reader of the results must know.
        taught: the queries in it, with where they come from and the documents they are learnt with, so that those which
            test has too are found; none where it holds texts of the corpus alone. None takes the columns that are
            queries.
    """

    columns: Mapping[str, Sequence[Any]]
    loss: Callable[[Any], torch.nn.Module]
    schedule: Schedule
    labels: Sequence[Any] | None = None
    sides: Mapping[str, Side] = field(default_factory=dict)
    order: Literal["distinct", "random", "given"] = "distinct"
    prompts: Mapping[Side, str] | None = None
    before: Callable[[Any], None] | None = None
    after: Callable[[Any, Any, Callable[[Any], float] | None], Mapping[str, Any]] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    taught: Sequence[Taught] | None = None

    def __post_init__(self) -> None:
        sizes = {name: len(column) for name, column in self.columns.items()}
        if self.labels is not None:
            sizes["labels"] = len(self.labels)
        if len(set(sizes.values())) != 1:
            raise ValueError(f"columns of a lesson must be of one length, not {sizes}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def learnt(self) -> list[Taught]:
        """The queries in it; where the recipe does not say, every text that is given as a query."""
        if self.taught is not None:
            return list(self.taught)
        asking = [column for name, column in self.columns.items() if name == QUERY or self.sides.get(name) == "query"]
        return [
            Taught("other", text)
            for text in dict.fromkeys(t for column in asking for t in column if isinstance(t, str))
        ]


@dataclass(frozen=True)
class Report:
    """What training did; JSON-safe, kept beside the model and part of every record that uses it.

    Args:
        examples: how many.
        steps: optimiser steps done.
        epochs: passes over the examples, by what the batches held: without the same text twice they may hold less than
            asked.
        seconds: wall time of the loop, all its runs together when it was killed in between.
        preparation: seconds that mining, questions, labels and the training of teachers take without a cache.
        schedule: every number of it.
        precision: as it turned out: `fp32` or `bf16`.
        device: where.
        loss: (step, mean loss since the step before) pairs.
        dev: (step, nDCG@10 on the dev pool) pairs; step 0 is the model before training. Empty without dev queries.
        chosen: the step whose weights were kept.
        dev_pool: queries and documents that dev is measured on; None without.
        facts: of the lesson.
        notes: of the lesson and the loop.
        supervision: which labels were used, for training or for choosing the checkpoint.
    """

    examples: int
    steps: int
    epochs: float
    seconds: float
    schedule: Mapping[str, Any]
    precision: str
    device: str
    preparation: float = 0.0
    loss: tuple[tuple[int, float], ...] = ()
    dev: tuple[tuple[int, float], ...] = ()
    chosen: int = 0
    dev_pool: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    supervision: str = "none"

    def write(self, folder: Path) -> None:
        """Writes it beside the model."""
        text = json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True, allow_nan=False)
        (folder / REPORT).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Report:
        """Reads it back.

        Raises:
            ModelError: the folder holds none that can be read.
        """
        try:
            held = read_json(folder / REPORT)
            pairs = {name: tuple((int(s), float(v)) for s, v in held.pop(name)) for name in ("loss", "dev")}
            return cls(**{**held, **pairs, "notes": tuple(held["notes"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{folder / REPORT} cannot be read ({error}); remove {folder} and train again.") from error
