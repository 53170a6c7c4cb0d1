"""What the page shows, from the tables: JSON-safe, every number already rounded and written as on the other boards."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from harness.bench.machine_load import why
from harness.bench.record import Record
from harness.report.board import (
    COSTS,
    Across,
    Line,
    Table,
    across,
    costs,
    figure,
    judged,
    millions,
    query_time,
    seconds,
    share,
)
from harness.report.frontier import non_dominated
from harness.report.intervals import AGAINST, against, pairs, placed_cells, rank, span

Files = Mapping[str, str]
MOST_POINTS = 250
"""Of a curve of the loss."""
TRADES = {"latency": "query p50, ms", "size": "index and model, MiB", "training": "training, s"}
"""Costs that quality is held against."""


def page_data(
    found: Sequence[Sequence[Table]], files: Sequence[Sequence[Sequence[Files]]], over: Across | None = None
) -> dict[str, Any]:
    """The tables as the template takes them.

    Args:
        found: for each dataset its table, once for each measure, that measure first.
        files: for each dataset, row and seed, the record's files (`harness.report.per_query.file_names`).
        over: the table across datasets with its standing; None takes it from the tables alone.
    """
    firsts = [tables[0] for tables in found]
    datasets = [_dataset(i, tables, files[i]) for i, tables in enumerate(found)]
    rows = [row for dataset in datasets for row in dataset["rows"]]
    side_by_side = _across(firsts, datasets, over)
    return {
        "datasets": datasets,
        "measures": list(dict.fromkeys(m for table in firsts for m in table.measures)),
        "supervisions": sorted({row["supervision"] for row in rows}),
        "families": sorted({row["family"] for row in rows}),
        "across": side_by_side,
        "means": _means(side_by_side),
        "costs": COSTS,
    }


def charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `page_data` that scripts draw from."""
    kept = ("key", "name", "family", "supervision", "values", "trades", "seeds")
    return {
        "trades": TRADES,
        "datasets": [
            {
                "name": dataset["name"],
                "measures": dataset["measures"],
                "pairs": dataset["pairs"],
                "curves": dataset["curves"],
                "rows": [{name: row[name] for name in kept} for row in dataset["rows"] if row["ok"]],
            }
            for dataset in data["datasets"]
        ],
    }


def command(record: Record) -> str:
    """The command that makes a record again."""
    parts = [
        "harness",
        "run",
        "--dataset",
        record.dataset["name"],
        "--method",
        record.method,
        "--seed",
        str(record.seed),
    ]
    parts += ["--depth", str(record.depth)] if record.depth else []
    parts += [part for measure in sorted(record.measures) for part in ("--measure", measure)]
    return shlex.join(parts)


def family(method: str) -> str:
    """The kind of a method, which is the head of its expression: `dense(model=…)` is `dense`, `run/x.trec` is `run`."""
    return method.partition("(")[0].partition("/")[0].partition("+")[0]


def _dataset(place: int, tables: Sequence[Table], files: Sequence[Sequence[Files]]) -> dict[str, Any]:
    table = tables[0]
    by_measure = {
        t.measures[0]: {(line.row, line.first.method): line for line in t.lines} for t in tables if t.measures
    }
    rows = [_row(f"record-{place}-{i}", line, table, by_measure, files[i]) for i, line in enumerate(table.lines)]
    _mark_trades(rows, table.measures)
    facts = table.first.dataset
    return {
        "name": table.dataset,
        "facts": f"{facts['documents']:,} documents, {facts['queries']:,} queries, {facts['judgements']:,} judgements",
        "revision": facts["revision"],
        "licence": facts.get("licence") or "",
        "measures": list(table.measures),
        "standing": {t.measures[0]: t.stands for t in tables if t.measures},
        "pairs": {t.measures[0]: pairs(t.standing) for t in tables if t.measures},
        "seen": {t.measures[0]: t.seen for t in tables if t.measures and t.seen},
        "decision": {t.measures[0]: t.decision for t in tables if t.measures and t.decision},
        "notes": list(dict.fromkeys(note for t in tables for note in t.notes)),
        "rows": rows,
        "published": [
            {"name": name, "values": dict(zip(table.measures, shown, strict=True))} for name, shown in table.beside
        ],
        "curves": _curves(table),
    }


