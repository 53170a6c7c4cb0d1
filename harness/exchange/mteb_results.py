"""Records as MTEB's result files, which MTEB loads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.base.errors import RecordError
from harness.base.optional import library
from harness.bench.record import Record
from harness.exchange.mteb_model import model_meta
from harness.exchange.mteb_names import task_of, to_mteb

MAIN = "ndcg_at_10"
UNDETERMINED = "und-Zzzz"
"""ISO 639-3 and 15924 for what has no code."""


def write_results(records: Iterable[Record], folder: Path) -> list[Path]:
    """Writes `results/<model>/<revision>/<Task>.json` and `model_meta.json` under a folder, the form of MTEB's
    `ResultCache`.

    The model's name is the row, its revision the method with all settings and the seed. A task's revision is that of
    the content here, so that nothing passes for MTEB's own copy of the data. Splits of one task go into one file.

    Args:
        records: those with scores are written.
        folder: where to; `mteb.ResultCache(folder)` loads it.

    Raises:
        Unavailable: mteb is not installed.
        RecordError: no record has a score that MTEB knows, one lacks nDCG@10, MTEB's main score of retrieval, or two
            of one row are of the same task and split.
    """
    library("mteb", "mteb")
    by_task: dict[tuple[str, str, int, str], list[Record]] = {}
    for record in records:
        if record.status == "ok":
            task, _, _ = task_of(record.dataset["name"])
            by_task.setdefault((record.row, record.method, record.seed, task), []).append(record)
    if not by_task:
        raise RecordError("no record has scores to export; `harness run` makes some, --results names their folder.")
    cache = library("mteb.cache", "mteb").ResultCache(folder)
    written = []
    for (row, method, seed, task), of_task in by_task.items():
        # `Value.fingerprint`, of a method that need not be known here
        fingerprint = hashlib.sha256(method.encode()).hexdigest()[:16]
        meta = model_meta(row, method, fingerprint, seed)
        cache.save_to_cache(_task_result(task, of_task), meta)
        written.append(Path(cache.get_task_result_path(task, meta)))
    return written


def _task_result(task: str, records: Sequence[Record]) -> Any:
    """MTEB's result of a task: a list of scores for each split, one entry for each subset."""
    by_split: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        _, subset, split = task_of(record.dataset["name"])
        scores = {name: value for measure, value in record.measures.items() if (name := to_mteb(measure))}
        if MAIN not in scores:
            raise RecordError(
                f"{record.row} on {record.dataset['name']} lacks nDCG@10, MTEB's main score; run it with that measure."
            )
        entries = by_split.setdefault(split, [])
        if any(entry["hf_subset"] == subset for entry in entries):
            same = {r.dataset["name"] for r in records if task_of(r.dataset["name"]) == (task, subset, split)}
            raise RecordError(
                f"{record.row} has records of {', '.join(sorted(same))}, which are one task of MTEB, {task}; name the "
                "one to export with --dataset."
            )
        languages = _languages(task, subset)
        entries.append({**scores, "main_score": scores[MAIN], "hf_subset": subset, "languages": languages})
    revisions = dict.fromkeys(f"retrieval-harness:{record.dataset['revision']}" for record in records)
    started = records[0].started
    return library("mteb.results", "mteb").TaskResult(
        task_name=task,
        dataset_revision="+".join(revisions),
        mteb_version=library("mteb", "mteb").__version__,
        scores=by_split,
        evaluation_time=sum(sum(record.seconds.values()) for record in records),
        date=datetime.fromisoformat(started) if started else None,
    )


def _languages(task: str, subset: str) -> list[str]:
    """Of a subset of a task that MTEB knows; else undetermined, as MTEB leaves scores without any language out."""
    try:
        known = library("mteb", "mteb").get_task(task).metadata.hf_subsets_to_langscripts
    except KeyError:
        return [UNDETERMINED]
    return list(known.get(subset, ())) or [UNDETERMINED]
