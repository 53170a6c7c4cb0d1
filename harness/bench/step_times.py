"""What the steps of a row took and noted, for its record."""

from __future__ import annotations

from typing import Any

from harness.data.dataset import Dataset
from harness.runtime.ledger import Step, costs


def throughput(spent: dict[str, float], dataset: Dataset) -> dict[str, float]:
    """Documents and queries of a dataset by the seconds that a row takes for them (`row_seconds`).

    With folds there is no rate of documents: parts of a row are fitted and indexed once, others once for each fold.
    """
    done = {
        "documents_per_second": (len(dataset.corpus), spent["fit"] + spent["index"]),
        "queries_per_second": (len(dataset.test.queries), spent["search"]),
    }
    if dataset.train.folds is not None:
        del done["documents_per_second"]
    return {name: round(number / seconds, 2) for name, (number, seconds) in done.items() if seconds >= 0.001}


def phase(step: Step) -> dict[str, Any]:
    """A step as a record has it, JSON-safe."""
    return {
        "kind": step.kind,
        "label": step.label,
        "seconds": round(step.seconds, 3),
        "cached_seconds": round(costs([step])[0] - step.seconds, 3),
        "peak_mb": round(step.peak_mb, 1),
        "counts": dict(step.counts),
    }


def row_seconds(row: Step) -> dict[str, float]:
    """Seconds per kind at what things cost without a cache; loading a model counts as `model`, wherever it happened.

    A search that only the fitting needed (of dev queries, say) counts as fitting.
    """
    seconds = dict.fromkeys(("model", "fit", "index", "search"), 0.0)
    counted: set[str] = {step.key for step in row.inner}
    kinds: list[str] = []
    steps: list[Step] = []
    for outer in row.inner:
        for step in outer.all():
            if step is outer or step.key not in counted:
                counted.add(step.key)
                kinds.append(step.kind if step.kind == "model" else outer.kind)
                steps.append(step)
    for kind, cost in zip(kinds, costs(steps), strict=True):
        seconds[kind] = seconds.get(kind, 0.0) + cost
    return {kind: round(value, 3) for kind, value in seconds.items()}


def step_notes(row: Step) -> list[str]:
    """What the steps have noted, each once."""
    return list(dict.fromkeys(note for step in row.all() for note in step.notes))