def _row(
    key: str,
    line: Line,
    table: Table,
    by_measure: Mapping[str, Mapping[tuple[str, str], Line]],
    files: Sequence[Files],
) -> dict[str, Any]:
    record = line.first
    values = {}
    for measure in table.measures:
        value = line.value(measure) if line.ok else None
        here = by_measure[measure][(line.row, record.method)] if measure in by_measure else line
        values[measure] = {
            "value": value,
            "text": figure(value),
            "best": line.ok and figure(value) == table.best(measure),
            "low": here.interval.low if here.interval else None,
            "high": here.interval.high if here.interval else None,
            **dict(zip(("interval", "behind", "ranks"), placed_cells(here.placed), strict=True)),
            "place": here.placed.place if here.placed else None,
        }
    return {
        "key": key,
        "name": line.row,
        "method": record.method,
        "family": family(record.method),
        "supervision": record.supervision,
        "ok": line.ok,
        "status": record.status,
        "problem": line.problem,
        "values": values,
        "costs": [{"text": text, "value": value} for text, value in zip(costs(line)[1:], _numbers(line), strict=True)],
        "trades": {name: {"value": value} for name, value in trade_values(line).items()},
        "seeds": [
            {"seed": r.seed, "values": {m: r.measures[m] for m in table.measures if m in r.measures}}
            for r in line.records
            if line.ok
        ],
        "records": [_record(r, f) for r, f in zip(line.records, files, strict=True)],
        "notes": list(dict.fromkeys(note for r in line.records for note in r.notes)),
        "spread": [told for m in table.measures if line.ok and (told := line.seeds(m))],
    }


def _numbers(line: Line) -> tuple[float | None, ...]:
    """What `harness.report.board.costs` writes after the labels used, as numbers to sort by."""
    record = line.first
    if not line.ok:
        return (None,) * (len(COSTS) - 1)
    latency = record.latency or {}
    return (
        judged(line),
        line.training,
        record.seconds.get("fit", 0.0) + record.seconds.get("index", 0.0),
        record.seconds.get("search", 0.0),
        latency.get("p50_ms"),
        latency.get("p95_ms"),
        record.size.get("index_bytes") or None,
        record.size.get("parameters") or None,
    )


def trade_values(line: Line) -> dict[str, float | None]:
    """What a row costs, by the names of `TRADES`; training is 0 where nothing was trained."""
    record = line.first
    if not line.ok:
        return dict.fromkeys(TRADES)
    size = record.size.get("index_bytes", 0) + record.size.get("model_bytes", 0)
    return {
        "latency": None if why(record.latency) else (record.latency or {}).get("p50_ms"),
        "size": size / 2**20 if size else None,
        "training": line.training or 0.0,
    }


def _mark_trades(rows: Sequence[dict[str, Any]], measures: Sequence[str]) -> None:
    """Notes of each row by which measures it is not dominated."""
    for name in TRADES:
        for row in rows:
            row["trades"][name]["front"] = []
        for measure in measures:
            there = [
                r for r in rows if r["trades"][name]["value"] is not None and r["values"][measure]["value"] is not None
            ]
            points = [(r["trades"][name]["value"], r["values"][measure]["value"]) for r in there]
            for row, free in zip(there, non_dominated(points), strict=True):
                if free:
                    row["trades"][name]["front"].append(measure)


def _latency(latency: Mapping[str, Any]) -> str:
    if not latency:
        return ""
    busy = why(latency)
    told = f"p50 {query_time(latency, 'p50_ms')} ms, p95 {query_time(latency, 'p95_ms')} ms"
    return f"{told}; not the row's own: {busy}" if busy else told


def _record(record: Record, files: Files) -> dict[str, Any]:
    made, machine = record.provenance, record.provenance.get("machine") or {}
    cores = f"{machine.get('cores', '?')} cores of {machine.get('processor', '?')}"
    size, latency = record.size, record.latency or {}
    facts = {
        "made": record.started,
        "code": f"commit {made.get('commit') or 'unknown'}"
        + (" with uncommitted changes" if made.get("dirty") else ""),
        "machine": f"{cores}, {made.get('device', 'cpu')}, Python {made.get('python', '?')}",
        "packages": ", ".join(f"{name} {version}" for name, version in sorted((made.get("packages") or {}).items())),
        "collection": f"revision {record.dataset['revision']}",
        "identity": record.identity,
        "run file, SHA-256": record.run_sha256,
        "seconds": ", ".join(f"{kind} {seconds(value)}" for kind, value in sorted(record.seconds.items())),
        "size": ", ".join(
            [
                f"{name.removesuffix('_bytes')} {size[name] / 2**20:.1f} MiB"
                for name in ("index_bytes", "model_bytes")
                if size.get(name)
            ]
            + ([f"{millions(size['parameters'])} parameters"] if size.get("parameters") else [])
        ),
        "unjudged": "; ".join(
            f"{share(told['judged'])} of what {m} looks at is judged, {figure(told['all_relevant'])} if all else were "
            f"relevant"
            for m, told in record.unjudged.items()
        ),
        "latency": _latency(latency),
    }
    return {
        "seed": record.seed,
        "command": command(record),
        "files": dict(files),
        "measures": {m: f"{value:.6f}" for m, value in sorted(record.measures.items())},
        "facts": {name: value for name, value in facts.items() if value},
    }


