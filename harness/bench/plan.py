"""The plan: which steps the rows need on a dataset, each once, and which rows share it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.base.limits import checked_depth
from harness.methods import Method
from harness.rows import row_name

Kind = Literal["load", "fit", "index", "search", "measure"]


@dataclass
class PlannedStep:
    """A step and the rows that need it.

    Args:
        kind: of the step.
        dataset: name of the collection.
        method: that does it; None for `load`.
        depth: of a search, the deepest that any row needs.
        rows: that need it.
    """

    kind: Kind
    dataset: str
    method: Method | None = None
    depth: int = 0
    rows: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        what = f"{self.kind} {self.method or self.dataset}" + (
            f" to depth {self.depth}" if self.kind == "search" else ""
        )
        return f"{what}  ← {', '.join(self.rows)}"


@dataclass(frozen=True)
class Plan:
    """The steps in the order they are done: a dataset is finished before the next is loaded."""

    steps: tuple[PlannedStep, ...]

    def of(self, dataset: str, row: str) -> Iterator[PlannedStep]:
        """The steps one row needs."""
        return (step for step in self.steps if step.dataset == dataset and row in step.rows)

    def depth(self, dataset: str) -> int:
        """The deepest search on a dataset."""
        return max((step.depth for step in self.steps if step.dataset == dataset), default=0)


def plan(methods: Sequence[Method], datasets: Sequence[str], depth: int) -> Plan:
    """Plans rows × datasets.

    Args:
        methods: the rows, in the order of the work.
        datasets: names of the collections.
        depth: of the reported runs.

    Raises:
        SettingError: a depth below 1, or one that no record holds.
    """
    checked_depth(depth)
    steps: dict[tuple[str, str, str], PlannedStep] = {}

    def add(kind: Kind, dataset: str, row: str, method: Method | None = None, depth: int = 0) -> None:
        key = (dataset, kind, method.full() if method else "")
        step = steps.setdefault(key, PlannedStep(kind, dataset, method))
        step.depth = max(step.depth, depth)
        if row not in step.rows:
            step.rows.append(row)

    def need(method: Method, dataset: str, row: str, depth: int) -> None:
        for part in method.nested():
            need(part, dataset, row, method.depth_of(part, depth))
        add("fit", dataset, row, method)
        if depth:  # a scorer of candidates is fitted and neither indexed nor searched
            add("index", dataset, row, method)
            add("search", dataset, row, method, depth)

    for dataset in datasets:
        for method in methods:
            row = row_name(method)
            add("load", dataset, row)
            need(method, dataset, row, depth)
            add("measure", dataset, row, method)
    return Plan(tuple(steps.values()))
