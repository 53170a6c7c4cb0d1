"""What the page shows of single records: the command that repeats them, provenance, learning curves."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from harness.bench.machine_load import why
from harness.bench.record import Record
from harness.report import formats
from harness.report.board import Table

Files = Mapping[str, str]
MOST_POINTS = 250
"""Of a curve of the loss."""


def command(record: Record) -> str:
    """The command that repeats a record."""
    parts = ["harness", "run", "--dataset", record.dataset["name"], "--method", record.method]
    parts += ["--seed", str(record.seed)]
    parts += ["--depth", str(record.depth)] if record.depth else []
    parts += [part for measure in sorted(record.measures) for part in ("--measure", measure)]
    return shlex.join(parts)


def record_data(record: Record, files: Files) -> dict[str, Any]:
    """A record as the template takes it, with its files."""
    facts = {
        **_provenance(record),
        "collection": f"revision {record.dataset['revision']}",
        "identity": record.identity,
        "run file, SHA-256": record.run_sha256,
        "seconds": ", ".join(f"{kind} {formats.seconds(value)}" for kind, value in sorted(record.seconds.items())),
        "size": ", ".join(_sizes(record.size)),
        "unjudged": "; ".join(_unjudged(measure, bounds) for measure, bounds in record.unjudged.items()),
        "latency": _latency(record.latency),
    }
    return {
        "seed": record.seed,
        "command": command(record),
        "files": dict(files),
        "measures": {m: f"{value:.6f}" for m, value in sorted(record.measures.items())},
        "facts": {name: value for name, value in facts.items() if value},
    }


def _provenance(record: Record) -> dict[str, str]:
    made, machine = record.provenance, record.provenance.get("machine") or {}
    commit = f"commit {made.get('commit') or 'unknown'}"
    cores = f"{machine.get('cores', '?')} cores of {machine.get('processor', '?')}"
    packages = sorted((made.get("packages") or {}).items())
    return {
        "made": record.started,
        "code": f"{commit} with uncommitted changes" if made.get("dirty") else commit,
        "machine": f"{cores}, {made.get('device', 'cpu')}, Python {made.get('python', '?')}",
        "packages": ", ".join(f"{name} {version}" for name, version in packages),
    }


def _sizes(size: Mapping[str, int]) -> list[str]:
    parts = [(name, size.get(f"{name}_bytes")) for name in ("index", "model")]
    texts = [f"{name} {formats.mebibytes(value)} MiB" for name, value in parts if value]
    return [*texts, f"{formats.millions(size['parameters'])} parameters"] if size.get("parameters") else texts


def _unjudged(measure: str, bounds: Mapping[str, float]) -> str:
    judged, all_relevant = formats.share(bounds["judged"]), formats.score(bounds["all_relevant"])
    return f"{judged} of the documents that {measure} counts are judged; {all_relevant} if all others were relevant"


def _latency(latency: Mapping[str, Any] | None) -> str:
    if not latency:
        return ""
    busy = why(latency)
    shown = {name: "–" if latency.get(name) is None else f"{latency[name]:.1f}" for name in ("p50_ms", "p95_ms")}
    if busy:
        shown = {name: value if value == "–" else f"({value})" for name, value in shown.items()}
    text = f"p50 {shown['p50_ms']} ms, p95 {shown['p95_ms']} ms"
    return f"{text}; unreliable: {busy}" if busy else text


def curves(table: Table) -> list[dict[str, Any]]:
    """The learning curve of every training, once, with the rows that use it."""
    found: dict[str, dict[str, Any]] = {}
    for line in table.lines:
        for record in line.records:
            for training in record.trainings:
                dev, loss = _points(training.get("dev")), _thinned(_points(training.get("loss")))
                name = f"{str(training.get('recipe', '')).partition('(')[0]}, seed {record.seed}"
                if not dev and not loss:
                    continue
                curve = {"name": name, "rows": [], "dev": dev, "loss": loss, "chosen": training.get("chosen")}
                rows = found.setdefault(json.dumps([name, dev, loss]), curve)["rows"]
                rows += [line.row] if line.row not in rows else []
    return list(found.values())


def _points(curve: object) -> list[list[float]]:
    """Step and value of each point; anything else in a record is left out."""
    return [list(point) for point in curve if _is_point(point)] if isinstance(curve, list) else []


def _is_point(point: object) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(isinstance(value, int | float) for value in point)


def _thinned(points: list[list[float]]) -> list[list[float]]:
    """Means of so many consecutive steps that at most `MOST_POINTS` remain, each at the last of its steps."""
    width = -(-len(points) // MOST_POINTS)
    if width <= 1:
        return points
    parts = [points[i : i + width] for i in range(0, len(points), width)]
    return [[part[-1][0], round(sum(value for _, value in part) / len(part), 6)] for part in parts]
