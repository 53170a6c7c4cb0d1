"""The estimate of a claim's contrast, from records: on each collection and over all."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.base.errors import HarnessError
from harness.bench.document_split import common_split
from harness.bench.store import Store, StoredRecord
from harness.claims.claim import Claim
from harness.claims.judge import Verdict, verdict
from harness.compare.evidence import Scores, scores
from harness.compare.groups import groups_of_rows, seed_error, units
from harness.rows import parse_method, row_name
from harness.statistics.family import Difference, family
from harness.statistics.paired import Values

Stored = Mapping[tuple[str, str], Sequence[StoredRecord]]
"""Dataset and row name → its records with scores, one per seed."""


@dataclass(frozen=True)
class Estimate:
    """The contrast on one collection.

    Args:
        collection: full name.
        queries: how many.
        difference: sum of plus minus sum of minus, mean over the queries.
        seeds: the fewest of a row that was trained; 0 if none was.
    """

    collection: str
    queries: int
    difference: Difference
    seeds: int


@dataclass(frozen=True)
class Assessment:
    """A claim with what the records say.

    Args:
        claim: what is claimed.
        verdict: of the pooled estimate, or of every collection if the claim is about each.
        pooled: the mean over the collections that have all rows, each of equal weight; None without one.
        estimates: of these collections.
        missing: collection → why it has no estimate.
        command: makes the missing records; empty if none are missing or a row cannot be read.
        notes: on the evidence.
    """

    claim: Claim
    verdict: Verdict
    pooled: Difference | None
    estimates: tuple[Estimate, ...]
    missing: Mapping[str, str]
    command: str
    notes: tuple[str, ...] = ()

    @property
    def queries(self) -> int:
        """Of all collections with an estimate."""
        return sum(estimate.queries for estimate in self.estimates)


class Absent(Exception):
    """A collection has no estimate; the reason, in words.

    Args:
        reason: in words.
        again: rows to run again for one.
    """

    def __init__(self, reason: str, again: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.again = tuple(again)


@dataclass(frozen=True)
class _Part:
    """A contrast on one collection, before it is tested.

    Args:
        values: (n, 2) sum of plus and sum of minus, by query; by group, where queries share documents
            (`harness.compare.groups`).
        queries: n.
        error: (2,) squared standard errors of their means that are due to the seeds.
        freedom: (2,) degrees of freedom of these.
        seeds: the fewest of a trained row; 0 if none was trained.
        earlier: rows whose records were made by an earlier version, with other defaults.
    """

    values: Values
    queries: int
    error: Values
    freedom: Values
    seeds: int
    earlier: tuple[str, ...]


def by_row(stored: Sequence[StoredRecord]) -> Stored:
    """Records with scores by dataset and row, the seeds in order."""
    found: dict[tuple[str, str], list[StoredRecord]] = {}
    for one in sorted(stored, key=lambda one: one.record.seed):
        if one.record.status == "ok":
            found.setdefault((one.record.dataset["name"], one.record.row), []).append(one)
    return found


def assess(claim: Claim, stored: Stored, store: Store, measure: str) -> Assessment:
    """Estimates a claim's contrast.

    Args:
        claim: what is claimed.
        stored: records of the results folder.
        store: of the per-query values.
        measure: in ir-measures' notation.
    """
    try:
        names = {row: row_name(parse_method(row)) for row in claim.rows}
    except HarnessError as error:
        reason = f"this version cannot read a row of it: {error}"
        return Assessment(claim, "not run", None, (), dict.fromkeys(claim.collections, reason), "")
    parts: dict[str, _Part] = {}
    missing: dict[str, str] = {}
    absent: dict[str, None] = {}
    lacking: list[str] = []
    for collection in claim.collections:
        without = [row for row in claim.rows if (collection, names[row]) not in stored]
        if without:
            missing[collection] = f"no records of {_listed(without)}"
            absent |= dict.fromkeys(without)
            lacking.append(collection)
            continue
        try:
            parts[collection] = _part(claim, collection, names, stored, store, measure)
        except (Absent, HarnessError) as error:
            missing[collection] = str(error)
            if isinstance(error, Absent) and error.again:
                absent |= dict.fromkeys(error.again)
                lacking.append(collection)
    differences = {collection: _tested([part]) for collection, part in parts.items()}
    pooled = _tested(list(parts.values())) if parts else None
    estimates = tuple(
        Estimate(collection, part.queries, differences[collection], part.seeds)
        for collection, part in parts.items()
    )
    found = verdict(claim, pooled, [estimate.difference for estimate in estimates])
    return Assessment(claim, found, pooled, estimates, missing, _command(lacking, list(absent)), _notes(parts))


def _part(
    claim: Claim, collection: str, names: Mapping[str, str], stored: Stored, store: Store, measure: str
) -> _Part:
    """Raises Absent with the reason if the records are there and cannot be compared: of trained rows, for one, if some
    were trained with today's defaults and some with those of an earlier version.
    """
    rows: dict[str, Scores] = {}
    earlier = []
    for row in claim.rows:
        records = stored[collection, names[row]]
        full = parse_method(row).full()
        exact = [one for one in records if one.record.method == full]
        if not exact:  # another default since; one method of the name, or seeds would be mixed
            earlier.append(row)
            exact = [one for one in records if one.record.method == records[0].record.method]
        rows[row] = scores(exact, store, measure)
    today = [row for row, each in rows.items() if each.trained and row not in earlier]
    before = [row for row in earlier if rows[row].trained]
    if today and before:
        raise Absent(f"{_listed(before)} made by an earlier version, with other defaults, {_listed(today)} not", before)
    if claim.part != "all":
        split = common_split(record for each in rows.values() for record in each.records)
        if split is None:
            raise Absent("its records do not say which queries are about new documents; run the rows again")
        rows = {row: each.only(claim.part, split) for row, each in rows.items()}
    first = rows[claim.plus[0]]
    if not first.ids:
        raise Absent(f"no query is about {claim.part} documents")
    if any(each.ids != first.ids for each in rows.values()):
        raise Absent("its rows have scores on different queries")
    revisions = {record.dataset["revision"] for each in rows.values() for record in each.records}
    if len(revisions) > 1:
        raise Absent("its rows have scores on different revisions of the collection")
    sides = [[rows[row] for row in side] for side in (claim.plus, claim.minus)]
    errors = [_error(side) for side in sides]
    trained = [each.values.shape[1] for each in rows.values() if each.trained]
    values = np.stack([sum((each.values.mean(1) for each in side), np.zeros(len(first.ids))) for side in sides], axis=1)
    return _Part(
        units(values, groups_of_rows(list(rows.values()))),
        len(values),
        np.array([error for error, _ in errors]),
        np.array([freedom for _, freedom in errors]),
        min(trained, default=0),
        tuple(earlier),
    )


def _error(side: Sequence[Scores]) -> tuple[float, float]:
    """Squared standard error of a sum of rows that is due to their seeds, and its degrees of freedom."""
    return _together([seed_error(row) for row in side])


def _together(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The sum of squared errors, and its degrees of freedom (Satterthwaite 1946)."""
    total = sum(error for error, _ in parts)
    below = sum(error**2 / freedom for error, freedom in parts if error > 0)
    return total, total**2 / below if below > 0 else 0.0


