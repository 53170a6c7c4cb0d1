"""A lesson: the examples, loss and schedule that a recipe gives to the training loop, and the report of the loop."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.base.errors import ModelError
from harness.base.json_files import read_json
from harness.leaks.history import TrainedQuery
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
        order: how batches are drawn: `distinct` at random, no text twice in a batch (the same document twice would be
            its own false negative), `random`, or as `given`.
        learning_rates: pattern (a regular expression) → the peak for the weights of the loss whose names it matches, in
            place of the schedule's.
        prompts: in place of the model's own; stored with the trained model.
        before: changes the model before the first step.
        after: changes it after the last, for example picks one of two towers; gets the loss and the probe of dev, and
            returns facts; those called `notes` are added to the notes, and `dev` is the score on dev of the model as it
            is now, if its weights are no longer those that were measured.
        facts: what was measured while the examples were made; JSON-safe, for the record.
        notes: what a reader of the results must know.
        relevant: text of a query → texts of all documents judged relevant to it, where these are several: an example of
            the query is in no batch with one of them, unless it is its own. Set by `harness.training.fine_tuning`.
        per_pass: examples of one pass, where the columns hold several passes, one after the other and in the order of
            training (`order="given"`), each with other negatives. None: all are one pass.
        trained_queries: the queries in it, with their origin and their documents, to find those that are also in test;
            empty if there are only texts of the corpus. None takes the columns that are queries.
    """

    columns: Mapping[str, Sequence[Any]]
    loss: Callable[[Any], torch.nn.Module]
    schedule: Schedule
    labels: Sequence[Any] | None = None
    sides: Mapping[str, Side] = field(default_factory=dict)
    order: Literal["distinct", "random", "given"] = "distinct"
    learning_rates: Mapping[str, float] = field(default_factory=dict)
    prompts: Mapping[Side, str] | None = None
    before: Callable[[Any], None] | None = None
    after: Callable[[Any, Any, Callable[[Any], float] | None], Mapping[str, Any]] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    relevant: Mapping[str, frozenset[str]] = field(default_factory=dict)
    per_pass: int | None = None
    trained_queries: Sequence[TrainedQuery] | None = None

    def __post_init__(self) -> None:
        sizes = {name: len(column) for name, column in self.columns.items()}
        if self.labels is not None:
            sizes["labels"] = len(self.labels)
        if len(set(sizes.values())) != 1:
            raise ValueError(f"columns of a lesson must be of one length, not {sizes}")

    def __len__(self) -> int:
        return self.per_pass or self.rows

    @property
    def rows(self) -> int:
        """Examples of all passes together."""
        return len(next(iter(self.columns.values())))

    def queries(self) -> list[TrainedQuery]:
        """The queries in it: those that the recipe declares, otherwise every text of a column of queries."""
        if self.trained_queries is not None:
            return list(self.trained_queries)
        texts: dict[str, None] = {}
        for name, column in self.columns.items():
            if name == QUERY or self.sides.get(name) == "query":
                texts.update(dict.fromkeys(text for text in column if isinstance(text, str)))
        return [TrainedQuery("other", text) for text in texts]


@dataclass(frozen=True)
class Report:
    """Report of a training; JSON-safe, stored next to the model and in every record that uses it.

    Args:
        examples: how many.
        steps: optimiser steps done.
        epochs: passes over the examples, by the sizes of the batches: without the same text twice they may be smaller
            than requested.
        seconds: wall time of the loop, all its runs together if it was killed in between.
        preparation: seconds that mining, questions, labels and the training of teachers take without a cache.
        schedule: every number of it.
        precision: the one used, `fp32` or `bf16`.
        device: cpu, cuda or mps.
        loss: (step, mean loss since the step before) pairs.
        dev: (step, nDCG@10 on the dev pool) pairs; step 0 is the model before training. Empty without dev queries.
        chosen: the step whose weights were saved; 0 if the model before training was at least as good on dev.
        average: share of the chosen step's weights in the saved ones; the rest are those before training.
        dev_pool: numbers of queries and documents in the dev pool; None without.
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
    average: float = 1.0
    dev_pool: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    supervision: str = "none"

    def write(self, folder: Path) -> None:
        """Writes it next to the model."""
        text = json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True, allow_nan=False)
        (folder / REPORT).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Report:
        """Reads it back.

        Raises:
            ModelError: the folder holds none that can be read.
        """
        try:
            stored = read_json(folder / REPORT)
            for curve in ("loss", "dev"):
                stored[curve] = tuple((int(step), float(value)) for step, value in stored[curve])
            return cls(**{**stored, "notes": tuple(stored["notes"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{folder / REPORT} cannot be read ({error}); remove {folder} and train again.") from error
