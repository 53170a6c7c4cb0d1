"""Parts of a row's record: without scores, with what was fitted, and with what training has seen of test."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from harness.bench.hosted_cost import HostedCost
from harness.bench.identity import code_of_row
from harness.bench.judged_by import judged_by
from harness.bench.leak_effect import leak_notes, leaked
from harness.bench.leak_history import taught_leaks, taught_notes
from harness.bench.provenance import provenance
from harness.bench.record import Record
from harness.collection.groups import document_groups
from harness.data.dataset import Dataset
from harness.data.measures import PerQuery
from harness.methods import NO_LABELS, Fitted, FoldedFitted, Method, SearchReport
from harness.rows import row_name
from harness.runtime.context import Context


def blank_record(dataset: Dataset, method: Method, context: Context, depth: int) -> Record:
    """A record without scores.

    Args:
        dataset: of the row.
        method: the row.
        context: seed and device.
        depth: of the run.
    """
    judged = judged_by(dataset, context)
    return Record(
        row=row_name(method),
        method=method.full(),
        dataset={
            "name": dataset.name,
            "revision": dataset.revision,
            "documents": len(dataset.corpus),
            "queries": len(dataset.test.queries),
            "judgements": sum(len(grades) for grades in dataset.test.qrels.values()),
            "unreachable": dataset.unreachable,
            "notes": [*dataset.notes, *([judged.note] if judged.note else [])],
            "licence": dataset.licence,
            **({} if judged.summary is None else {"labels": judged.summary}),
        },
        seed=context.seed,
        depth=depth,
        provenance=provenance(context.device, code_of_row(method)),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def with_view(blank: Record, dataset: Dataset, identity: str, context: Context) -> Record:
    """A record with the identity of its row, with notes on what training and tuning may see, and with its folds and
    the groups of its queries that share relevant documents (without those of a single query).
    """
    view = dataset.train
    about = {**blank.dataset, "notes": [*blank.dataset["notes"], *view.notes]}
    if view.folds is not None:
        together = [list(group) for group in document_groups(dataset.test, context) if len(group) > 1]
        about["folds"] = {**view.folds.describe(), "together": together}
    return dataclasses.replace(blank, identity=identity, dataset=about)


def with_fit(
    blank: Record, fitted: Fitted, searched: SearchReport, costs: Sequence[HostedCost], notes: Sequence[str]
) -> Record:
    """A record with what the fitted method and its searches resolved, their size and notes, and what hosted encoders
    cost.
    """
    resolved = {**fitted.resolved, **searched.resolved}
    if costs:
        resolved["embedding_cost"] = [cost.details() for cost in costs]
    return dataclasses.replace(
        blank,
        supervision=fitted.supervision,
        resolved=resolved,
        notes=[*fitted.notes, *(cost.note() for cost in costs), *notes],
        size=dataclasses.asdict(searched.size),
    )


def leaks_of(fitted: Fitted, dataset: Dataset, values: PerQuery, context: Context) -> tuple[dict[str, Any], list[str]]:
    """What training has seen of test, for the record, and notes of it."""
    leaks = leaked(dataset, values, context)
    notes = leak_notes(leaks) if fitted.supervision != NO_LABELS else []
    systems = fitted.fitted if isinstance(fitted, FoldedFitted) else [fitted] * len(dataset.parts)
    trained = [(part, system.models) for part, system in zip(dataset.parts, systems, strict=True)]
    if taught := taught_leaks(trained, values, context):
        leaks = {**leaks, "taught": taught}
        notes = [*notes, *taught_notes(leaks)]
    return leaks, notes
