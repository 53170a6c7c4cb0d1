"""A row's scores without the test queries that training has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from harness.bench.document_split import split_entry
from harness.bench.record import Record
from harness.data.dataset import Dataset
from harness.data.measures import PerQuery
from harness.leaks.overlap import leaks
from harness.runtime.context import Context


def leaked(dataset: Dataset, values: PerQuery, context: Context) -> dict[str, Any]:
    """JSON-safe: `queries` and `documents`, each with a count and the means `without` and `only` those queries, and
    `split`, the test queries about old and about new documents (`harness.bench.document_split`).

    Empty if the collection has no training and no dev queries.
    """
    if not dataset.train.labelled:
        return {}
    found = leaks(dataset, context)
    kinds = Counter(kind for _, kind, _ in found.queries.values())
    return {
        "queries": {
            "count": len(found.queries),
            "kinds": dict(sorted(kinds.items())),
            **split_means(values, found.queries.keys()),
        },
        "documents": {"count": len(found.documents), **split_means(values, found.documents)},
        "split": split_entry(found, values),
    }


def split_means(values: PerQuery, which: Collection[str]) -> dict[str, Any]:
    """The means `without` these queries and over them `only`; None if none is left."""
    inside = set(which)

    def mean(of: list[float]) -> float | None:
        return round(sum(of) / len(of), 6) if of else None

    return {
        "without": {m: mean([v for q, v in by_query.items() if q not in inside]) for m, by_query in values.items()},
        "only": {m: mean([v for q, v in by_query.items() if q in inside]) for m, by_query in values.items()},
    }


def leak_notes(seen: dict[str, Any]) -> list[str]:
    """Notes on leaks for readers of the record, by the first measure; none if nothing is shared."""
    notes = []
    if "queries" in seen and (count := seen["queries"]["count"]):
        kinds = ", ".join(f"{n} {kind}" for kind, n in seen["queries"]["kinds"].items())
        which = f"{queries(count, 'also occurs', 'also occur')} in train or dev ({kinds})"
        notes.append(f"{which}{without(seen['queries'])}")
    if "documents" in seen and (count := seen["documents"]["count"]):
        which = f"{queries(count, 'shares', 'share')} a relevant document with a train or dev query"
        notes.append(f"{which}{_split(seen['documents'])}")
    return notes


def queries(count: int, one: str, several: str) -> str:
    """`2 test queries occur`, the begin of a sentence."""
    return f"1 test query {one}" if count == 1 else f"{count:,} test queries {several}"


def without(part: dict[str, Any]) -> str:
    """The first measure without them, the end of a sentence."""
    measure, value = next(iter(part["without"].items()))
    return f"; without them {measure} is {value:.4f}" if value is not None else ", which is all of them"


def _split(part: dict[str, Any]) -> str:
    measure, value = next(iter(part["only"].items()))
    rest = part["without"][measure]
    others = f"{rest:.4f} on the others" if rest is not None else "and there are no others"
    return f": {measure} is {value:.4f} there, {others}"


@dataclass(frozen=True)
class Shared:
    """Test queries of which training has seen something, and a row without them.

    Args:
        count: how many.
        without: the mean of a measure over the others, and over the seeds.
        sentence: the beginning of one about them.
    """

    count: int
    without: float
    sentence: str


def shared(records: Sequence[Record], measure: str) -> dict[str, Shared]:
    """The leaks in a row's records: `queries` and `documents` of train and dev, `taught` of its own training only.

    A kind is absent if nothing is shared, nothing is left without it, or a record does not have the measure.
    """
    found = {}
    labelled = min(r.leaks.get("queries", {}).get("count", 0) for r in records)
    for kind, (one, several) in _KINDS.items():
        parts = [
            (r.leaks.get("taught", {}).get("queries", {}) if kind == "taught" else r.leaks.get(kind, {}))
            for r in records
        ]
        means = [part.get("without", {}).get(measure) for part in parts]
        count = max((part.get("count", 0) for part in parts), default=0)
        if not count or any(mean is None for mean in means) or (kind == "taught" and count <= labelled):
            continue
        found[kind] = Shared(count, sum(means) / len(means), queries(count, one, several))
    return found


_KINDS = {
    "queries": ("also occurs in train or dev", "also occur in train or dev"),
    "documents": (
        "shares a relevant document with a train or dev query",
        "share a relevant document with a train or dev query",
    ),
    "taught": ("occurs in its training data", "occur in its training data"),
}