def _tested(parts: Sequence[_Part]) -> Difference:
    """The mean over collections with its interval: the studentised bootstrap, queries resampled within each."""
    count = len(parts)
    sides = [_together([(part.error[side] / count**2, part.freedom[side]) for part in parts]) for side in (0, 1)]
    error, freedom = (np.array([side[i] for side in sides]) for i in (0, 1))
    one = np.array([0], np.intp)
    found = family([part.values for part in parts], one, one + 1, error, freedom)
    return found.difference(0, 1)


def _command(collections: Sequence[str], rows: Sequence[str]) -> str:
    if not rows:
        return ""
    datasets = [part for name in collections for part in ("--dataset", name)]
    return shlex.join(["harness", "run", *datasets, *(part for row in rows for part in ("--method", row))])


def _notes(parts: Mapping[str, _Part]) -> tuple[str, ...]:
    notes = []
    if earlier := {row for part in parts.values() for row in part.earlier}:
        notes.append(f"made by an earlier version, with other defaults: {_listed(sorted(earlier))}")
    one = [collection for collection, part in parts.items() if part.seeds == 1]
    if one:
        notes.append(f"a trained row has one seed on {', '.join(one)}: other seeds may differ")
    return tuple(notes)


def _listed(rows: Sequence[str]) -> str:
    return ", ".join(f"`{row}`" for row in rows)
