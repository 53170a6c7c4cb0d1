"""The forms of what lies in a results folder, checked whenever it is read: a wrong value must not reach the boards.

They name what the harness computes with or prints as a number; other keys are allowed, so that records of earlier and
later versions can be read. Numbers are finite in any case (`harness.base.json_files`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta

from harness.choices.aliases import LONGEST as LONGEST_ALIAS

Amount = Annotated[float, Meta(ge=0)]
"""Seconds, bytes, milliseconds."""
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Means = dict[str, float | None]


class LabelsForm(TypedDict):
    """Of `labels` in `Record.dataset`."""

    pairs: dict[str, Count]
    judges: dict[str, str]
    people_queries: Count
    qrels: str


class DatasetForm(TypedDict):
    """Of `Record.dataset`."""

    name: str
    revision: str
    documents: Count
    queries: Count
    judgements: Count
    unreachable: Count
    notes: list[str]
    licence: NotRequired[str | None]
    labels: NotRequired[LabelsForm]


class LatencyForm(TypedDict, total=False):
    """Of `Record.latency`."""

    p50_ms: Amount | None
    p95_ms: Amount | None
    busy: bool
    spread: Amount
    others: Amount
    cores: Amount
    waited: Amount


class UnjudgedForm(TypedDict):
    """Of one measure in `Record.unjudged`."""

    judged: Share
    all_relevant: float


class LeakForm(TypedDict, total=False):
    """Of one kind in `Record.leaks`."""

    count: Count
    without: Means
    only: Means


class TaughtForm(TypedDict, total=False):
    """Of `taught` in `Record.leaks`."""

    queries: LeakForm
    pairs: LeakForm


class PartForm(TypedDict):
    """Of one part of `split` in `Record.leaks`."""

    count: Count
    means: dict[str, float]


class SplitForm(TypedDict):
    """Of `split` in `Record.leaks`."""

    old: PartForm
    new: PartForm
    listed: Literal["old", "new"]
    ids: list[str]


class LeaksForm(TypedDict, total=False):
    """Of `Record.leaks`."""

    queries: LeakForm
    documents: LeakForm
    taught: TaughtForm
    split: SplitForm


class MachineForm(TypedDict, total=False):
    """Of `machine` in `Record.provenance`."""

    cores: int | str | None
    processor: str | None


class ProvenanceForm(TypedDict, total=False):
    """Of `Record.provenance`."""

    commit: str | None
    dirty: bool | None
    code: str | None
    packages: dict[str, str] | None
    python: str | None
    machine: MachineForm | None
    device: str | None


class AcceptedForm(TypedDict, total=False):
    """Of one change in `Record.accepted`."""

    why: str
    changed: list[str]
    measures: dict[str, float]


class RecordForm(TypedDict, total=False):
    """Of a record; which keys must be there `Record` itself says."""

    row: str
    alias: Annotated[str, Meta(max_length=LONGEST_ALIAS)]
    method: str
    dataset: DatasetForm
    status: Literal["ok", "skipped", "error"]
    identity: str
    seed: Count
    depth: Count
    supervision: str
    resolved: dict[str, Any]
    measures: dict[str, float]
    phases: list[dict[str, Any]]
    seconds: dict[str, Amount]
    throughput: dict[str, Amount]
    size: dict[str, Amount]
    latency: LatencyForm | None
    leaks: LeaksForm
    unjudged: dict[str, UnjudgedForm]
    accepted: list[AcceptedForm]
    notes: list[str]
    run_sha256: str
    provenance: ProvenanceForm
    started: str
    problem: dict[str, str | None] | None
    schema: int


class TrainingForm(TypedDict, total=False):
    """Of one training in `Record.resolved`, as `training.json` has it."""

    recipe: str | None
    seconds: Amount
    preparation: Amount


class FiguresForm(TypedDict):
    """Of a file in `<results>/published`; `Published` checks the scores, and says how to correct them."""

    title: str
    source: str
    figures: dict[str, dict[str, Any]]
    note: NotRequired[str | None]


class OutcomeForm(TypedDict, total=False):
    """Of an outcome on dev of a sweep; which keys must be there `harness.sweep.cells` says."""

    schema: int
    key: str
    mean: float
    values: dict[str, float]
    seconds: Amount