def _curves(table: Table) -> list[dict[str, Any]]:
    """The learning of every training, once, with the rows that stand on it."""
    found: dict[str, dict[str, Any]] = {}
    for line in table.lines:
        for record in line.records:
            for told in record.trainings:
                dev, loss = _pairs(told.get("dev")), _thinned(_pairs(told.get("loss")))
                name = f"{str(told.get('recipe', '')).partition('(')[0]}, seed {record.seed}"
                key = json.dumps([name, dev, loss])
                if dev or loss:
                    new = {"name": name, "rows": [], "dev": dev, "loss": loss, "chosen": told.get("chosen")}
                    rows = found.setdefault(key, new)["rows"]
                    rows += [line.row] if line.row not in rows else []
    return list(found.values())


def _pairs(told: object) -> list[list[float]]:
    """Step and value; None and what is no pair is left out."""
    pairs = told if isinstance(told, list) else []
    return [
        list(pair)
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(v, int | float) for v in pair)
    ]


def _thinned(points: list[list[float]]) -> list[list[float]]:
    """Means of as many steps in a row as leave at most `MOST_POINTS`, each at the last of its steps."""
    width = -(-len(points) // MOST_POINTS)
    parts = [points[i : i + width] for i in range(0, len(points), width)] if width > 1 else []
    return [[part[-1][0], round(sum(value for _, value in part) / len(part), 6)] for part in parts] or points


def _across(
    firsts: Sequence[Table], datasets: Sequence[Mapping[str, Any]], standing: Across | None
) -> list[dict[str, Any]]:
    """One table across datasets for each measure that all of them have; what `standing` says, for its measure."""
    keys = {
        (d["name"], row["name"]): row["key"] for d in reversed(datasets) for row in reversed(d["rows"]) if row["ok"]
    }
    facts = {row["name"]: row for dataset in datasets for row in dataset["rows"]}
    found: list[dict[str, Any]] = []
    for measure in firsts[0].measures if firsts else ():
        over = (
            across([table.by(measure) for table in firsts])
            if all(measure in table.measures for table in firsts)
            else None
        )
        if over is None:
            continue
        over = standing if standing is not None and standing.measure == measure else over
        numbers = {name: i for i, name in enumerate(sorted(name for name, _ in over.rows))}
        lines = []
        for name, values in over.rows:
            own = f"record-across-{numbers[name]}"
            cells = [
                {
                    "value": value,
                    "text": figure(value),
                    "best": value is not None and figure(value) == top,
                    "key": keys.get((dataset, name), own),
                }
                for value, top, dataset in zip(
                    (*values, Across.mean(values)), over.best, (*over.datasets, ""), strict=True
                )
            ]
            lines.append(
                {
                    "name": name,
                    "key": own,
                    "family": facts[name]["family"],
                    "supervision": facts[name]["supervision"],
                    "cells": cells,
                    **_placed(over, name),
                }
            )
        found.append(
            {
                "measure": measure,
                "datasets": list(over.datasets),
                "rows": lines,
                "stands": over.stands,
                "compared": over.compared,
                "notes": list(over.notes),
            }
        )
    return found


def _placed(over: Across, name: str) -> dict[str, Any]:
    """What is said of a row's mean: its interval, its ranks, and what it is against the first."""
    placed = over.standing.get(name)
    held = placed.against if placed else None
    numbers = (
        (held.difference.mean, held.datasets[0], held.queries[0], held.difference.p) if held else (None,) * len(AGAINST)
    )
    return {
        "interval": span(placed.interval if placed else None),
        "ranks": rank(placed.ranks if placed else None),
        "first": placed is not None and held is None,
        "against": [{"text": text, "value": value} for text, value in zip(against(held), numbers, strict=True)],
        "held": held is not None,
    }


def _means(tables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each row across datasets what its mean is made of: the datasets with their records and figures, by name."""
    found: dict[str, dict[str, Any]] = {}
    for over in tables:
        first = next((row for row in over["rows"] if row["first"]), None)
        for row in over["rows"]:
            blank = {"name": row["name"], "key": row["key"], "datasets": {}, "means": {}, "against": []}
            one = found.setdefault(row["name"], blank)
            if over["compared"] and row["held"] and first is not None:
                one["against"].append({"measure": over["measure"], "cells": row["against"], "first": first})
            *cells, mean = row["cells"]
            one["means"][over["measure"]] = mean["text"]
            for dataset, cell in zip(over["datasets"], cells, strict=True):
                if cell["value"] is not None:
                    there = one["datasets"].setdefault(dataset, {"key": cell["key"], "figures": {}})
                    there["figures"][over["measure"]] = cell["text"]
    return [found[name] for name in sorted(found)]
