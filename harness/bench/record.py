"""A record: the results of one row on one dataset and what they were made with, JSON-safe, under a schema number."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.base.errors import RecordError
from harness.base.json_files import checked, parse_json
from harness.base.redaction import redacted
from harness.bench.schemas import RecordForm, TrainingForm

SCHEMA = 1
Status = Literal["ok", "skipped", "error"]


@dataclass(frozen=True)
class Record:
    """The results of one row on one dataset.

    Args:
        schema: number of this form.
        status: `ok`; `skipped` (something is absent: `problem` has the reason and the remedy); `error` (`problem` has
            the trace).
        row: its expression as short as it is unambiguous, by which it is looked up.
        alias: the name that the user gave it, `best` in `best=hybrid(…)`; empty for none.
        method: the full expression, every setting written out.
        identity: hash of all that decides the scores; a record of the same identity is up to date.
        dataset: name, revision (content hash), documents, queries, judgements, unreachable, notes; with folds also
            `folds` (`harness.data.dataset.Folds.describe`).
        seed: of every random stream.
        depth: of the run.
        supervision: `none`, `dev labels`, `train labels` or `unknown`.
        resolved: settings as they turned out: weights hash, prompts, the chosen weight.
        measures: measure → mean over all judged queries.
        phases: kind, label, seconds, cached_seconds, peak_mb, counts of each step, in the order of the work.
        seconds: per kind, at what things cost without a cache.
        throughput: documents_per_second of fit and index, queries_per_second of search, from `seconds`.
        size: index_bytes, model_bytes, parameters, dimensions.
        latency: p50_ms and p95_ms of single queries, how often they were repeated, by how much that differs, and
            whether the machine was busy (`harness.bench.latency.Timing.latency`); None if not measured.
        leaks: test queries that also occur in training or dev, and those that share a relevant document with it, each
            with the number and the means of the measures without them; also of rows that used no label, to compare
            with. `taught`, of rows with a model that was trained here: the same for the queries of its training, by
            their origin (gold, dev, generated, silver); `pairs`: those it was trained on with a document that is
            relevant to them; `known`: whether all of that is known. `split`: the test queries about `old` and about
            `new` documents, number and means of each, and the `ids` of the smaller part, which is `listed`
            (`harness.bench.document_split`); the same for all rows of a collection.
        unjudged: measure → `judged`, the share of the documents within its cutoff that are judged, and `all_relevant`,
            what it would be if all others within it were relevant; measures with a cutoff up to 100.
        accepted: deliberate changes of these scores, oldest first: why, when, the identity and measures before, what
            changed.
        notes: what a reader of the scores must know.
        run_sha256: of the run file's bytes.
        provenance: commit, dirty, code, packages, python, machine, device.
        started: UTC, ISO 8601.
        problem: of a skipped or failed row.
    """

    row: str
    method: str
    dataset: dict[str, Any]
    status: Status = "ok"
    alias: str = ""
    identity: str = ""
    seed: int = 0
    depth: int = 0
    supervision: str = "none"
    resolved: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    phases: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    throughput: dict[str, float] = field(default_factory=dict)
    size: dict[str, int] = field(default_factory=dict)
    latency: dict[str, Any] | None = None
    leaks: dict[str, Any] = field(default_factory=dict)
    unjudged: dict[str, dict[str, float]] = field(default_factory=dict)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    run_sha256: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    started: str = ""
    problem: dict[str, str] | None = None
    schema: int = SCHEMA

    @property
    def trainings(self) -> list[dict[str, Any]]:
        """The report of every training, at whatever depth; once if a model is in two parts of a row."""
        return trainings_in(self.resolved)

    @property
    def training_seconds(self) -> float:
        """Of all trainings, preparation included."""
        return sum(float(info.get("seconds", 0.0)) + float(info.get("preparation", 0.0)) for info in self.trainings)

    def to_json(self) -> str:
        """Indented, keys in a fixed order, without the keys of this environment."""
        text = (
            json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
        )
        return redacted(text)

    def without_keys(self) -> Record:
        """As it is stored and read back, with the same names: a dataset or row may have a key in its name."""
        text = json.dumps(dataclasses.asdict(self), ensure_ascii=False, allow_nan=False)
        clean = redacted(text)
        return self if clean == text else type(self)(**json.loads(clean))

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> Record:
        """Reads a record back.

        Raises:
            RecordError: not JSON, of another schema, a field is missing or of another form; names `source`.
        """
        try:
            # Without the keys of this environment, also from older records.
            fields = parse_json(redacted(text.decode() if isinstance(text, bytes) else text))
        except ValueError as error:
            raise RecordError(
                f"{source} is not JSON that can be read ({error}); delete it and run the row again."
            ) from error
        if not isinstance(fields, dict) or fields.get("schema") != SCHEMA:
            schema = fields.get("schema") if isinstance(fields, dict) else None
            raise RecordError(f"{source} has record schema {schema!r}, this version reads {SCHEMA}; run the row again.")
        try:
            checked(fields, RecordForm)
            record = cls(**fields)
            checked(record.trainings, list[TrainingForm])
        except (ValueError, TypeError) as error:
            why = f"{source} is not a complete record ({error})"
            raise RecordError(f"{why}; delete it and run the row again.") from error
        return record


def trainings_in(resolved: object) -> list[dict[str, Any]]:
    """The reports of trainings in resolved settings, at whatever depth, each once."""
    return list({json.dumps(info, sort_keys=True): info for info in _trainings(resolved)}.values())


def _trainings(resolved: object) -> Iterator[dict[str, Any]]:
    if isinstance(resolved, dict):
        yield from (info for info in resolved.get("training", ()) if isinstance(info, dict))
        for key, value in resolved.items():
            if key != "training":
                yield from _trainings(value)
    elif isinstance(resolved, list):
        for value in resolved:
            yield from _trainings(value)
