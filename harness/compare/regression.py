"""The regression gate: a new record compared with a stored one, and a deliberate change accepted with its reason."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from harness.base.errors import ComparisonError, RecordError, SettingError
from harness.base.files import replacing
from harness.bench.record import Record
from harness.bench.store import Place, Store, StoredRecord
from harness.compare.evidence import Contrast, contrasts, scores
from harness.data.measures import PerQuery

Finding = Literal["unchanged", "drifted", "worse"]
SAME = 2e-6
"""Per-query values closer than this are the same: records keep six decimals, and the last may be rounded either way."""


@dataclass(frozen=True)
class Regression:
    """A row compared with its stored record.

    Args:
        finding: `worse` if the mean is significantly lower; `drifted` if scores differ otherwise, or cannot be compared
            because the collection has changed; else `unchanged`.
        row: name on the board.
        measure: of the scores.
        before: the stored mean.
        after: the new one.
        reasons: what has changed: data, settings, weights, code, versions, machine.
        contrast: the differences, new minus stored; None if the queries have changed.
    """

    finding: Finding
    row: str
    measure: str
    before: float
    after: float
    reasons: tuple[str, ...]
    contrast: Contrast | None

    @property
    def sentence(self) -> str:
        """In words."""
        head = f"{self.row}: {self.finding}: {self.measure} {self.before:.4f} stored, {self.after:.4f} now"
        if self.contrast is not None and self.finding != "unchanged":
            won, tied, lost = self.contrast.pairs.wins_ties_losses
            head += f"; better on {won}, equal on {tied}, worse on {lost} queries, p = {self.contrast.p:.2g} "
            head += "(single planned comparison)"
        if self.reasons:
            return f"{head}; changed: {'; '.join(self.reasons)}"
        return f"{head}; nothing that is recorded has changed" if self.finding != "unchanged" else head


def compare_records(before: StoredRecord, stored: Store, after: StoredRecord, new: Store, measure: str) -> Regression:
    """Compares a new record with the stored one, query by query.

    Args:
        before: the stored record.
        stored: its results folder.
        after: the new one.
        new: its folder.
        measure: of the scores.

    Raises:
        ComparisonError: a record has no such measure.
        RecordError: per-query values that cannot be read.
    """
    was, now = scores([before], stored, measure), scores([after], new, measure)
    why = tuple(reasons(before.record, after.record))
    row = after.record.row
    if was.ids != now.ids or before.record.dataset["revision"] != after.record.dataset["revision"]:
        return Regression("drifted", row, measure, was.mean, now.mean, why, None)
    (contrast,) = contrasts([(now, was)])
    finding: Finding = "drifted"
    if abs(contrast.pairs.differences).max() < SAME:
        finding = "unchanged"
    elif contrast.difference < 0 and not contrast.tied:
        finding = "worse"
    return Regression(finding, row, measure, was.mean, now.mean, why, contrast)


def reasons(before: Record, after: Record) -> Iterator[str]:
    """What has changed between two records, in words."""
    if before.dataset["revision"] != after.dataset["revision"]:
        yield f"data (revision {before.dataset['revision'][:12]} → {after.dataset['revision'][:12]})"
    if before.method != after.method:
        yield "settings"
    if before.seed != after.seed:
        yield f"seed ({before.seed} → {after.seed})"
    if before.depth != after.depth:
        yield f"depth ({before.depth} → {after.depth})"
    if sorted(_shas(before.resolved)) != sorted(_shas(after.resolved)):
        yield "weights or files"
    was, now = before.provenance, after.provenance
    if was.get("code") != now.get("code"):
        yield f"code (commit {str(was.get('commit'))[:8]} → {str(now.get('commit'))[:8]})"
    yield from _versions(_packages(was), _packages(now))
    if was.get("device") != now.get("device") or was.get("machine") != now.get("machine"):
        yield "machine"


def _packages(provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {**(provenance.get("packages") or {}), "python": provenance.get("python")}


def _versions(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield f"{name} ({was.get(name, 'absent')} → {now.get(name, 'absent')})"


def _shas(resolved: object) -> Iterator[str]:
    """Hashes of weights, at any depth of a record."""
    if isinstance(resolved, dict):
        for key, value in resolved.items():
            if key.endswith(("sha", "sha256")) and isinstance(value, str):
                yield value
            else:
                yield from _shas(value)
    elif isinstance(resolved, list):
        for value in resolved:
            yield from _shas(value)


def accept(after: StoredRecord, stored: Store, place: Place, why: str) -> Record:
    """Replaces the stored record by the new one, with the reason in it.

    Args:
        after: the new record and its files.
        stored: the results folder that takes it.
        place: where it goes there.
        why: the reason, for readers of the record.

    Raises:
        SettingError: no reason.
        ComparisonError: the new record has no scores, or the same as the stored one.
    """
    if not why.strip():
        raise SettingError('a change is accepted with its reason: --why "…"')
    if after.record.status != "ok":
        raise ComparisonError(f"{after.record.row} has no scores ({after.record.status}); there is nothing to accept.")
    before = stored.load(place)
    values = Store(after.place.record.parent).values(after)
    same_run = before is not None and before.status == "ok" and before.run_sha256 == after.record.run_sha256
    if before is not None and same_run and _values(stored, StoredRecord(before, place)) == values:
        raise ComparisonError(f"{after.record.row}: the stored record has the same scores; there is nothing to accept.")
    entry: dict[str, Any] = {"why": why.strip(), "when": datetime.now(UTC).isoformat(timespec="seconds")}
    if before is not None:
        entry |= {
            "identity": before.identity,
            "measures": before.measures,
            "changed": list(reasons(before, after.record)),
        }
    record = dataclasses.replace(after.record, accepted=[*(before.accepted if before else []), entry])
    with replacing(place.run) as part:
        shutil.copyfile(after.place.run, part)
    stored.save(place, record, values)
    return record


def _values(store: Store, record: StoredRecord) -> PerQuery | None:
    """The stored per-query values; None if they are lost or contradict their record: the new ones replace them."""
    try:
        return store.values(record)
    except RecordError:
        return None
